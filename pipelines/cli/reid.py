"""``partreid train`` and ``partreid eval``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options


def train(
    recipe: Annotated[str, typer.Argument(help="Recipe by name (prn, prn-small), or a YAML file.")],
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="Run folder to write.")],
    boxes: options.BoxesFile = None,
    dataset: options.Kind = None,
    change: options.Change = None,
    device: options.Device = "auto",
    workers: Annotated[int, typer.Option(min=0, help="Processes that read images.")] = 2,
) -> None:
    """Train a re-ID network; stopped half-way, the same command goes on."""
    from pipelines.jobs.network import train

    train(recipe, data, dataset, out, boxes, change or [], device, workers)


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder, made by 'train'.")],
    data: options.Data,
    boxes: options.BoxesFile = None,
    dataset: options.Kind = None,
    branches: options.Branches = "global",
    out: Annotated[
        Path | None, typer.Option(help="Folder for results. [RUN/eval-BRANCHES]")
    ] = None,
    device: options.Device = "auto",
) -> None:
    """Print mAP, CMC and mINP on the query and gallery splits, with 95 % intervals."""
    from pipelines.jobs.network import evaluate

    evaluate(run, data, dataset, boxes, branches, out, device)


def recipes() -> None:
    """List the recipes that come along."""
    from pipelines.jobs.network import show_recipes

    show_recipes()


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("train")(train)
    app.command("eval")(evaluate)
    app.command("recipes")(recipes)

"""``partreid train`` and ``partreid eval``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotations.errors import InputError
from pipelines.cli import options


def train(
    recipe: Annotated[str, typer.Argument(help="Recipe by name (prn, prn-small), or a YAML file.")],
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="Run folder to write.")],
    boxes: options.FoundFile = None,
    detector: Annotated[
        Path | None,
        typer.Option(help="Detector: parts that it finds worse than parts.least are left out."),
    ] = None,
    marks: Annotated[
        Path | None,
        typer.Option(
            help="Pairs of image files (first, second, same), such as the marks of 'partreid "
            "serve', to train on besides."
        ),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder that the marks' paths start from. [their own]")
    ] = None,
    dataset: options.Kind = None,
    change: options.Change = None,
    device: options.Device = "auto",
    workers: Annotated[int, typer.Option(min=0, help="Processes that read images.")] = 2,
) -> None:
    """Train a re-ID network; stopped half-way, the same command goes on."""
    from pipelines.jobs.network import train

    train(
        recipe, data, dataset, out, boxes, change or [], device, workers, detector, marks, root
    )  # fmt: skip


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder, made by 'train'.")],
    data: Annotated[
        Path | None, typer.Argument(help="Data set: a folder of images, a root, or a table.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="The data set, instead of DATA.")] = None,
    boxes: options.FoundFile = None,
    dataset: options.Kind = None,
    branches: options.Branches = "global",
    mirror: options.Mirror = None,
    protocol: options.Protocol = None,
    repeats: options.Repeats = 10,
    seed: options.Seed = 0,
    pairs: options.TestPairs = None,
    training_pairs: Annotated[
        Path | None,
        typer.Option(help="Pairs to choose the threshold on. [drawn from the training split]"),
    ] = None,
    same: Annotated[
        str | None,
        typer.Option(help="Columns that make a drawn pair the same, such as model,year."),
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Columns to print scores by, such as camera,viewpoint.")
    ] = None,
    rerank: options.Rerank = False,
    expand: options.Expand = 0,
    travel_times: Annotated[
        float,
        typer.Option(
            min=0,
            help="Weigh travel times between cameras, learned on the training split in bins of "
            "this width (in the unit of 'time'). [0: do not]",
        ),
    ] = 0.0,
    compare: Annotated[
        Path | None, typer.Option(help="Another run: show the difference, and where it lies.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for results. [in RUN, called by what is asked]")
    ] = None,
    device: options.Device = "auto",
) -> None:
    """Print mAP, CMC and mINP by a protocol, with 95 % intervals; or compare two runs."""
    from pipelines.jobs.asked import Asked
    from pipelines.jobs.evaluation import evaluate

    if (data is None) == (root is None):
        raise InputError("give the data set once: DATA or --root DIR")
    asked = Asked(
        protocol,
        repeats,
        seed,
        tuple(pairs or ()),
        training_pairs,
        tuple(same.split(",")) if same else (),
        tuple(by.split(",")) if by else (),
        expand,
        rerank,
        travel_times,
        mirror,
    )
    evaluate(run, data or root, dataset, boxes, branches, out, device, asked, compare)  # type: ignore[arg-type]


def recipes() -> None:
    """List the recipes that come along."""
    from pipelines.jobs.network import show_recipes

    show_recipes()


def methods() -> None:
    """List methods, branches, losses and distances, and which can stand together in a recipe."""
    from pipelines.jobs.methods import show_methods

    show_methods()


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("train")(train)
    app.command("eval")(evaluate)
    app.command("recipes")(recipes)
    app.command("methods")(methods)

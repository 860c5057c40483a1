"""The whole jobs, which ``make`` calls: detect-parts, find-views, train-reid, retrieve, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Data set; without it, the built-in fleet.")
]
WorkOption = Annotated[Path, typer.Option("--work", help="Folder that holds every job's output.")]


def detect_parts(
    data: DataOption = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled set to train the detector on; repeatable, see 'parts train'."),
    ] = None,
    detector: Annotated[Path | None, typer.Option(help="A detector that is trained.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change a training setting; repeatable.")
    ] = None,
    redo: Annotated[
        bool, typer.Option(help="Train and detect again after labels or settings changed.")
    ] = False,
    work: WorkOption = Path("runs"),
    device: options.Device = "auto",
) -> None:
    """Train the part detector, find the parts of every image, and fill the missing ones."""
    from pipelines.jobs.whole import detect_parts

    detect_parts(data, labels or [], detector, settings or [], redo, work, device)


def find_views(
    data: Annotated[
        Path | None, typer.Option("--data", help="Data set, its images with viewpoints.")
    ] = None,
    network: Annotated[
        Path | None, typer.Option(help="SPAN that is trained; viewpoints are not needed then.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change a setting of the mask networks, such as size=128; repeatable."
        ),
    ] = None,
    redo: Annotated[bool, typer.Option(help="Find again with another network.")] = False,
    work: WorkOption = Path("runs"),
    device: options.Device = "auto",
) -> None:
    """Learn where the views of vehicles are (SPAN), and find their masks on every image."""
    from pipelines.jobs.find_views import find_views

    find_views(data, network, settings or [], redo, work, device)


def train_reid(
    data: DataOption = None,
    recipe: Annotated[str | None, typer.Option(help="Recipe by name, or a YAML file.")] = None,
    change: options.Change = None,
    work: WorkOption = Path("runs"),
    device: options.Device = "auto",
) -> None:
    """Train the re-ID network on the cached parts, and evaluate it where there is a test split."""
    from pipelines.jobs.whole import train_reid

    train_reid(data, recipe, change or [], work, device)


def retrieve(
    data: DataOption = None,
    queries: Annotated[Path | None, typer.Option(help="Folder of query images.")] = None,
    gallery: Annotated[Path | None, typer.Option(help="Folder of gallery images.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Recipe whose network is used.")] = None,
    top: Annotated[int, typer.Option(min=1, help="Images to find for each query.")] = 10,
    work: WorkOption = Path("runs"),
    device: options.Device = "auto",
) -> None:
    """Search the gallery for every query, and write the page of rank lists."""
    from pipelines.jobs.whole import retrieve

    retrieve(data, queries, gallery, recipe, top, work, device)


def demo(work: WorkOption = Path("demo"), device: options.Device = "auto") -> None:
    """Run every job on the built-in fleet, and write one report."""
    from pipelines.jobs.demo import demo

    demo(work, device)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("detect-parts")(detect_parts)
    app.command("find-views")(find_views)
    app.command("train-reid")(train_reid)
    app.command("retrieve")(retrieve)
    app.command("demo")(demo)

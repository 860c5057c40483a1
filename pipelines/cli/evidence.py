"""``partreid ablation`` and ``shortcut``: what the parts are worth, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options

DataArgument = Annotated[
    Path | None,
    typer.Argument(help="Data set with train, query and gallery. [the fleet near-duplicate]"),
]
WorkOption = Annotated[Path, typer.Option("--work", help="Folder that holds every job's output.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Processes that read images.")]


def ablation(
    data: DataArgument = None,
    boxes: Annotated[
        Path | None,
        typer.Option(help="Part boxes. [DATA/boxes/prn.parquet, or those that were detected]"),
    ] = None,
    recipe: Annotated[str, typer.Option(help="Recipe by name, or a YAML file.")] = "prn-small",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each row.")] = 3,
    rows: Annotated[
        str | None,
        typer.Option(
            help="Rows of Table 4, by comma: full, no-window, no-brand, no-light, window-only, "
            "parts-only, baseline. [all]"
        ),
    ] = None,
    change: options.Change = None,
    work: WorkOption = Path("runs"),
    device: options.Device = "auto",
    workers: WorkersOption = 2,
) -> None:
    """Train every row of PRN's Table 4 and print it beside the paper's; goes on where stopped."""
    from pipelines.jobs.ablation import ablation

    ablation(data, boxes, recipe, seeds, rows, work, change or [], device, workers)


def shortcut(
    data: DataArgument = None,
    recipe: Annotated[str, typer.Option(help="Recipe by name, or a YAML file.")] = "prn-small",
    change: options.Change = None,
    work: WorkOption = Path("runs"),
    device: options.Device = "auto",
    workers: WorkersOption = 2,
) -> None:
    """Test that nothing but the vehicle gives an identity away: hide it, train, compare to chance.

    DATA needs masks/NAME.png for every image: 0 where there is no vehicle.
    """
    from pipelines.jobs.shortcut import shortcut

    shortcut(data, recipe, work, change or [], device, workers)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("ablation")(ablation)
    app.command("shortcut")(shortcut)

"""``partreid fleet``: the generator of vehicles, cameras and truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def fleet(
    out: Annotated[Path, typer.Argument(help="Folder to make.")],
    preset: Annotated[
        str,
        typer.Option(
            help="tiny, demo, near-duplicate, near-duplicate-20k, parts, models, views or large."
        ),
    ] = "demo",
    seed: Annotated[
        int | None, typer.Option(help="The same seed makes the same bytes. [the preset's]")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [one a core]")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet, a PNG, too.")] = None,
) -> None:
    """Make a fleet: photographs of near-duplicate vehicles with every truth about them."""
    from pipelines.jobs.fleet import make

    make(out, preset, seed, workers, sheet)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("fleet")(fleet)

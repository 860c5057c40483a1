"""``partreid crop``: photographs into crops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options


def crop(
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    dataset: options.Kind = None,
) -> None:
    """Cut photographs down to their vehicle's box, once; stopped, the same command goes on."""
    from pipelines.jobs.crop import crop

    crop(data, dataset, out)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("crop")(crop)

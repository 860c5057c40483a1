"""The command ``partreid``: its groups, its errors and its version."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from annotations.errors import InputError
from pipelines.cli import (
    compare,
    data,
    evidence,
    fleet,
    gallery,
    jobs,
    label,
    parts,
    reid,
    tables,
    verify,
    views,
)

app = typer.Typer(
    help="Recognise the same vehicle across cameras by its parts, without reading its plate.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(parts.app, name="parts")
app.add_typer(views.app, name="views")
app.add_typer(gallery.app, name="gallery")
reid.register(app)
compare.register(app)
gallery.register(app)
jobs.register(app)
label.register(app)
data.register(app)
fleet.register(app)
evidence.register(app)
tables.register(app)
verify.register(app)

_INTERRUPTED = 130
"""What typer exits with after Ctrl-C, by the shells' convention."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"partreid {version('partreid')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for chatty in ("faiss", "lightning", "ultralytics", "PIL"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def main() -> None:
    """Run the command; a person's mistake is one line and status 2, not a traceback.

    So is what the system refuses, such as to write to a full disk, with status 1.
    """
    try:
        app()
    except InputError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(2)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        typer.secho(f"error: {name}{error.strerror or error}", fg="red", err=True)
        sys.exit(1)
    except SystemExit as stop:
        if stop.code == _INTERRUPTED:
            typer.secho("stopped; the same command goes on from here", err=True)
        raise

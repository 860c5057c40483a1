"""``partreid calibrate`` and ``partreid verify``: are two images of the same, and how surely."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotations.errors import InputError
from pipelines.cli import options


def calibrate(
    run: Annotated[Path, typer.Argument(help="Run folder, made by 'train'.")],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Data set that pairs are of; none for --pairs of files, such as the marks of "
            "'partreid serve'."
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="Labelled pairs of DATA's images, or of files. [drawn, half of them the same]"
        ),
    ] = None,
    same: Annotated[
        str | None,
        typer.Option(help="Columns that make a drawn pair the same, such as model,year. [LABEL]"),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Split to draw pairs from, or several, such as query,gallery. [train]"),
    ] = None,
    boxes: options.BoxesFile = None,
    detector: Annotated[
        Path | None,
        typer.Option(help="Finds the parts of pairs of files. [the one beside the run]"),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder that paths of pairs of files start from. [its own]")
    ] = None,
    dataset: options.Kind = None,
    branches: options.BranchesOfPairs = "global",
    count: Annotated[int | None, typer.Option(min=20, help="Pairs to draw. [4000]")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draw. [0]")] = None,
    device: options.Device = "auto",
) -> None:
    """Learn from labelled pairs what probability a run's distances mean; 'verify' needs it."""
    from pipelines.jobs.calibration import calibrate

    calibrate(
        run, data, dataset, pairs, tuple(same.split(",")) if same else (),
        tuple(split.split(",")) if split else (), boxes, branches, count, seed, device,
        detector, root,
    )  # fmt: skip


def verify(
    first: Annotated[
        Path, typer.Argument(help="An image; or a CSV of pairs: first, second, and same if known.")
    ],
    second: Annotated[Path | None, typer.Argument(help="Another image.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="Run folder. [the one calibrated run beneath WORK]")
    ] = None,
    boxes: options.BoxesFile = None,
    detector: Annotated[
        Path | None, typer.Option(help="Finds the parts. [the one beside the run]")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder that a CSV's paths start from. [its own]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for results.csv and results.html.")] = Path(
        "verified"
    ),
    work: Annotated[Path, typer.Option(help="Folder that holds every job's output.")] = Path(
        "runs"
    ),
    device: options.Device = "auto",
) -> None:
    """Judge whether two images show the same, with a probability, and what each part says of it."""
    from pipelines.jobs.pairs_asked import PairsAsked
    from pipelines.jobs.verification import verify

    if second is not None and root is not None:
        raise InputError("--root: is for a file of pairs")
    asked = PairsAsked.of_two(first, second) if second else PairsAsked.read(first, root)
    verify(asked, run, boxes, detector, out, work, device)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("calibrate")(calibrate)
    app.command("verify")(verify)

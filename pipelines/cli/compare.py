"""``partreid compare``: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, two or more.")],
    data: Annotated[
        Path,
        typer.Option(help="Data set: a folder of images, a known data set's root, or a table."),
    ],
    boxes: Annotated[
        list[Path] | None,
        typer.Option(
            help="Part boxes: boxes.parquet, or the folder that holds it; repeatable, where runs "
            "look at the parts of several vocabularies."
        ),
    ] = None,
    masks: options.MasksFile = None,
    against: Annotated[
        Path | None,
        typer.Option(help="The run that the others are compared with. [the first]"),
    ] = None,
    dataset: options.Kind = None,
    branches: options.Branches = "global",
    mirror: options.Mirror = None,
    protocol: options.Protocol = None,
    repeats: options.Repeats = 10,
    seed: options.Seed = 0,
    pairs: options.TestPairs = None,
    rerank: options.Rerank = False,
    expand: options.Expand = 0,
    out: Annotated[
        Path, typer.Option(help="Folder for compared.html, compared.csv, costs.csv, queries.csv.")
    ] = Path("compared"),
    device: options.Device = "auto",
) -> None:
    """Compare runs on one page: scores, curves, cost, and the queries on which they differ most."""
    from pipelines.jobs.asked import Asked
    from pipelines.jobs.comparison import compare

    asked = Asked(
        protocol=protocol, repeats=repeats, seed=seed, pairs=tuple(pairs or ()),
        expand=expand, rerank=rerank, mirror=mirror,
    )  # fmt: skip
    found = [*(boxes or []), *([masks] if masks else [])]
    compare(runs, data, dataset, found, branches, out, device, asked, against)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("compare")(compare)

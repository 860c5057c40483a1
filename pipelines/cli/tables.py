"""``partreid tables``: the tables of papers beside ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options


def tables(
    method: Annotated[
        str, typer.Argument(help="Whose tables: prn, eianet, span, mfgnet, val, or all of these.")
    ] = "all",
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Data set. [the fleet near-duplicate for prn and mfgnet, models for eianet, views "
            "for span and val]"
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(help="Part boxes. [DATA/boxes/prn.parquet, eia.parquet, or those detected]"),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Recipe by name, or a YAML file. [METHOD-small]")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each network.")] = 3,
    rows: Annotated[
        str | None,
        typer.Option(
            help="Networks, by comma; of prn: full, no-window, no-brand, no-light, window-only, "
            "parts-only, baseline, size-HEIGHT; of eianet: fc, plain, r-mac, cr-mac, eial, mccl, "
            "and, trained if asked for, prn; "
            "of span: baseline, reconstruction, no-area, no-diversity, fc, concat, cpdm; of "
            "mfgnet: divisions-1 to divisions-5, baseline, no-triplet, global, local, cam; of val: "
            "lambda-0, lambda-0.1, lambda-1, lambda-10, v-2, v-4, v-8, softmax, partition-cosine, "
            "partition, val-cosine, val. [all]"
        ),
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(
            help="Of prn: input heights for the paper's 128, 256 and 512, such as 64,96,128. "
            "[half the recipe's, the recipe's, twice the recipe's]"
        ),
    ] = None,
    levels: Annotated[
        str,
        typer.Option(
            help="Of eianet, by comma: model and year are verified on pairs, identity is ranked."
        ),
    ] = "model,year",
    pairs: Annotated[
        list[Path] | None, typer.Option(help="Test pairs to verify; repeatable. [DATA's, or drawn]")
    ] = None,
    hold_out: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.9,
            help="Of eianet: share of the training models that only thresholds, SVM and "
            "Joint Bayesian learn from.",
        ),
    ] = 1 / 3,
    first: Annotated[
        list[str] | None,
        typer.Option(
            help="Of eianet: a change for the classifier that all start from, such as epochs=12."
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Of span: masks of views to use. [made here, with each set of losses]"),
    ] = None,
    views: Annotated[
        list[str] | None,
        typer.Option(help="Of span: a change for what finds masks, such as size=128; repeatable."),
    ] = None,
    change: options.Change = None,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast",
            help="A smoke run of minutes: a tiny fleet and network, one epoch; figures mean "
            "nothing.",
        ),
    ] = False,
    work: Annotated[Path, typer.Option(help="Folder that holds every job's output.")] = Path(
        "runs"
    ),
    device: options.Device = "auto",
    workers: Annotated[int, typer.Option(min=0, help="Processes that read images.")] = 2,
) -> None:
    """Train papers' networks and print their tables beside ours; goes on where stopped."""
    from pipelines.jobs.tables import Asked
    from pipelines.jobs.tables import tables as run

    asked = Asked(
        boxes, recipe, seeds, rows, sizes, levels, tuple(pairs or ()), hold_out,
        tuple(first or ()), masks, tuple(views or ()), tuple(change or ()), device, workers,
    )  # fmt: skip
    run(method, data, asked, work, fast)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("tables")(tables)

"""``partreid ablation``, ``tables`` and ``shortcut``: what the parts are worth, and what is not."""

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


def tables(
    method: Annotated[str, typer.Argument(help="Whose tables: prn, eianet or span.")],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Data set. [the fleet near-duplicate for prn, models for eianet, views for span]"
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
            help="Networks, by comma; of eianet: fc, plain, r-mac, cr-mac, eial, mccl; of span: "
            "baseline, reconstruction, no-area, no-diversity, fc, concat, cpdm. [all]"
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
            help="Share of the training models that only thresholds, SVM and "
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
    work: WorkOption = Path("runs"),
    device: options.Device = "auto",
    workers: WorkersOption = 2,
) -> None:
    """Train a paper's networks and print its tables beside ours; goes on where stopped."""
    from annotations.errors import InputError, suggest

    of_eianet = (levels != "model,year", bool(pairs), hold_out != 1 / 3, bool(first))
    if method != "eianet" and any(of_eianet):
        raise InputError(f"--levels, --pairs, --hold-out and --first are of eianet, not {method}")
    if method != "span" and (masks or views):
        raise InputError(f"--masks and --views are of span, not {method}")
    if method == "span" and boxes:
        raise InputError("--boxes: SPAN looks through masks; give --masks, or neither")
    if method == "prn":
        from pipelines.jobs.ablation import ablation

        chosen = recipe or "prn-small"
        ablation(data, boxes, chosen, seeds, rows, work, change or [], device, workers)
    elif method == "eianet":
        from pipelines.jobs.eianet import Wanted, eianet_tables

        wanted = Wanted(levels, rows, seeds, tuple(pairs or ()), hold_out, tuple(first or ()))
        chosen = recipe or "eianet-small"
        eianet_tables(data, boxes, chosen, wanted, work, change or [], device, workers)
    elif method == "span":
        from pipelines.jobs.span import Wanted as Asked
        from pipelines.jobs.span import span_tables

        asked = Asked(rows, seeds, masks, tuple(views or ()))
        span_tables(data, recipe or "span-small", asked, work, change or [], device, workers)
    else:
        raise InputError(f"no tables of '{method}'; {suggest(method, ['prn', 'eianet', 'span'])}")


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
    app.command("tables")(tables)
    app.command("shortcut")(shortcut)

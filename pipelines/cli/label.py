"""``partreid label``: the labelling page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options


def label(
    data: options.Data,
    labels: Annotated[
        Path | None, typer.Option(help="Folder of the labels. [WORK/NAME/labels]")
    ] = None,
    vocabulary: Annotated[
        str | None, typer.Option(help="Parts to label: prn, eia, or a YAML file. [prn]")
    ] = None,
    derive: Annotated[
        bool | None,
        typer.Option(
            "--derive/--no-derive",
            help="Make PRN's lights and brand from tight boxes of the lamps. [with prn]",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="Begin with a labelled set, such as 'parts import' makes.")
    ] = None,
    detector: Annotated[
        Path | None, typer.Option(help="Proposes boxes at first. [WORK/NAME/detector]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change how detectors are trained, such as --set epochs=40; repeatable."
        ),
    ] = None,
    train_every: Annotated[
        int, typer.Option(min=0, help="Images after which a detector is trained; 0: at a button.")
    ] = 0,
    order: Annotated[
        str, typer.Option(help="teaching: first what teaches a detector most; or plain.")
    ] = "teaching",
    name: Annotated[str, typer.Option("--as", help="Who labels. [the login]")] = "",
    apart: Annotated[
        bool,
        typer.Option("--apart", help="Write labels of one's own, to be compared with the others'."),
    ] = False,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another machine's browser needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 8090,
    token: Annotated[
        str | None,
        typer.Option(help="That the page asks for. [made up where HOST is not this one]"),
    ] = None,
    work: Annotated[Path, typer.Option(help="Folder of outputs.")] = Path("runs"),
    dataset: options.Kind = None,
    device: options.Device = "auto",
) -> None:
    """Open a page to draw part boxes on the images of DATA, helped by a detector."""
    from pipelines.jobs.label import Wish, label

    label(
        Wish(
            data=data, dataset=dataset, labels=labels, work=work, vocabulary=vocabulary,
            derive=derive, start=start, detector=detector, changes=tuple(settings or ()),
            train_every=train_every, order=order, name=name, apart=apart, host=host, port=port,
            token=token, device=device,
        )
    )  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(label)

"""``partreid parts``: labels, the part detector, and its cached boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options

app = typer.Typer(
    help="Part labels, the part detector, and its cached boxes.", no_args_is_help=True
)

FORMATS = "coco, csv, cvat, labelstudio, voc or yolo"  # spelt out: help must not load pandas
LabelsPath = Annotated[Path, typer.Argument(help="Labels: a labelled set or a foreign format.")]
SetPath = Annotated[Path, typer.Argument(help="Labelled set, made by 'parts import'.")]
DetectorPath = Annotated[Path, typer.Argument(help="Detector, made by 'parts train'.")]
Format = Annotated[str | None, typer.Option(help=f"{FORMATS}. [guessed]")]
Root = Annotated[Path | None, typer.Option("--images", help="Folder of the images. [guessed]")]


@app.command("import")
def import_(
    labels: LabelsPath,
    out: Annotated[Path, typer.Argument(help="Folder to write the labelled set to.")],
    mapping: Annotated[str, typer.Option(help="Mapping by name, or a YAML file.")],
    format: Format = None,
    images: Root = None,
) -> None:
    """Turn foreign labels into a labelled set of one of our vocabularies."""
    from annotations.importing import import_labels
    from pipelines.jobs.labels import show_labels
    from pipelines.tables import written

    labelled = import_labels(labels, format=format, mapping=mapping, images_root=images)
    labelled.write(out)
    show_labels(labelled)
    written(out, "labelled set:")


@app.command()
def export(
    labels: Annotated[
        Path, typer.Argument(help="Labelled set; or a box cache, with --data, to be corrected.")
    ],
    out: Annotated[Path, typer.Argument(help="File or folder to write.")],
    format: Annotated[str, typer.Option(help=f"{FORMATS}.")],
    data: Annotated[
        Path | None, typer.Option(help="Data set of a box cache: its images become tasks.")
    ] = None,
    dataset: options.Kind = None,
) -> None:
    """Write labels, or a detector's boxes as pre-annotations, in another tool's format."""
    from pipelines.jobs.labels import export

    export(labels, out, format, data, dataset)


@app.command()
def merge(
    labels: Annotated[list[Path], typer.Argument(help="Labelled sets to merge: two or more.")],
    out: Annotated[Path, typer.Argument(help="Folder to write the merged set to.")],
    vocabulary: Annotated[
        str | None,
        typer.Option(help="Vocabulary of the merged set. [theirs, or the union of theirs]"),
    ] = None,
    prefer: Annotated[
        str, typer.Option(help="Which set is believed where two disagree: first or last.")
    ] = "first",
    overlap: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Boxes of a part that overlap by this are the same."),
    ] = 0.5,
) -> None:
    """Merge labelled sets, and list where they disagree on images that they share.

    On an image of several sets each part is taken from the first of them that labels it. The
    conflicts are written beside the merged set, to OUT-conflicts.csv. Sets of different parts
    with images of their own are not merged: 'parts train' takes several sets as they are.
    """
    from pipelines.jobs.merge import merge

    merge(labels, out, vocabulary, prefer, overlap)


@app.command()
def check(labels: LabelsPath, format: Format = None, images: Root = None) -> None:
    """Report class counts, boxes out of range, duplicates, and images without labels."""
    from pipelines.jobs.labels import check

    if not check(labels, format, images):
        raise typer.Exit(1)


@app.command()
def stats(
    labels: SetPath,
    data: Annotated[
        Path | None,
        typer.Option(help="Data set that the images are from: tells coverage and viewpoints."),
    ] = None,
    dataset: options.Kind = None,
    viewpoint: Annotated[
        str | None, typer.Option(help="Column that says from where an image is. [viewpoint]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results. [stats/ beside the labels]")
    ] = None,
    curve: Annotated[
        bool, typer.Option("--curve", help="Train on some and on all images: would more help?")
    ] = False,
    sizes: Annotated[
        str | None, typer.Option(help="Of the curve, before all images. [50,100,200]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change a setting of the curve's detectors, such as --set hold_out=80; "
            "repeatable. [hold_out=0.2]",
        ),
    ] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="Replace the curve's detectors of other settings.")
    ] = False,
    device: options.Device = "auto",
) -> None:
    """Say what is in labels: parts, sizes, viewpoints, coverage; and if more are needed.

    With --curve a detector is trained on 50, 100, 200 and all images, for equally many steps, and
    tested on the same held-out ones; stopped half-way, the same command goes on.
    """
    from annotations.errors import InputError
    from pipelines.jobs.label_stats import label_stats

    asked = None
    if curve:
        from pipelines.jobs.learning_curve import CurveAsked

        asked = CurveAsked(sizes, settings or [], redo, device)
    elif sizes or settings or redo:
        raise InputError("--sizes, --set and --redo are of the learning curve; add --curve")
    label_stats(labels, data, dataset, viewpoint, out, asked)


@app.command()
def vocabulary(
    name: Annotated[
        str | None, typer.Argument(help="Name, or a YAML file; none lists all.")
    ] = None,
) -> None:
    """Show the part vocabularies."""
    from pipelines.jobs.labels import show_vocabularies

    show_vocabularies(name)


@app.command()
def train(
    labels: Annotated[
        list[Path], typer.Argument(help="Labelled sets, made by 'parts import': one or several.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder to write the detector to.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting, such as --set epochs=50; repeatable."),
    ] = None,
    redo: Annotated[bool, typer.Option(help="Replace a detector of other settings.")] = False,
    device: options.Device = "auto",
) -> None:
    """Train a part detector; stopped half-way, the same command goes on.

    Of several labelled sets each may label other parts: the detector finds all of them, and a
    part that a set did not look for is not taught as absent from its images.
    """
    from pipelines.jobs.detector import train

    train(labels, out, settings or [], device, redo)


@app.command("eval")
def evaluate(detector: DetectorPath, labels: SetPath, device: options.Device = "auto") -> None:
    """Print precision, recall and AP of every part on labelled images it was not trained on."""
    from pipelines.jobs.detector import evaluate

    evaluate(detector, labels, device)


@app.command()
def detect(
    detector: DetectorPath,
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="Folder of the box cache.")],
    dataset: options.Kind = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting, such as --set confidence=0.3; repeatable."),
    ] = None,
    redo: Annotated[bool, typer.Option(help="Throw away a cache of other settings.")] = False,
    device: options.Device = "auto",
    engine: options.Engine = "auto",
) -> None:
    """Find the parts of every image, once; run again, only new or changed images are done."""
    from pipelines.jobs.detector import detect

    detect(detector, data, dataset, out, settings or [], redo, device, engine)


@app.command()
def fill(
    boxes: Annotated[Path, typer.Argument(help="Box cache, or its boxes.parquet.")],
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="Boxes file to write, .parquet or .csv.")],
    dataset: options.Kind = None,
) -> None:
    """Give training images the parts they miss, from other images of the same identity."""
    from pipelines.jobs.detector import fill

    fill(boxes, data, dataset, out)


@app.command()
def draw(
    boxes: Annotated[Path, typer.Argument(help="Box cache, or its boxes file.")],
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="PNG file to write.")],
    dataset: options.Kind = None,
    count: Annotated[int, typer.Option(min=1, help="How many images, drawn at random.")] = 40,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
) -> None:
    """Draw boxes on some images, as one sheet to look at."""
    from pipelines.jobs.sheet import draw_sheet

    draw_sheet(boxes, data, dataset, out, count, seed)

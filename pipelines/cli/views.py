"""``partreid views``: foregrounds, viewpoints, and SPAN's masks of a vehicle's views."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options

app = typer.Typer(
    help="Masks of a vehicle's views, learned from viewpoint labels (SPAN).", no_args_is_help=True
)

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a setting, such as --set steps=2000; repeatable."),
]
Workers = Annotated[int, typer.Option(min=0, help="Processes that read images.")]
Redo = Annotated[bool, typer.Option(help="Throw away masks of another network.")]
MasksPath = Annotated[Path, typer.Argument(help="Mask cache, or its masks.parquet.")]


@app.command()
def foreground(
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="Folder of the masks.")],
    dataset: options.Kind = None,
    settings: Settings = None,
    redo: Redo = False,
    device: options.Device = "auto",
    workers: Workers = 2,
) -> None:
    """Find the vehicle in every image: learned from GrabCut's proposals, without any label."""
    from pipelines.jobs.views import foreground

    foreground(data, dataset, out, settings or [], redo, device, workers)


@app.command()
def sample(
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="CSV table to write; its HTML sheet lies beside it.")],
    dataset: options.Kind = None,
    count: Annotated[int, typer.Option(min=2, help="How many images.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Which ones.")] = 0,
    vocabulary: Annotated[
        str, typer.Option(help="The words to choose from: views, or a YAML file of your own.")
    ] = "views",
) -> None:
    """Draw images whose viewpoint a person then fills in: a table, and a sheet to look at."""
    from pipelines.jobs.viewpoint_sample import sample

    sample(data, dataset, out, count, seed, vocabulary)


@app.command()
def learn(
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="Folder of the classifier.")],
    dataset: options.Kind = None,
    settings: Settings = None,
    device: options.Device = "auto",
    workers: Workers = 2,
) -> None:
    """Learn viewpoints from the images that have one; a few hundred will do."""
    from pipelines.jobs.views import learn_viewpoints

    learn_viewpoints(data, dataset, out, settings or [], device, workers)


@app.command()
def label(
    data: options.Data,
    classifier: Annotated[Path, typer.Argument(help="Classifier, made by 'views learn'.")],
    out: Annotated[Path, typer.Argument(help="Images table to write, .parquet or .csv.")],
    dataset: options.Kind = None,
    least: Annotated[
        float, typer.Option(min=0, max=1, help="Leave a viewpoint empty that is less sure.")
    ] = 0.0,
    labels: Annotated[
        Path | None,
        typer.Option(help="Table of viewpoints that people gave, made by 'views sample'."),
    ] = None,
    device: options.Device = "auto",
) -> None:
    """Fill the column 'viewpoint' where it is empty, and 'viewpoint_score' beside it."""
    from pipelines.jobs.views import label

    label(data, dataset, classifier, out, least, device, labels)


@app.command()
def train(
    data: options.Data,
    foregrounds: Annotated[Path, typer.Argument(help="Masks, made by 'views foreground'.")],
    out: Annotated[Path, typer.Argument(help="Folder of the network.")],
    dataset: options.Kind = None,
    settings: Settings = None,
    device: options.Device = "auto",
    workers: Workers = 2,
) -> None:
    """Train SPAN on images with viewpoints; stopped half-way, the same command goes on."""
    from pipelines.jobs.views import train

    train(data, dataset, foregrounds, out, settings or [], device, workers)


@app.command()
def find(
    network: Annotated[Path, typer.Argument(help="SPAN, made by 'views train'.")],
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="Folder of the masks.")],
    dataset: options.Kind = None,
    redo: Redo = False,
    device: options.Device = "auto",
) -> None:
    """Find the views of every image, once; run again, only new or changed images are done."""
    from pipelines.jobs.views import find

    find(network, data, dataset, out, redo, device)


@app.command()
def draw(
    masks: MasksPath,
    data: options.Data,
    out: Annotated[Path, typer.Argument(help="PNG file to write.")],
    dataset: options.Kind = None,
    count: Annotated[int, typer.Option(min=1, help="How many images, drawn at random.")] = 60,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
) -> None:
    """Draw masks of some images, as one sheet to look at."""
    from pipelines.jobs.views import draw

    draw(masks, data, dataset, out, count, seed)


@app.command("eval")
def evaluate(
    masks: MasksPath,
    data: Annotated[Path, typer.Argument(help="A fleet, which has true masks.")],
    split: Annotated[str | None, typer.Option(help="train, query or gallery. [all]")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file to write. [beside the masks]")] = None,
) -> None:
    """Print the intersection over union of masks with the true ones."""
    from pipelines.jobs.views import evaluate

    evaluate(masks, data, split, out)

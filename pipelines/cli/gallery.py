"""``partreid gallery`` and ``partreid search``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options

app = typer.Typer(help="Galleries: embedded images that can be searched.", no_args_is_help=True)


@app.command()
def build(
    data: options.Data,
    run: Annotated[Path, typer.Option(help="Run folder of the network.")],
    out: Annotated[Path, typer.Option(help="Gallery folder to write.")] = Path("gallery"),
    boxes: options.FoundFile = None,
    dataset: options.Kind = None,
    branches: options.Branches = "global",
    mirror: options.Mirror = None,
    device: options.Device = "auto",
) -> None:
    """Embed every image of a folder and index them."""
    from pipelines.jobs.retrieval import build

    build(data, dataset, run, out, boxes, branches, device, mirror)


def search(
    queries: options.Data,
    gallery: Annotated[Path, typer.Option(help="Gallery folder.")],
    run: Annotated[
        Path | None, typer.Option(help="Run folder. [the one that the gallery remembers]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for results.csv and results.html.")] = Path(
        "results"
    ),
    top: Annotated[int, typer.Option(min=1, help="Images to find for each query.")] = 10,
    boxes: options.FoundFile = None,
    dataset: options.Kind = None,
    cross_camera: Annotated[
        bool, typer.Option(help="Leave out the query's identity from the query's camera.")
    ] = False,
    rerank: options.Rerank = False,
    expand: options.Expand = 0,
    device: options.Device = "auto",
) -> None:
    """Find the nearest gallery images of every query image."""
    from pipelines.jobs.retrieval import search
    from reid.reranking.refinement import Refinement

    refine = Refinement(expand, rerank)
    search(queries, dataset, gallery, run, out, top, boxes, cross_camera, device, refine)


def register(app: typer.Typer) -> None:
    """Add the command that is not in the group."""
    app.command("search")(search)

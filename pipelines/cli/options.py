"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path,
    typer.Argument(
        help="Data set: a folder of images, a known data set's root, a table, or one image."
    ),
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        help="Which reader: folder, image, table, twocam, veri776, vehicleid-800 (and other "
        "sizes), vric, veriwild-3000 (and other sizes), cityflow, compcars, compcars-surveillance. "
        "[guessed]",
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Engine = Annotated[
    str,
    typer.Option(
        help="What computes the network: auto measures what is installed, where there are "
        "thousands of images, and takes the fastest that agrees with single precision; torch, "
        "torch-float32, openvino, onnx, compile."
    ),
]
Branches = Annotated[
    str,
    typer.Option(
        help="What makes the embedding: global, global+parts or parts; or views, which compares "
        "the whole and the parts that both images show."
    ),
]
BranchesOfPairs = Annotated[
    str, typer.Option(help="What makes the embedding: global, global+parts or parts.")
]
Mirror = Annotated[
    bool | None,
    typer.Option(
        "--mirror/--no-mirror",
        help="Average each image's embedding with its mirror image's. [as the recipe says]",
        show_default=False,
    ),
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a recipe's key, such as --set epochs=20; repeatable."),
]
BoxesFile = Annotated[
    Path | None, typer.Option(help="Part boxes: boxes.parquet, or the folder that holds it.")
]
MasksFile = Annotated[
    Path | None, typer.Option(help="Masks of views: masks.parquet, or the folder that holds it.")
]
FoundFile = Annotated[
    Path | None,
    typer.Option(
        "--boxes",
        "--masks",
        help="Part boxes, or masks of views: boxes.parquet, masks.parquet, or the folder that "
        "holds it.",
    ),
]
Protocol = Annotated[
    str | None,
    typer.Option(
        help="image, cross-camera, no-camera, track, random-gallery or pairs. [image, or "
        "random-gallery where the set has one pool of test images]"
    ),
]
Repeats = Annotated[int, typer.Option(min=1, help="Draws of a random gallery.")]
Seed = Annotated[int, typer.Option(help="Of every draw.")]
TestPairs = Annotated[list[Path] | None, typer.Option(help="Test pairs to verify; repeatable.")]
Rerank = Annotated[
    bool, typer.Option("--rerank", help="Re-rank by k-reciprocal neighbours (Zhong et al. 2017).")
]
Expand = Annotated[
    int,
    typer.Option(min=0, help="Query expansion: average each query with so many nearest images."),
]

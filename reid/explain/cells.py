"""The embedding before it is averaged: one vector per cell of the feature map."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.reading import in_batches
from reid.data.box_tensors import box_tensors
from reid.data.dataset import read_input
from reid.device import keep_freed_memory, pick_device
from reid.models.prn import PRN
from reid.parts.projection import mark_cells
from reid.run import Run


def prn_of(run: Run) -> PRN:
    """Return a run's network, of which the functions of this folder know the inside.

    Raises:
        InputError: it is of another method.
    """
    if not isinstance(run.model, PRN):
        raise InputError(
            f"{run.source}: method {run.recipe.method}; only PRN's embedding is a mean over cells"
        )
    return run.model


def embed_cells(
    run: Run,
    images: Images,
    *,
    mirror: bool | None = None,
    device: str = "auto",
    batch: int = 32,
    workers: int | None = None,
) -> Tensor:
    """Return the vectors whose mean over the cells is the global embedding.

    PRN averages the feature map and then reduces it by a 1 x 1 convolution (He et al. 2019,
    section 4.2). Both are linear, so they change places: reduce every cell, then average. So is
    the mean with the mirror image, whose cells are turned back onto the image first.

    Args:
        run: the trained network.
        images: N images, all readable, such as `reid.embedding.Embedded.images`.
        mirror: see `reid.embedding.embed`; None as the recipe says.
        device: ``auto``, ``cpu``, ``cuda``.
        batch: images per pass.
        workers: threads that read images; by default one per processor.

    Returns:
        (N, D, rows, columns) float32, on the CPU. Computed in float32 whatever the recipe's
        precision, so that sums over cells are exact.

    Raises:
        InputError: an image cannot be read, or the network is not PRN.
    """
    target = pick_device(device)
    read = partial(read_input, size=(run.recipe.image.height, run.recipe.image.width))
    model = prn_of(run).to(target).to(memory_format=torch.channels_last)
    keep_freed_memory(target)
    batches = in_batches(read, images.paths, batch, workers=workers, ahead=target.type != "cpu")
    mirror = run.recipe.mirror if mirror is None else mirror
    made: list[Tensor] = []
    with torch.inference_mode():
        for some in batches:
            pixels = torch.stack(some).to(target)
            cells = model.reduce(model.backbone(pixels))
            if mirror:
                cells = (cells + model.reduce(model.backbone(pixels.flip(3))).flip(3)) / 2
            made.append(cells.cpu().contiguous())
    return torch.cat(made)


def mark_parts(
    images: Images, boxes: Boxes | None, parts: tuple[str, ...], grid: tuple[int, int]
) -> Tensor:
    """Mark the cells that each part's boxes overlap: (N, P, rows, columns) bool.

    Args:
        images: N images.
        boxes: boxes of these images, among others.
        parts: P names; boxes of other parts are left out.
        grid: (rows, columns) of the feature map.
    """
    return mark_cells(*box_tensors(boxes, images, parts), len(parts), grid)


def share_out(maps: Tensor, marks: Tensor) -> Tensor:
    """Sum a map by part; a cell that several parts mark is divided evenly among them.

    Args:
        maps: (N, rows, columns) floating.
        marks: (N, P, rows, columns) bool, from `mark_parts`.

    Returns:
        (N, P + 1) in the maps' dtype: each part's sum, and last that of the cells no part
        marks. A row sums to the whole map.
    """
    parts = torch.cat([marks, ~marks.any(1, keepdim=True)], 1).to(maps.dtype)
    return (maps.unsqueeze(1) * parts / parts.sum(1, keepdim=True)).sum((2, 3))

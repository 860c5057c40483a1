"""Images as embeddings and part vectors, from one pass of the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from annotations.boxes import Boxes
from annotations.images import Images
from reid.embedding import Embedded, embed
from reid.methods import Branches
from reid.models.vectors import Vectors
from reid.run import Run


@dataclass(frozen=True)
class Described:
    """What a network knows of the N images that could be read.

    Attributes:
        embedded: their embeddings.
        parts: (N, K, C) float32, a vector of each of the recipe's K parts; zero where not visible.
        visible: (N, K) bool, the parts that have a box.
    """

    embedded: Embedded
    parts: npt.NDArray[np.float32]
    visible: npt.NDArray[np.bool_]


def describe(
    run: Run,
    images: Images,
    boxes: Boxes | None = None,
    *,
    branches: Branches = "global",
    mirror: bool | None = None,
    device: str = "auto",
    progress: bool = True,
) -> Described:
    """Embed every image and keep its part vectors; see `reid.embedding.embed`.

    Without boxes no part is visible. Part vectors are of the image as it is, whatever ``mirror``.
    """
    parts: list[Tensor] = []
    visible: list[Tensor] = []

    def keep(found: Vectors) -> None:
        parts.append(found.parts.float().cpu())
        visible.append(found.visible.cpu())

    embedded = embed(
        run, images, boxes, branches=branches, mirror=mirror, device=device, progress=progress,
        each=keep,
    )  # fmt: skip
    return Described(embedded, torch.cat(parts).numpy(), torch.cat(visible).numpy())

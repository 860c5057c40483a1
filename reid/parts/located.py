"""Where the parts of images are, by boxes or by masks: what a network takes beside pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class Located(NamedTuple):
    """Where the parts of B images are: boxes, or masks; a sample is the same without B.

    Attributes:
        boxes: (B, K, 4) float32, ``x1 y1 x2 y2`` as fractions of the image; K may be 0.
        parts: (B, K) int64, the number of each box's part, -1 where there is no box.
        masks: (B, V, h, w) uint8, how much of each cell belongs to each part, 255 for all of it;
            V is 0 where parts are located by boxes.
    """

    boxes: Tensor
    parts: Tensor
    masks: Tensor

    @classmethod
    def by_boxes(cls, boxes: Tensor, parts: Tensor) -> Located:
        """Locate parts by boxes, which may be of one image, without B; see the attributes."""
        return cls(boxes, parts, boxes.new_zeros(*parts.shape[:-1], 0, 1, 1, dtype=torch.uint8))

    @classmethod
    def nowhere(cls, count: int) -> Located:
        """Locate nothing on ``count`` images: K and V are 0."""
        return cls.by_boxes(torch.zeros(count, 0, 4), torch.zeros(count, 0, dtype=torch.int64))

    def to(self, device: torch.device | str) -> Located:
        """Return the same on a device."""
        # Lightning leaves the move of a batch to whatever has this method, so it is here that
        # pinned memory is not waited for; what reads a copy on CUDA comes after it anyway.
        unwaited = torch.device(device).type == "cuda"
        return Located(*(field.to(device, non_blocking=unwaited) for field in self))

    def take(self, rows: int | Tensor | npt.NDArray[np.int64]) -> Located:
        """Return some of the images, or one, then without B."""
        return Located(*(field[rows] for field in self))

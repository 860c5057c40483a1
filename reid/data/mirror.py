"""The mirror image, its part boxes following: one rule for training and for test."""

from __future__ import annotations

import torch
from torch import Tensor


def mirror(
    images: Tensor, boxes: Tensor, parts: Tensor, partners: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror images left to right.

    Args:
        images: (..., 3, H, W), any dtype.
        boxes: (..., K, 4) floating, ``x1 y1 x2 y2`` as fractions of the image; K may be 0.
        parts: (..., K) int64, -1 where there is no box.
        partners: (P,) int64, the part that each becomes, see
            `annotations.vocabulary.Vocabulary.mirrored`.

    Returns:
        The first three, mirrored.
    """
    x1, y1, x2, y2 = boxes.unbind(-1)
    renamed = torch.where(parts >= 0, partners[parts.clamp(min=0)], parts)
    return images.flip(-1), torch.stack([1 - x2, y1, 1 - x1, y2], -1), renamed

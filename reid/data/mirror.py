"""The mirror image, its parts following: one rule for training and for test."""

from __future__ import annotations

import torch
from torch import Tensor

from reid.parts.located import Located


def mirror(images: Tensor, where: Located, partners: Tensor) -> tuple[Tensor, Located]:
    """Mirror images left to right.

    Args:
        images: (..., 3, H, W), any dtype.
        where: their parts.
        partners: (P,) int64, the part that each becomes, see
            `annotations.vocabulary.Vocabulary.mirrored`; masks are of all P, or there are none.

    Returns:
        The first two, mirrored.
    """
    x1, y1, x2, y2 = where.boxes.unbind(-1)
    boxes = torch.stack([1 - x2, y1, 1 - x1, y2], -1)
    parts = torch.where(where.parts >= 0, partners[where.parts.clamp(min=0)], where.parts)
    masks = where.masks
    if masks.shape[-3]:
        # Partners are each other's, so what a part's mask is made of is its partner's.
        masks = masks.flip(-1).index_select(-3, partners)
    return images.flip(-1), Located(boxes, parts, masks)

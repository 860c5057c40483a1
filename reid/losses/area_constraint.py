"""The area constraint loss, SPAN, equation (2)."""

from __future__ import annotations

import torch
from torch import Tensor


def largest_areas(labels: Tensor, shared: float) -> Tensor:
    """Return a_l,i: the largest share of the vehicle that each view should take.

    0 for a view that is not visible, 1 for one that is visible alone, and ``shared`` for one of
    several (SPAN, section 3.1; 0.7 of two in section 4.3).

    Args:
        labels: l, (B, V) bool.
        shared: from 0.5 to 1 for images that show two views.

    Returns:
        (B, V) float32.
    """
    several = labels.sum(1, keepdim=True) > 1
    return labels * torch.where(several, shared, 1.0)


def area_constraint(foreground: Tensor, masks: Tensor, largest: Tensor) -> Tensor:
    """Return by how much masks are larger than they should be.

    Equation (2): the sum over views i of [|M_i| / |V| - a_l,i]+, with L1 norms.

    Args:
        foreground: V, (B, h, w) from 0 to 1, empty for no image.
        masks: M_1 to M_V, (B, V, h, w) from 0 to 1.
        largest: a_l, (B, V), see `largest_areas`.

    Returns:
        (B,).
    """
    ratios = masks.sum((2, 3)) / foreground.sum((1, 2))[:, None]
    loss: Tensor = (ratios - largest).clamp(min=0).sum(1)
    return loss

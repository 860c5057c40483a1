"""The spatial diversity loss, SPAN, equation (3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor


def overlap_margins(
    views: Sequence[str], apart: Sequence[tuple[str, str]], adjacent: float
) -> Tensor:
    """Return m_i,j of all pairs of views: 0 where they are apart, else ``adjacent``.

    Args:
        views: names of V views.
        apart: pairs that no image shows together, such as front and rear.
        adjacent: 0.04 in section 4.3 of SPAN.

    Returns:
        (V (V - 1) / 2,) float32, in the order of `itertools.combinations`.
    """
    exclusive = {frozenset(pair) for pair in apart}
    pairs = combinations(views, 2)
    return torch.tensor([0.0 if frozenset(pair) in exclusive else adjacent for pair in pairs])


def spatial_diversity(masks: Tensor, margins: Tensor) -> Tensor:
    """Return by how much masks overlap each other more than they may.

    Equation (3): the sum over pairs of views of [M_i M_j - m_i,j]+. The paper does not scale the
    product of masks; here it is the mean over cells, as in equation (1), so that a margin is a
    share of the image whatever the size of a mask.

    Args:
        masks: M_1 to M_V, (B, V, h, w) from 0 to 1.
        margins: m, see `overlap_margins`.

    Returns:
        (B,).
    """
    flat = masks.flatten(2)
    one, other = torch.triu_indices(masks.shape[1], masks.shape[1], 1, device=masks.device)
    overlaps = (flat[:, one] * flat[:, other]).mean(2)
    loss: Tensor = (overlaps - margins).clamp(min=0).sum(1)
    return loss

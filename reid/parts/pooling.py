"""Average of the features over each part's marked cells (PRN, equation 2)."""

from __future__ import annotations

import torch
from torch import Tensor


def average_over_parts(features: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
    """Extract one vector per part: the mean of the features over the part's cells.

    This is the operation written as a circled asterisk in PRN, equation (2).

    Args:
        features: (B, C, S, S) floating.
        cells: (B, P, S, S) bool, from `mark_cells`.

    Returns:
        vectors, (B, P, C) in the features' dtype, zero for a part without a cell; and
        visible, (B, P) bool, whether the part has a cell.
    """
    marked = cells.flatten(2)
    count = marked.sum(2, dtype=torch.float32)
    by_cell = features.permute(0, 2, 3, 1).flatten(1, 2)
    # Summed with zeros and ones, which bf16 holds exactly, and divided in float32.
    total = torch.bmm(marked.to(features.dtype), by_cell)
    mean = total.float() / count.clamp(min=1).unsqueeze(2)
    return mean.to(features.dtype), count > 0

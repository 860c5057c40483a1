"""Average of the features over horizontal stripes (MFG-Net, section 2.2)."""

from __future__ import annotations

import torch
from torch import Tensor


def average_over_stripes(features: Tensor, count: int) -> Tensor:
    """Cut the feature map into stripes from top to bottom and average over each.

    Every row belongs to one stripe; where rows do not divide evenly, some stripes have one more.

    Args:
        features: (B, C, rows, columns) floating.
        count: n, at most the number of rows.

    Returns:
        (B, n, C) in the features' dtype.
    """
    rows = features.shape[2]
    stripe = torch.arange(rows, device=features.device) * count // rows
    member = (torch.arange(count, device=features.device)[:, None] == stripe).float()
    weights = member / member.sum(1, keepdim=True)
    return (weights @ features.float().mean(3).transpose(1, 2)).to(features.dtype)

"""Average of the features under masks of views (SPAN, section 3.2)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def average_under_masks(features: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Extract one vector per view: the mean of the features, each cell weighed by the view's mask.

    Args:
        features: (B, C, rows, columns) floating.
        masks: (B, V, h, w) uint8, 255 for a cell that is all the view's.

    Returns:
        vectors, (B, V, C) in the features' dtype, zero under an empty mask; and visible, (B, V)
        bool, whether a mask has anything.
    """
    shares = F.interpolate(masks.float(), features.shape[2:], mode="area").flatten(2)
    total = shares.sum(2, keepdim=True)
    vectors = shares @ features.float().flatten(2).transpose(1, 2)
    return (vectors / total.clamp(min=1e-6)).to(features.dtype), total[:, :, 0] > 0

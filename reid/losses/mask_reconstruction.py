"""The mask reconstruction loss, SPAN, equation (1)."""

from __future__ import annotations

from torch import Tensor


def mask_reconstruction(foreground: Tensor, masks: Tensor, labels: Tensor) -> Tensor:
    """Return how far the masks of the visible views are from making up the vehicle.

    Equation (1), |V - sum_i l_i M_i|, "which represents the mean square error": the mean over
    cells of the square, of each image.

    Args:
        foreground: V, (B, h, w) from 0 to 1.
        masks: M_1 to M_V, (B, V, h, w) from 0 to 1.
        labels: l, (B, V) bool, the views that each image shows.

    Returns:
        (B,).
    """
    visible = (masks * labels[:, :, None, None]).sum(1)
    loss: Tensor = (foreground - visible).square().mean((1, 2))
    return loss

"""How far boxes overlap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def iou(first: Floats, second: Floats) -> Floats:
    """Return the intersection over union of boxes.

    Args:
        first: ``x1 y1 x2 y2`` of boxes with area, float64, shape (..., 4).
        second: the same; the shapes before the 4 are broadcast, so that ``first[:, None]`` and
            ``second[None]`` give every pair.

    Returns:
        0 to 1, float64, the broadcast shape without the 4.
    """
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(axis=-1) for boxes in (first, second)]
    share: Floats = shared / (areas[0] + areas[1] - shared)
    return share

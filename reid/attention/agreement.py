"""How well masks agree with true ones, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

Bytes = npt.NDArray[np.uint8]
LEAST = 0.05
"""A view that is a smaller share of the vehicle counts as not shown."""


@dataclass(frozen=True)
class Truth:
    """What the numbers of a true mask mean.

    Attributes:
        views: the number of each view, by name.
        ignored: numbers of what is of the vehicle but of no view, such as its top: masks are free
            there.
    """

    views: dict[str, int]
    ignored: tuple[int, ...] = ()


def agreement(found: Bytes, true: Bytes, names: Sequence[str], truth: Truth) -> pd.DataFrame:
    """Compare the masks of an image with the true ones.

    Args:
        found: (V, h, w) uint8, enlarged to the size of the true mask; half or more is of the view.
        true: (H, W) uint8, a number a pixel, 0 for the background.
        names: of the V views.
        truth: what the numbers mean.

    Returns:
        A row per view: ``view``; ``shown`` (bool), whether it is `LEAST` of the vehicle or more;
        ``iou``, the intersection over union where it is shown, else NaN; ``false``, where it is
        not shown, the share of the vehicle that is taken for it, else NaN.
    """
    counted = ~np.isin(true, truth.ignored)
    vehicle = max(int((true > 0)[counted].sum()), 1)
    rows = []
    for name, mask in zip(names, found, strict=True):
        large = cv2.resize(mask, true.shape[::-1], interpolation=cv2.INTER_LINEAR) >= 128
        mine, theirs = large & counted, (true == truth.views[name]) & counted
        shown = bool(theirs.sum() >= LEAST * vehicle)
        union = max(int((mine | theirs).sum()), 1)
        overlap = float((mine & theirs).sum() / union) if shown else np.nan
        wrong = np.nan if shown else float((mine & (true > 0)).sum() / vehicle)
        rows.append((name, shown, overlap, wrong))
    return pd.DataFrame(rows, columns=["view", "shown", "iou", "false"])

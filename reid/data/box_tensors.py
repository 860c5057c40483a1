"""The boxes table as arrays, one row per image."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from annotations.boxes import CORNERS, Boxes
from annotations.images import Images


def box_tensors(
    boxes: Boxes | None, images: Images, parts: tuple[str, ...]
) -> tuple[Tensor, Tensor]:
    """Line the boxes up with the images.

    Args:
        boxes: boxes of these images, among others; None for none at all.
        images: N images.
        parts: the parts wanted, in the order of their numbers; boxes of others are left out.

    Returns:
        boxes, (N, K, 4) float32 fractions, and parts, (N, K) int64, -1 where an image has
        fewer than K boxes; K is the largest number of boxes that one image has.
    """
    count = len(images)
    if boxes is None or not parts:
        return torch.zeros(count, 0, 4), torch.zeros(count, 0, dtype=torch.int64)
    frame = boxes.frame[boxes.frame["part"].isin(parts)]
    rows = pd.Index(images.frame["image"]).get_indexer(frame["image"])
    frame, rows = frame[rows >= 0], rows[rows >= 0]
    slot = frame.groupby("image").cumcount().to_numpy()
    width = int(slot.max()) + 1 if len(slot) else 0
    corners = np.zeros((count, width, 4), dtype=np.float32)
    numbers = np.full((count, width), -1, dtype=np.int64)
    corners[rows, slot] = frame[CORNERS].to_numpy(np.float32)
    numbers[rows, slot] = pd.Index(parts).get_indexer(frame["part"])
    return torch.from_numpy(corners), torch.from_numpy(numbers)

"""Projection of part boxes into the feature map (PRN, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor


def mark_cells(boxes: Tensor, parts: Tensor, num_parts: int, grid: tuple[int, int]) -> Tensor:
    """Mark every cell of the grid that a box of the part overlaps.

    PRN, section 3.2: "We divided the input image into an S x S grid [...]. Every grid cell
    overlapped with the ROI would be marked as that part". Several boxes of one part mark
    their union. Touching at an edge is not overlapping.

    Args:
        boxes: (B, K, 4) floating, ``x1 y1 x2 y2`` as fractions of the image.
        parts: (B, K) int64, the part's number, -1 where there is no box.
        num_parts: P, the number of parts.
        grid: (rows, columns) of the feature map.

    Returns:
        (B, P, rows, columns) bool; all false for a part without a box.
    """
    rows, columns = grid
    row = torch.arange(rows, device=boxes.device)
    column = torch.arange(columns, device=boxes.device)
    x1, y1, x2, y2 = boxes.float().unsqueeze(-1).unbind(2)
    down = (y1 * rows < row + 1) & (y2 * rows > row)
    across = (x1 * columns < column + 1) & (x2 * columns > column)
    cells = (down.unsqueeze(-1) & across.unsqueeze(-2)).flatten(2)
    member = parts.unsqueeze(1) == torch.arange(num_parts, device=parts.device).view(1, -1, 1)
    # A product of zeros and ones counts the boxes over a cell, so it is exact in any dtype.
    union = torch.bmm(member.float(), cells.float()) > 0
    return union.view(*union.shape[:2], rows, columns)

"""Projection of part boxes into the feature map (PRN, section 3.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Spans(NamedTuple):
    """The cells that a box overlaps: (B, K) int64 each, both ends counting.

    Attributes:
        top, bottom: rows.
        left, right: columns.
        some: (B, K) bool, whether it overlaps any.
    """

    top: Tensor
    bottom: Tensor
    left: Tensor
    right: Tensor
    some: Tensor


def spans(boxes: Tensor, grid: tuple[int, int]) -> Spans:
    """Return the cells that each box overlaps, a rectangle of them.

    Args:
        boxes: (B, K, 4) floating, ``x1 y1 x2 y2`` as fractions of the image.
        grid: (rows, columns) of the feature map.
    """
    rows, columns = grid
    x1, y1, x2, y2 = boxes.float().unbind(2)
    ends = []
    for start, stop, count in ((y1, y2, rows), (x1, x2, columns)):
        # A box that ends where a cell begins touches it and does not overlap it.
        first, last = (start * count).floor(), (stop * count).ceil() - 1
        ends += [first.clamp(min=0).long(), last.clamp(max=count - 1).long()]
    top, bottom, left, right = ends
    return Spans(top, bottom, left, right, (top <= bottom) & (left <= right))


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
    found = Spans(*(ends.unsqueeze(2) for ends in spans(boxes, grid)))
    down = (found.top <= row) & (row <= found.bottom)
    across = (found.left <= column) & (column <= found.right)
    cells = (down.unsqueeze(-1) & across.unsqueeze(-2)).flatten(2)
    member = parts.unsqueeze(1) == torch.arange(num_parts, device=parts.device).view(1, -1, 1)
    # A product of zeros and ones counts the boxes over a cell, so it is exact in any dtype.
    union = torch.bmm(member.float(), cells.float()) > 0
    return union.view(*union.shape[:2], rows, columns)

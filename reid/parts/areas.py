"""How large the parts of an image are."""

from __future__ import annotations

from torch import Tensor


def part_areas(boxes: Tensor, parts: Tensor, num_parts: int) -> Tensor:
    """Return the share of the image that the boxes of each part cover.

    Boxes are clipped to the image; where two of one part overlap, both count.

    Args:
        boxes: (B, K, 4) floating, ``x1 y1 x2 y2`` as fractions of the image.
        parts: (B, K) int64, the part's number, -1 where there is no box.
        num_parts: P, the number of parts.

    Returns:
        (B, P) float32, 0 for a part without a box.
    """
    x1, y1, x2, y2 = boxes.float().clamp(0, 1).unbind(2)
    area = (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0) * (parts >= 0)
    found = area.new_zeros(len(boxes), num_parts)
    return found.scatter_add(1, parts.clamp(min=0), area) if num_parts else found

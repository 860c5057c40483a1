"""Shapes that are not upright boxes, as the boxes around them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from annotations.formats.foreign import Corners

Point = tuple[float, float]


def around(points: Sequence[Point]) -> Corners:
    """Return the smallest upright box around ``points``, of which there is at least one."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def around_turned(corners: Corners, degrees: float, pivot: Point) -> Corners:
    """Return the upright box around a box that was turned.

    Args:
        corners: the box before, x1 y1 x2 y2 in pixels.
        degrees: by how much it was turned, clockwise as seen on the screen.
        pivot: the point that stayed where it was.
    """
    if not degrees % 360:
        return corners
    x1, y1, x2, y2 = corners
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    turned = []
    for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2)):
        across, down = x - pivot[0], y - pivot[1]
        turned.append(
            (pivot[0] + across * cosine - down * sine, pivot[1] + across * sine + down * cosine)
        )
    return around(turned)


def joined(boxes: Sequence[Corners]) -> Corners:
    """Return the smallest box around ``boxes``, of which there is at least one."""
    return around([point for x1, y1, x2, y2 in boxes for point in ((x1, y1), (x2, y2))])

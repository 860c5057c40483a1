"""A depth-buffered rasteriser for small pictures: which triangle each sample sees, exactly.

Corners are snapped to sixteenths of a sample and coverage is decided in whole numbers, with each
edge belonging to one side only; so two triangles that share an edge neither overlap nor leave a
gap, and every machine finds the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_SUB = 16
_HALF = _SUB // 2


@dataclass(frozen=True)
class Fragments:
    """Every sample of every triangle that faces the camera, hidden or not.

    Attributes:
        triangle: (F,) int64, the triangle.
        place: (F,) int64, the sample: row times width plus column.
        nearness: (F,) float32, one over the depth (1/metres).
        x: (F,) int64, the sample's column.
        y: (F,) int64, its row.
        dx: (F,) float32, the sample's middle, to the right of the triangle's first corner.
        dy: (F,) float32, likewise, below.
        front: (F,) bool, whether nothing is nearer on that sample.
    """

    triangle: Ints
    place: Ints
    nearness: Singles
    x: Ints
    y: Ints
    dx: Singles
    dy: Singles
    front: npt.NDArray[np.bool_]


def planes(corners: Floats, values: Floats) -> Floats:
    """Find the planes that values at a triangle's corners lie on.

    Args:
        corners: (T, 3, 2), the corners on the picture.
        values: (T, 3, A), a value at each corner.

    Returns:
        (3, A, T): a, b, c such that the value at (x, y) is a (x - x0) + b (y - y0) + c, where
        (x0, y0) is the triangle's first corner: seen from the side a triangle's slopes are so
        steep that measured from afar they would cancel out.
    """
    x0, y0 = corners[:, 0, 0], corners[:, 0, 1]
    x1, y1 = corners[:, 1, 0] - x0, corners[:, 1, 1] - y0
    x2, y2 = corners[:, 2, 0] - x0, corners[:, 2, 1] - y0
    area = x1 * y2 - x2 * y1
    inverse = 1.0 / np.where(area == 0, 1.0, area)
    base = values[:, 0].T
    first, second = values[:, 1].T - base, values[:, 2].T - base
    a = (first * y2 - second * y1) * inverse
    b = (second * x1 - first * x2) * inverse
    return np.stack([a, b, base])


def rasterise(corners: Floats, nearness: Floats, shape: tuple[int, int]) -> Fragments:
    """Find the samples that triangles cover.

    Args:
        corners: (T, 3, 2) float64, corners on the picture in samples, y down. Triangles whose
            corners run clockwise as seen face the camera; the others are dropped.
        nearness: (T, 3) float64, one over the depth at each corner, all in front of the camera.
        shape: (height, width) of the picture in samples.

    Returns:
        The samples, in the order of the triangles.
    """
    height, width = shape
    snapped = np.rint(corners * _SUB).astype(np.int64)
    x, y = snapped[..., 0], snapped[..., 1]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    facing = np.flatnonzero(area > 0)
    x, y = x[facing], y[facing]
    order = np.argsort(y, axis=1, kind="stable")
    x, y = np.take_along_axis(x, order, 1), np.take_along_axis(y, order, 1)
    # Rows whose middle lies in [top, bottom).
    first = np.clip(-((_HALF - y[:, 0]) // _SUB), 0, height)
    last = np.clip(-((_HALF - y[:, 2]) // _SUB), 0, height)
    count = np.maximum(last - first, 0)
    span_of = np.repeat(np.arange(len(facing)), count)
    row = _counting(count) + first[span_of]
    (xa, xb, xc), (ya, yb, yc) = x[span_of].T, y[span_of].T
    middle = row * _SUB + _HALF
    long = _crossing(xa, ya, xc, yc, middle)
    upper = middle < yb
    short = _crossing(
        np.where(upper, xa, xb), np.where(upper, ya, yb),
        np.where(upper, xb, xc), np.where(upper, yb, yc), middle,
    )  # fmt: skip
    left = np.clip(np.minimum(long, short), 0, width)
    length = np.clip(np.maximum(long, short), 0, width) - left
    span = np.repeat(np.arange(len(length)), length)
    column = _counting(length) + left[span]
    local = span_of[span]
    start = (snapped[facing, 0] / _SUB).astype(np.float32)
    rows = row[span]
    half = np.float32(0.5)
    dx = column.astype(np.float32) + half - start[:, 0].take(local, mode="clip")
    dy = rows.astype(np.float32) + half - start[:, 1].take(local, mode="clip")
    near = planes(snapped[facing] / _SUB, nearness[facing][..., None])[:, 0].astype(np.float32)
    a, b, c = (plane.take(local, mode="clip") for plane in near)
    value = a * dx + b * dy + c
    place = rows * width + column
    nearest = np.zeros(height * width, np.float32)
    np.maximum.at(nearest, place, value)
    front = value == nearest[place]
    return Fragments(facing[local], place, value, column, rows, dx, dy, front)


def _counting(lengths: Ints) -> Ints:
    """Return 0, 1, ..., n - 1 for each n of ``lengths``, one after another."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    counted: Ints = np.arange(total) - np.repeat(ends - lengths, lengths)
    return counted


def _crossing(x0: Ints, y0: Ints, x1: Ints, y1: Ints, middle: Ints) -> Ints:
    """Return the first column whose middle is right of or on the edge, at rows' middles."""
    fall = np.maximum(y1 - y0, 1)
    first: Ints = -((_HALF * fall - x0 * fall - (middle - y0) * (x1 - x0)) // (_SUB * fall))
    return first

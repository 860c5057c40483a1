"""Roads under a camera's lanes: where asphalt ends and which marks are painted on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.fleet.camera.cameras import Camera, Floats, Lane, steady

REACH = 400.0
"""Metres along a road that are painted, to either side of the camera's target."""
_HALF = 1.75
"""Metres from a lane's middle to its edge, where no other lane is nearer."""
_APART = 5.0
"""Metres between two lanes beyond which something other than a line lies between them."""


@dataclass(frozen=True)
class Road:
    """Lanes side by side. Its coordinates: s metres along it and t metres to the left of that.

    Attributes:
        x: metres, where s = t = 0.
        y: likewise.
        ahead: unit vector (x, y) of growing s.
        lanes: (t, +1 or -1 for the direction of travel) from right to left.
        right: t of the asphalt's right edge, without parking.
        left: t of its left edge.
    """

    x: float
    y: float
    ahead: tuple[float, float]
    lanes: tuple[tuple[float, int], ...]
    right: float
    left: float

    def place(self, s: Floats | float, t: Floats | float, z: Floats | float = 0.0) -> Floats:
        """Return world points (..., 3) of road coordinates."""
        ax, ay = self.ahead
        x = self.x + s * ax - t * ay
        y = self.y + s * ay + t * ax
        points = np.empty((*np.broadcast_shapes(np.shape(x), np.shape(z)), 3))
        points[..., 0], points[..., 1], points[..., 2] = x, y, z
        return points

    def coordinates(self, ground: Floats) -> Floats:
        """Return (..., 2), s and t, of ground points (..., 2)."""
        x, y = ground[..., 0] - self.x, ground[..., 1] - self.y
        ax, ay = self.ahead
        return np.stack([x * ax + y * ay, y * ax - x * ay], -1)

    def rectangles(self, spans: Floats) -> Floats:
        """Return world corners (n, 4, 3) of rectangles (n, 4): s from, s to, t from, t to."""
        s = spans[:, [0, 1, 1, 0]]
        t = spans[:, [2, 2, 3, 3]]
        return self.place(s, t)

    def strip(self, right: float, left: float) -> Floats:
        """Return world corners (1, 4, 3) of a strip along the whole road."""
        return self.rectangles(np.array([[-REACH, REACH, right, left]]))

    def edges(self) -> list[tuple[float, bool]]:
        """Return t of each line between two lanes, and whether they go opposite ways."""
        pairs = zip(self.lanes, self.lanes[1:], strict=False)
        return [((a[0] + b[0]) / 2, a[1] != b[1]) for a, b in pairs if b[0] - a[0] < _APART]

    def medians(self) -> list[tuple[float, float]]:
        """Return t from and to of each gap between lanes that are far apart."""
        pairs = zip(self.lanes, self.lanes[1:], strict=False)
        return [(a[0] + _HALF, b[0] - _HALF) for a, b in pairs if b[0] - a[0] >= _APART]


def _direction(lane: Lane) -> tuple[float, float]:
    return steady(math.cos(lane.heading)), steady(math.sin(lane.heading))


def find_roads(camera: Camera) -> list[Road]:
    """Put lanes that are parallel to within 15 degrees into one road each.

    A road runs away from the camera, whichever way its first lane goes.
    """
    groups: list[list[Lane]] = []
    for lane in camera.lanes:
        ax, ay = _direction(lane)
        for group in groups:
            bx, by = _direction(group[0])
            if abs(ax * bx + ay * by) > 0.966:
                group.append(lane)
                break
        else:
            groups.append([lane])
    forward = camera.axes[2]
    roads = []
    for group in groups:
        first = group[0]
        ax, ay = _direction(first)
        if ax * forward[0] + ay * forward[1] < 0:
            ax, ay = -ax, -ay
        lanes = []
        for lane in group:
            bx, by = _direction(lane)
            offset = (lane.y - first.y) * ax - (lane.x - first.x) * ay
            lanes.append((offset, 1 if ax * bx + ay * by > 0 else -1))
        lanes.sort()
        roads.append(
            Road(
                first.x, first.y, (ax, ay), tuple(lanes), lanes[0][0] - _HALF, lanes[-1][0] + _HALF
            )
        )
    return roads


@dataclass(frozen=True)
class Marks:
    """What is painted on one road.

    Attributes:
        lines: rectangles (n, 4), metres: s from, s to, t from, t to.
        central: likewise, of the lines between lanes of opposite directions.
    """

    lines: Floats
    central: Floats


def _dashes(t: float, width: float, length: float, gap: float, start: float) -> list[list[float]]:
    half = width / 2
    count = int(2 * 120 / (length + gap))
    starts = [start - 120 + index * (length + gap) for index in range(count)]
    return [[s, s + length, t - half, t + half] for s in starts]


def lay_marks(road: Road, random: np.random.Generator, zebra: float | None) -> Marks:
    """Lay out a road's lines.

    Args:
        road: the road.
        random: draws the widths, the dashes and the kind of each line.
        zebra: s of a zebra crossing's middle, or None.
    """
    width = float(random.uniform(0.1, 0.18))
    length, gap = float(random.choice([2.0, 3.0, 4.0])), float(random.choice([3.0, 4.5, 6.0]))
    start = float(random.uniform(0, length + gap))
    lines: list[list[float]] = []
    central: list[list[float]] = []
    # Short pieces: what lies on another road's asphalt is left out piece by piece.
    whole = (2.0, 0.0, 0.0)
    double = random.random() < 0.4
    for t, opposite in road.edges():
        if opposite and double:
            for side in (-1, 1):
                central += _dashes(t + side * 0.9 * width, 0.8 * width, *whole)
        else:
            (central if opposite else lines).extend(_dashes(t, width, length, gap, start))
    if random.random() < 0.75:
        inset = float(random.uniform(0.12, 0.3))
        for t in (road.right + inset, road.left - inset):
            lines += _dashes(t, width, *whole)
    for right, left in road.medians():
        lines += _dashes(right + 0.1, width, *whole) + _dashes(left - 0.1, width, *whole)
    if zebra is not None:
        lines = [line for line in lines if abs(line[0] - zebra) > 4]
        central = [line for line in central if abs(line[0] - zebra) > 4]
        bar = float(random.uniform(0.4, 0.55))
        count = int((road.left - road.right - 0.4) / (2 * bar))
        for index in range(count):
            t = road.right + 0.3 + 2 * bar * index
            lines.append([zebra - 1.7, zebra + 1.7, t, t + bar])
        for t, way in road.lanes:
            stop = zebra - way * 3.0
            lines.append([stop - 0.2, stop + 0.2, t - 1.5, t + 1.5])
    return Marks(np.array(lines).reshape(-1, 4), np.array(central).reshape(-1, 4))


def off_roads(ground: Floats, roads: list[Road], margin: float) -> npt.NDArray[np.bool_]:
    """Tell which ground points (n, 2) are farther than `margin` metres from all roads' lanes."""
    off = np.ones(len(ground), bool)
    for road in roads:
        t = road.coordinates(ground)[:, 1]
        off &= (t < road.right - margin) | (t > road.left + margin)
    return off

"""Vehicles that stand at a road, as simple shapes."""

from __future__ import annotations

import numpy as np

from pipelines.fleet.camera.cameras import Floats
from pipelines.fleet.street.painting import Brush, Colour, facing, shade, vary
from pipelines.fleet.street.roads import Road

_PAINTS: tuple[Colour, ...] = (
    (206, 206, 202), (46, 48, 52), (134, 138, 144), (128, 34, 38), (44, 64, 112), (176, 178, 180),
    (70, 84, 74), (20, 22, 26),
)  # fmt: skip
_PROFILES = {
    # Metres from the front bumper and up, around the side: bonnet, windscreen, roof, rear.
    "saloon": ((0.0, 0.35), (0.05, 0.72), (1.15, 0.92), (1.85, 1.4), (3.0, 1.42), (3.75, 1.02),
               (4.45, 0.98), (4.5, 0.35)),
    "hatch": ((0.0, 0.35), (0.05, 0.78), (0.95, 0.98), (1.6, 1.5), (3.2, 1.5), (3.85, 1.05),
              (3.95, 0.35)),
    "van": ((0.0, 0.35), (0.05, 0.95), (0.55, 1.15), (1.15, 1.95), (4.9, 2.0), (5.0, 0.35)),
}  # fmt: skip
_GLASS = {"saloon": ((2, 3), (4, 5)), "hatch": ((2, 3), (4, 5)), "van": ((2, 3),)}


def parked_shape(
    road: Road, place: tuple[float, float], kind: str, way: int
) -> tuple[Floats, Floats]:
    """Return the left and right outlines (corners, 3) of a parked vehicle around (s, t)."""
    s, t = place
    profile = np.array(_PROFILES[kind])
    length, half = profile[:, 0].max(), 0.86 if kind != "van" else 0.98
    along = s + way * (length / 2 - profile[:, 0])
    # The cabin leans inwards.
    inset = np.where(profile[:, 1] > 1.2, 0.13, 0.0)
    left = road.place(along, t + way * (half - inset), profile[:, 1])
    right = road.place(along, t - way * (half - inset), profile[:, 1])
    return left, right


def _wheels(brush: Brush, road: Road, s: float, t: float, kind: str, way: int) -> None:
    length = _PROFILES[kind][-1][0]
    turn = np.array([[1, 0], [0.707, 0.707], [0, 1], [-0.707, 0.707], [-1, 0], [-0.707, -0.707],
                     [0, -1], [0.707, -0.707]])  # fmt: skip
    for along in (0.18, 0.8):
        middle = s + way * length * (0.5 - along)
        radius = np.array([[0.34], [0.2], [0.07]])
        rings = road.place(middle + radius * turn[:, 0], t, 0.34 + radius * turn[:, 1])
        brush.fill(rings, (26, 26, 27), (132, 134, 136), (60, 60, 62))


def parked(brush: Brush, road: Road, place: tuple[float, float], kind: str, way: int,
           random: np.random.Generator) -> None:  # fmt: skip
    """Paint a parked vehicle around (s, t) whose front points along `way`."""
    s, t = place
    paint = vary(_PAINTS[int(random.integers(len(_PAINTS)))], random, 10)
    left, right = parked_shape(road, place, kind, way)
    half = 0.86 if kind != "van" else 0.98
    count = len(left)
    # Strips over the body; counter-clockwise seen from outside.
    strips = np.stack([[left[i], right[i], right[i + 1], left[i + 1]] for i in range(count - 1)])
    strips = strips[:, ::-1]
    slope = np.abs(np.diff(left[:, 2]))
    flat = np.sqrt(((left[1:, :2] - left[:-1, :2]) ** 2).sum(1))
    seen = facing(brush.camera, strips)
    glass = vary((44, 50, 58), random, 8)
    for index in range(count - 1):
        if seen[index]:
            light = 0.72 + 0.4 * float(flat[index] / (flat[index] + slope[index] + 1e-9))
            window = any(index == a for a, _ in _GLASS[kind])
            brush.fill(strips[index][None], shade(paint, light))
            if window:
                a, b, c, d = strips[index]
                inner = np.array([a + (b - a) * 0.08, a + (b - a) * 0.92,
                                  d + (c - d) * 0.92, d + (c - d) * 0.08])  # fmt: skip
                brush.fill(inner[None], glass)
    for outline, out in ((left[::-1], way * half), (right, -way * half)):
        if not facing(brush.camera, outline[[0, 1, -1]][None])[0]:
            continue
        brush.fill(outline[None], shade(paint, 0.8))
        cabin = outline[(outline[:, 2] > 0.9)]
        low = cabin.copy()
        low[:, 2] = np.maximum(low[:, 2], 0.98)
        middle = low.mean(0)
        brush.fill((middle + (low - middle) * 0.84)[None], glass)
        _wheels(brush, road, s, t + out, kind, way)
    _lamps(brush, road, s, t, kind, way)


def _lamps(brush: Brush, road: Road, s: float, t: float, kind: str, way: int) -> None:
    """Paint a parked vehicle's lamps and plate on the end that the camera sees."""
    profile = _PROFILES[kind]
    length = profile[-1][0]
    position = np.array(brush.camera.position[:2])
    ahead = (road.coordinates(position)[0] - s) * way > 0
    end = s + way * (length / 2 + 0.02) * (1 if ahead else -1)
    colour = (214, 214, 206) if ahead else (128, 26, 30)
    across = np.array([[-0.78, -0.45], [0.45, 0.78], [-0.25, 0.25]])[:, [0, 1, 1, 0]]
    up = np.array([[0.58, 0.76], [0.58, 0.76], [0.42, 0.54]])[:, [0, 0, 1, 1]]
    brush.fill(road.place(end, t + across, up), colour, colour, (206, 204, 190))

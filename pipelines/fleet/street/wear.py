"""What years of use leave on a road: patches, cracks, manholes, gutters, paving joints."""

from __future__ import annotations

import numpy as np

from pipelines.fleet.camera.cameras import Floats
from pipelines.fleet.street.painting import Brush, shade, vary
from pipelines.fleet.street.plan import Side, Street
from pipelines.fleet.street.roads import Road

_OCTAGON = np.array(
    [[1, 0], [0.924, 0.383], [0.707, 0.707], [0.383, 0.924], [0, 1], [-0.383, 0.924],
     [-0.707, 0.707], [-0.924, 0.383], [-1, 0], [-0.924, -0.383], [-0.707, -0.707],
     [-0.383, -0.924], [0, -1], [0.383, -0.924], [0.707, -0.707], [0.924, -0.383]]
)  # fmt: skip


def disc(road: Road, s: float, t: float, radius: float, z: float = 0.0) -> Floats:
    """Return a level disc's outline (1, 16, 3)."""
    return road.place(s + radius * _OCTAGON[:, 0], t + radius * _OCTAGON[:, 1], z)[None]


def patch(brush: Brush, street: Street, road: Road, random: np.random.Generator) -> None:
    """Lay newer or older asphalt where the road was opened once."""
    s, t = random.uniform(-30, 40), random.uniform(road.right, road.left)
    length, width = random.uniform(1, 9), random.uniform(0.6, 1.8)
    if random.random() < 0.3:
        length, width = width, road.left - road.right
        t = (road.left + road.right) / 2
    colour = shade(street.asphalt.colour, float(random.choice([0.78, 0.86, 0.92, 1.08])))
    spans = np.array([[s, s + length, t - width / 2, t + width / 2]])
    seam = 0.04
    around = np.array([[-seam, seam, -seam, seam]])
    brush.fill(road.rectangles(spans + around), shade(colour, 0.72))
    brush.fill(road.rectangles(spans), colour)


def crack(brush: Brush, street: Street, road: Road, random: np.random.Generator) -> None:
    """Draw a crack that wanders along or across the road."""
    count = int(random.integers(20, 90))
    along = random.random() < 0.6
    steps = random.uniform(-0.07, 0.07, (count, 2))
    steps[:, 0 if along else 1] += 0.1
    start = np.array([random.uniform(-30, 30), random.uniform(road.right, road.left)])
    path = np.cumsum(steps, 0) + start
    inside = (path[:, 1] > road.right) & (path[:, 1] < road.left)
    path = path[inside]
    if len(path) > 1:
        dark = shade(street.asphalt.colour, float(random.uniform(0.55, 0.8)))
        brush.trace(road.place(path[:, 0], path[:, 1]), dark)


def manhole(brush: Brush, street: Street, road: Road, random: np.random.Generator) -> None:
    """Set a round cover into the road."""
    s, t = random.uniform(-25, 35), random.uniform(road.right + 0.6, road.left - 0.6)
    iron = vary((74, 72, 70), random)
    brush.fill(disc(road, s, t, 0.42), shade(street.asphalt.colour, 0.8))
    brush.fill(disc(road, s, t, 0.33), iron)
    ribs = [[s - 0.22, s + 0.22, t + offset, t + offset + 0.05] for offset in (-0.18, -0.03, 0.12)]
    brush.fill(road.rectangles(np.array(ribs)), shade(iron, 1.3))


def drains(brush: Brush, road: Road, side: Side, random: np.random.Generator) -> None:
    """Set gully grates along the kerb, and darken the gutter."""
    near, far = sorted((side.out(-0.45), side.out(-0.05)))
    start = random.uniform(-40, -20)
    grates = start + 16.0 * np.arange(5)
    brush.fill(road.rectangles(np.array([[s, s + 0.5, near, far] for s in grates])), (62, 60, 58))
    bars = (grates[:, None] + 0.06 + 0.12 * np.arange(4)).ravel()
    brush.fill(road.rectangles(np.array([[s, s + 0.05, near, far] for s in bars])), (30, 30, 30))


def joints(brush: Brush, road: Road, side: Side) -> None:
    """Draw the joints of paving stones."""
    if not side.flags or not side.pavement:
        return
    dark = shade(side.paved.colour, 0.84)
    near, far = sorted((side.out(0.25), side.out(side.front)))
    rows = np.arange(int(side.pavement / side.flags) + 1)[1:] * side.flags
    half = 0.015
    along = [[-60, 60, *sorted((side.out(0.25 + r - half), side.out(0.25 + r + half)))]
             for r in rows]  # fmt: skip
    across = [[s - half, s + half, near, far] for s in np.arange(-45, 45, side.flags)]
    brush.fill(road.rectangles(np.array(along + across)), dark)

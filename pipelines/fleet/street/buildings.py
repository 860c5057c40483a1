"""Buildings along a road: walls, windows in rows, shop fronts, roofs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.fleet.camera.cameras import Floats
from pipelines.fleet.street.facades import (
    length_of,
    on_wall,
    paint_front,
    paint_windows,
    window_grid,
)  # fmt: skip
from pipelines.fleet.street.painting import Brush, Colour, box, facing, shade, vary
from pipelines.fleet.street.roads import Road

_WALLS: tuple[Colour, ...] = (
    (176, 164, 146), (190, 182, 168), (150, 96, 78), (136, 104, 90), (164, 160, 156),
    (186, 166, 126), (122, 124, 128), (200, 196, 188), (140, 128, 116),
)  # fmt: skip


@dataclass(frozen=True)
class Building:
    """A block at a road.

    Attributes:
        road: along which it stands.
        sign: +1 on the road's left, -1 on its right.
        s: metres, from and to.
        front: t of the wall at the road.
        depth: metres from there to its back.
        height: metres to the eaves.
        style: flats, office, shops or warehouse.
        wall: colour.
        roof: metres from the eaves to the ridge; 0 is flat.
    """

    road: Road
    sign: int
    s: tuple[float, float]
    front: float
    depth: float
    height: float
    style: str
    wall: Colour
    roof: float

    def faces(self) -> Floats:
        """Return its box (5, 4, 3): four walls, then the top."""
        low, high = self.s
        # Counter-clockwise seen from above: along the road first, with the inside to the left.
        start, end = (low, high) if self.sign > 0 else (high, low)
        corner = self.road.place(start, self.front)
        along = self.road.place(end, self.front) - corner
        inwards = self.road.place(start, self.front + self.sign * self.depth) - corner
        return box(corner, (along, inwards, np.array([0.0, 0.0, self.height])))


def draw_building(
    road: Road, sign: int, s: tuple[float, float], front: float, random: np.random.Generator
) -> Building:
    """Draw a building's kind, height and colour."""
    style = str(random.choice(["flats", "flats", "shops", "office", "warehouse"]))
    storeys = int(random.integers(1, 3) if style == "warehouse" else random.integers(2, 7))
    pitched = style in ("flats", "shops") and storeys < 4 and random.random() < 0.6
    return Building(
        road, sign, s, front, float(random.uniform(8, 14)), 3.1 * storeys + 0.6, style,
        vary(_WALLS[int(random.integers(len(_WALLS)))], random, 12),
        float(random.uniform(1.5, 3.5)) if pitched else 0.0,
    )  # fmt: skip


def paint_building(brush: Brush, building: Building, random: np.random.Generator) -> None:
    """Paint the faces of a building that the camera sees."""
    faces = building.faces()
    seen = facing(brush.camera, faces)
    light = (1.0, 0.78, 0.7, 0.86)
    for index in (2, 1, 3, 0):
        if seen[index]:
            tone = shade(building.wall, light[index])
            brush.fill(faces[index][None], tone)
            base = np.array([[0, 1, 0, 0.5 / building.height]])
            brush.fill(on_wall(faces[index], base), shade(tone, 0.8))
            if index == 0:
                paint_front(brush, faces[0], building.style, building.wall, random)
            elif building.style in ("flats", "office"):
                width = length_of(faces[index][1] - faces[index][0])
                spans = window_grid(width, building.height, 4.5, (0.25, 0.42), 0)
                paint_windows(brush, faces[index], spans, tone, random, 0.6)
    if building.roof:
        _roof(brush, building, faces, random)
    elif seen[4]:
        brush.fill(faces[4][None], vary((120, 118, 116), random))
    else:
        edge = np.array([[-0.005, 1.005, 1 - 0.35 / building.height, 1.0]])
        if seen[0]:
            brush.fill(on_wall(faces[0], edge), shade(building.wall, 0.85))


def _roof(brush: Brush, building: Building, faces: Floats, random: np.random.Generator) -> None:
    a, b, c, d = faces[4]
    up = np.array([0.0, 0.0, building.roof])
    ridge = [(a + d) / 2 + up, (b + c) / 2 + up]
    eaves = (a - d) * 0.04
    tiles = vary((126, 80, 66) if random.random() < 0.6 else (92, 92, 98), random)
    slopes = np.array([[c, d, ridge[0], ridge[1]], [a + eaves, b + eaves, ridge[1], ridge[0]]])
    gables = np.array([[b, c, ridge[1]], [d, a, ridge[0]]])
    for gable, seen in zip(gables, facing(brush.camera, gables), strict=True):
        if seen:
            brush.fill(gable[None], shade(building.wall, 0.8))
    for slope, seen in zip(slopes, facing(brush.camera, slopes), strict=True):
        if seen:
            brush.fill(slope[None], tiles)
            rows = np.linspace(0, 1, 8)[1:-1]
            spans = np.stack([0 * rows, 0 * rows + 1, rows, rows + 0.03], -1)
            brush.fill(on_wall(slope, spans), shade(tiles, 0.88))

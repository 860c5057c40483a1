"""The ground's surfaces and the marks on them, painted in perspective."""

from __future__ import annotations

import numpy as np

from pipelines.fleet.camera.cameras import Camera, Floats
from pipelines.fleet.street.ground import Ground
from pipelines.fleet.street.painting import Brush, Colour, shade
from pipelines.fleet.street.plan import Side, Street
from pipelines.fleet.street.roads import REACH, Road, lay_marks, off_roads
from pipelines.fleet.street.wear import crack, drains, joints, manhole, patch
from pipelines.fleet.textures import Pixels, resized


def paint_surfaces(
    camera: Camera, street: Street, busy: bool, random: np.random.Generator
) -> tuple[Pixels, Pixels, Pixels]:
    """Paint flat colours for all that lies on the ground, without marks.

    Returns:
        (height, width, 3) uint8 colours, (height, width) uint8 grain and (height, width) uint8,
        255 where there is asphalt.
    """
    width, height = camera.size
    colours = np.zeros((height, width, 3), np.uint8)
    grains = np.zeros((height, width), np.uint8)
    asphalt = np.zeros((height, width), np.uint8)
    brush, grain, road_mask = (Brush(camera, picture) for picture in (colours, grains, asphalt))
    layers: list[list[tuple[Road, float, float, Colour, int]]] = [[], [], [], []]
    for road, sides in zip(street.roads, street.sides, strict=True):
        for side in sides:
            far, kerb, back = (side.out(m) for m in (REACH, 0.2, side.front))
            layers[0].append((road, side.out(0), far, side.beyond.colour, side.beyond.grain))
            if side.pavement:
                layers[1].append((road, side.out(0), back, side.paved.colour, side.paved.grain))
                layers[2].append((road, side.out(0), kerb, street.kerb.colour, street.kerb.grain))
                # The kerb's own shade, along its foot.
                dark = shade(street.kerb.colour, 0.6)
                layers[2].append((road, side.out(0), side.out(0.04), dark, street.kerb.grain))
        right, left = sides[0].out(0), sides[1].out(0)
        layers[3].append((road, right, left, street.asphalt.colour, street.asphalt.grain))
    for number, layer in enumerate(layers):
        for road, a, b, colour, rough in layer:
            strip = road.strip(min(a, b), max(a, b))
            brush.fill(strip, colour)
            grain.fill(strip, rough)
            if number == 3:
                road_mask.fill(strip, 255)
        if number == 1:
            for road, sides in zip(street.roads, street.sides, strict=True):
                for side in sides:
                    joints(brush, road, side)
    for tufts, side in _ragged(street, random):
        brush.fill(tufts, side.beyond.colour)
    _use(brush, street, busy, random)
    return colours, grains, asphalt


def _ragged(street: Street, random: np.random.Generator) -> list[tuple[Floats, Side]]:
    """Draw, where there is no kerb, tufts (n, 4, 3) of the verge that grow over the asphalt."""
    tufts = []
    for road, sides in zip(street.roads, street.sides, strict=True):
        for side in sides:
            if not side.pavement:
                s = random.uniform(-20, 50, 120)
                length, depth = random.uniform(0.2, 1.6, 120), random.uniform(0.02, 0.2, 120)
                corners = np.stack([s, s + 0.25 * length, s + 0.8 * length, s + length], -1)
                edge = np.full(120, side.out(0.15))
                inner = side.out(0) - side.sign * depth
                t = np.stack([edge, inner, inner, edge], -1)
                shapes = road.place(corners, t)
                others = [other for other in street.roads if other is not road]
                tufts.append((shapes[off_roads(shapes[:, 0, :2], others, 5.0)], side))
    return tufts


def _use(brush: Brush, street: Street, busy: bool, random: np.random.Generator) -> None:
    road, (right, left) = street.roads[0], street.sides[0]
    for a, b in road.medians():
        brush.fill(road.strip(a + 0.3, b - 0.3), street.kerb.colour)
        brush.fill(road.strip(a + 0.5, b - 0.5), right.beyond.colour)
    for _ in range(int(random.integers(2, 7) if busy else random.integers(0, 3))):
        patch(brush, street, road, random)
    for _ in range(int(random.integers(2, 10))):
        crack(brush, street, road, random)
    if busy:
        for _ in range(int(random.integers(1, 5))):
            manhole(brush, street, road, random)
        for side in (right, left):
            if side.pavement:
                drains(brush, road, side, random)


def _apart(road: Road, spans: Floats, others: list[Road]) -> Floats:
    """Return corners (n, 4, 3) of a road's rectangles that lie on none of the other roads."""
    middle = road.place(spans[:, :2].sum(1) / 2, spans[:, 2:].sum(1) / 2)[:, :2]
    return road.rectangles(spans[off_roads(middle, others, 1.0)])


def paint_marks(
    camera: Camera, picture: Pixels, ground: Ground, street: Street, busy: bool,
    random: np.random.Generator,
) -> None:  # fmt: skip
    """Paint the roads' marks over a picture, in place: worn away where tyres went."""
    width, height = camera.size
    zebra = float(random.uniform(-14, 25)) if busy and random.random() < 0.35 else None
    wear = int(random.integers(20, 150))
    light = float(random.uniform(0.78, 1.0))
    paints: list[Colour] = [(228, 228, 222)]
    if random.random() < 0.25:
        paints.append((214, 176, 66))
    # Marks are thin: painted at twice the size, they keep their width.
    masks = [np.zeros((2 * height, 2 * width), np.uint8) for _ in paints]
    for index, road in enumerate(street.roads):
        others = [other for other in street.roads if other is not road]
        marks = lay_marks(road, random, zebra if index == 0 else None)
        for spans, mask in ((marks.lines, masks[0]), (marks.central, masks[-1])):
            Brush(camera, mask, 2).fill(_apart(road, spans, others), 255)
    here = picture[ground.top :]
    for mask, paint in zip(masks, paints, strict=True):
        share = resized(mask, width, height)[ground.top :]
        marked = np.flatnonzero(share)
        left = np.full(len(marked), 200 - 3 * wear, np.int16)
        for tile in ground.noises[:3]:
            left += tile.ravel()[marked]
        part = (share.ravel()[marked] * np.clip(left, 60, 235).astype(np.uint16)) >> 8
        rows, columns = np.divmod(marked, width)
        below, above = here[rows, columns], np.array(shade(paint, light), np.uint16)
        here[rows, columns] = (below * (255 - part)[:, None] + above * part[:, None]) // 255

"""A make's badge, and plates that nobody can read."""

from __future__ import annotations

from pipelines.fleet.vehicle.designs import Design
from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.sheets import Sheet, oblong, oval
from pipelines.fleet.vehicle.solids import circle

RING = circle(20).tolist()
Flat = list[tuple[float, float]]

PLATE = (0.44, 0.14)
"""Metres, width and height."""


def badge_shape(design: Design, centre: tuple[float, float], size: float) -> list[Flat]:
    """Return the polygons of a make's badge, to be drawn in turn: badge, then what is cut out."""
    s, y = centre
    half = size / 2
    turned = (0.7071, 0.7071)
    shapes: dict[str, list[Flat]] = {
        "disc": [oval(centre, (half, half), RING)],
        "ring": [oval(centre, (half, half * 1.3), RING),
                 oval(centre, (half * 0.55, half * 0.8), RING)],
        "diamond": [oblong(centre, (half * 1.5, half * 1.5), turned)],
        "shield": [[(s + half, y), (s, y - half), (s - half, y - half * 0.8),
                    (s - half, y + half * 0.8), (s, y + half)]],
        "triangle": [[(s - half, y - half), (s + half, y), (s - half, y + half)]],
        "wings": [[(s + half * 0.6, y), (s - half * 0.5, y - 2 * half), (s - half * 0.1, y),
                   (s - half * 0.5, y + 2 * half)]],
        "square": [oblong(centre, (size * 0.9, size * 0.9)),
                   oblong(centre, (size * 0.4, size * 0.4))],
        "cross": [oblong(centre, (size, size * 0.35)), oblong(centre, (size * 0.35, size * 1.2))],
    }  # fmt: skip
    return shapes[design.badge]


def draw_badge(sheet: Sheet, design: Design, centre: tuple[float, float], thing: str) -> None:
    """Draw a badge on a dark ground."""
    size = 0.17 if design.body.width < 2.1 else 0.26
    sheet.ribbon(oval(centre, (size * 0.62, size * 0.74), RING), Ink.GRILLE, thing)
    shapes = badge_shape(design, centre, size)
    cut = design.badge in ("ring", "square")
    for number, shape in enumerate(shapes):
        sheet.ribbon(shape, Ink.GRILLE if cut and number else Ink.BADGE, thing, 3)


def draw_plate(sheet: Sheet, centre: tuple[float, float], thing: str) -> None:
    """Draw a plate with its characters made unreadable, as published sets do."""
    sheet.ribbon(oblong(centre, (PLATE[1] + 0.02, PLATE[0] + 0.02)), Ink.TRIM, thing)
    sheet.ribbon(oblong(centre, (PLATE[1], PLATE[0])), Ink.PLATE, thing, 3)
    sheet.ribbon(oblong(centre, (PLATE[1] * 0.45, PLATE[0] * 0.84)), Ink.PLATE_INK, thing)
    for gap in range(-3, 4):
        strip = (PLATE[1] * 0.5, PLATE[0] * 0.035)
        sheet.ribbon(
            oblong((centre[0], centre[1] + gap * PLATE[0] * 0.12), strip), Ink.PLATE, thing
        )

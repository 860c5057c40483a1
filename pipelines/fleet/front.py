"""Drawing a design's front on the sheet: bumper, grille, badge, headlights, plate, windscreen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.fleet.designs import Design
from pipelines.fleet.inks import Ink
from pipelines.fleet.mesh import circle
from pipelines.fleet.sheets import Sheet, oblong, oval
from pipelines.fleet.shell import Profile

RING = circle(20).tolist()
Flat = list[tuple[float, float]]

PLATE = (0.44, 0.14)
"""Metres, width and height."""


def _mirror(points: Sequence[tuple[float, float]], side: int) -> Flat:
    return [(s, side * y) for s, y in points]


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


def _grille(sheet: Sheet, design: Design, low: float, high: float, half: float) -> None:
    """Draw the grille between ``low`` and ``high`` (along the ribbon) and y of -half to half."""
    shape = [(low, -half * 0.9), (high, -half), (high, half), (low, half * 0.9)]
    if design.grille == "twin":
        for side in (-1, 1):
            kidney = [(low, side * 0.03), (high, side * 0.03), (high, side * half),
                      (low, side * half * 0.8)]  # fmt: skip
            sheet.ribbon(kidney, Ink.BAR, "front", 2)
            inner = [
                (low + 0.02, side * 0.05),
                (high - 0.02, side * 0.05),
                (high - 0.02, side * (half - 0.03)),
                (low + 0.02, side * (half * 0.8 - 0.03)),
            ]
            sheet.ribbon(inner, Ink.GRILLE, "front", -6)
        return
    if design.grille == "closed":
        sheet.ribbon([(low + 0.35 * (high - low), -half), (high - 0.35 * (high - low), -half),
                      (high - 0.35 * (high - low), half), (low + 0.35 * (high - low), half)],
                     Ink.TRIM, "front", -4)  # fmt: skip
        return
    if design.chrome:
        wide = [(low - 0.025, -half * 0.9 - 0.025), (high + 0.02, -half - 0.025),
                (high + 0.02, half + 0.025), (low - 0.025, half * 0.9 + 0.025)]  # fmt: skip
        sheet.ribbon(wide, Ink.CHROME, "front", 3)
    sheet.ribbon(shape, Ink.GRILLE, "front", -8)
    bars = design.bars
    if design.grille in ("bars", "single"):
        count = 1 if design.grille == "single" else max(2, bars - 1)
        thick = 0.35 if design.grille == "single" else 0.4
        for number in range(count):
            place = low + (number + 0.5) / count * (high - low)
            size = ((high - low) / count * thick, 2 * half * 0.96)
            sheet.ribbon(oblong((place, 0.0), size), Ink.BAR, "front", 2)
    else:
        count = 2 * bars + 3 if design.grille == "upright" else 3 * bars
        for number in range(count):
            place = (2 * (number + 0.5) / count - 1) * half * 0.92
            size = ((high - low) * 0.92, 2 * half / count * 0.38)
            sheet.ribbon(oblong(((low + high) / 2, place), size), Ink.BAR, "front", 2)
        if design.grille == "mesh":
            for number in range(3):
                place = low + (number + 0.5) / 3 * (high - low)
                sheet.ribbon(oblong((place, 0.0), (0.016, 1.84 * half)), Ink.BAR, "front", 2)


def lamp_outline(design: Design, low: float, outer: float) -> Flat:
    """Return the headlight's outline on the left: along the ribbon from ``low``, y to ``outer``."""
    wide, high = design.lamp_size
    inner = outer - wide
    outlines: dict[str, Flat] = {
        "round": oval((low + high * 0.75, outer - high * 0.9), (high * 0.75, high * 0.85), RING),
        "slim": [(low + 0.25 * high, inner), (low, outer), (low + 0.7 * high, outer),
                 (low + 0.75 * high, inner)],
        "swept": [(low, inner), (low + 0.1 * high, outer - 0.1), (low + 1.2 * high, outer),
                  (low + 1.5 * high, outer - 0.05), (low + 0.8 * high, inner + 0.05)],
        "square": [(low, inner + 0.08), (low, outer), (low + high, outer),
                   (low + high, inner + 0.08)],
        "tall": [(low - 0.2 * high, outer - 0.2), (low, outer), (low + 1.9 * high, outer),
                 (low + 1.5 * high, outer - 0.22)],
        "split": [(low + 0.5 * high, inner), (low + 0.45 * high, outer), (low + high, outer),
                  (low + 0.9 * high, inner)],
    }  # fmt: skip
    return outlines[design.lamp]


def _headlight(sheet: Sheet, design: Design, profile: Profile, side: int, low: float) -> None:
    thing = "left headlight" if side > 0 else "right headlight"
    wide, high = design.lamp_size
    outer = profile.half_at(low + high / 2) - 0.015
    draw: Callable[[Flat, Ink, int], None] = lambda points, ink, height: sheet.ribbon(  # noqa: E731
        _mirror(points, side), ink, thing, height
    )
    outline = lamp_outline(design, low, outer)
    middle = (sum(s for s, _ in outline) / len(outline), sum(y for _, y in outline) / len(outline))
    grown = [
        (middle[0] + 1.12 * (s - middle[0]), middle[1] + 1.06 * (y - middle[1])) for s, y in outline
    ]
    draw(grown, Ink.TRIM, -2)
    draw(outline, Ink.LENS, 4)
    if design.lamp == "split":
        lower = oblong((low - 0.08, outer - 0.16), (0.10, 0.2))
        draw(lower, Ink.TRIM, -2)
        draw(oval((low - 0.08, outer - 0.16), (0.045, 0.08), RING), Ink.REFLECTOR, 0)
    bulb = 0.27 * high if design.lamp == "slim" else 0.36 * high
    for offset in (
        (0.0,) if design.lamp in ("round", "tall", "split") else (0.5 * wide / 2, -0.5 * wide / 2)
    ):
        centre = (middle[0], middle[1] + offset * 0.8)
        draw(oval(centre, (bulb, bulb), RING), Ink.TRIM, -6)
        draw(oval(centre, (bulb * 0.7, bulb * 0.7), RING), Ink.REFLECTOR, -2)
    strip = 0.028
    lows, highs = min(s for s, _ in outline), max(s for s, _ in outline)
    inner = min(y for _, y in outline)
    far = max(y for _, y in outline)
    if design.running_light == "top":
        draw([(highs - strip, inner), (highs, inner), (highs, far), (highs - strip, far)],
             Ink.RUNNING_LIGHT, 2)  # fmt: skip
    elif design.running_light in ("bottom", "hook"):
        draw([(lows, inner), (lows + strip, inner), (lows + strip, far), (lows, far)],
             Ink.RUNNING_LIGHT, 2)  # fmt: skip
        if design.running_light == "hook":
            draw([(lows, far - strip), (highs, far - strip), (highs, far), (lows, far)],
                 Ink.RUNNING_LIGHT, 2)  # fmt: skip
    elif design.running_light == "dots":
        for number in range(4):
            y = inner + (number + 0.5) / 4 * (far - inner)
            draw(oval((lows - 0.03, y), (0.018, 0.025), RING), Ink.RUNNING_LIGHT, 2)
    # The lens goes around the corner.
    x, z = profile.ahead_at(middle[0]), profile.height_at(middle[0])
    reach = 0.12 if design.lamp == "round" else 0.22
    corner = [(x + 0.1, z - 0.45 * high), (x + 0.1, z + 0.5 * high), (x - reach, z + 0.5 * high),
              (x - 0.5 * reach, z - 0.3 * high)]  # fmt: skip
    sheet.side(side, corner, Ink.LENS, f"{thing} flank", 3)
    amber = oblong((x - 0.7 * reach, z + 0.2 * high), (0.05, 0.05))
    sheet.side(side, amber, Ink.AMBER_LENS, f"{thing} flank")


def draw_front(sheet: Sheet, design: Design, profile: Profile) -> None:
    """Draw all of the front."""
    body = design.body
    start, end = profile.stretch("face") or (0.0, 0.0)
    glass = profile.stretch("windscreen") or (0.0, 0.0)
    whole = body.width
    sheet.ribbon([(-1, -whole), (end, -whole), (end, whole), (-1, whole)], None, "front")
    sheet.ribbon([(end, -whole), (glass[0], -whole), (glass[0], whole), (end, whole)], None,
                 "bonnet" if profile.stretch("bonnet") else "front")  # fmt: skip
    big = body.kind in ("bus", "truck")
    wide, high = design.lamp_size
    low = start + (0.06 if big else max(0.03, (end - start - high) * 0.45))
    half = min(profile.half_at(low + high / 2) - wide - 0.05, 0.75) * design.grille_width
    top = end - 0.03 if not big else low + 0.26
    # The bumper: its opening, its lips and its lamps.
    bumper = profile.stretch("bumper") or (0.0, start)
    sheet.ribbon([(0, -whole), (0.09, -whole), (0.09, whole), (0, whole)], Ink.TRIM)
    opening, tall = design.intake[0] * whole / 2, design.intake[1]
    base = bumper[0] + 0.13
    sheet.ribbon([(base, -opening), (base + tall, -opening * 0.92), (base + tall, opening * 0.92),
                  (base, opening)], Ink.GRILLE, "front", -8)  # fmt: skip
    for row in (0.3, 0.7):
        sheet.ribbon(oblong((base + row * tall, 0), (0.014, 1.9 * opening)), Ink.TRIM, "front", 0)
    for side in (-1, 1):
        place = (base + tall / 2, side * (profile.half_at(base) - 0.25))
        if design.fog:
            sheet.ribbon(oval(place, (0.075, 0.1), RING), Ink.GRILLE, "front", -4)
            sheet.ribbon(oval(place, (0.045, 0.05), RING), Ink.REFLECTOR, "front", 1)
        sheet.line(sheet.on_ribbon([(start - 0.01, side * 0.12), (start - 0.01, side * whole)]),
                   0.010, Ink.SEAM)  # fmt: skip
    _grille(sheet, design, low - 0.02, top, half)
    for side in (-1, 1):
        _headlight(sheet, design, profile, side, low)
    draw_badge(sheet, design, ((low + top) / 2 if not big else top + 0.12, 0.0), "front logo")
    draw_plate(sheet, (max(base + tall + 0.02 + PLATE[1] / 2, start - 0.12), 0.0), "front plate")
    if profile.stretch("bonnet"):
        edge = glass[0] - 0.03
        for side in (-1, 1):
            sheet.line(
                sheet.on_ribbon([(end + 0.02, side * (half + 0.1)),
                                 (end + 0.3, side * (profile.half_at(end) - 0.16)),
                                 (edge, side * (profile.half_at(edge) - 0.10))]),
                0.010, Ink.SEAM,
            )  # fmt: skip
        sheet.line(
            sheet.on_ribbon([(end + 0.015, -half - 0.1), (end + 0.015, half + 0.1)]),
            0.010,
            Ink.SEAM,
        )
    _windscreen(sheet, profile, glass, big)


def glass_outline(
    profile: Profile, stretch: tuple[float, float], pillar: float, inset: float
) -> Flat:
    """Return the outline of the front or rear glass on the ribbon."""
    a, b = stretch[0] + inset, stretch[1] - inset
    left, right = profile.half_at(a) - pillar, profile.half_at(b) - pillar
    return [(a, -left), (b, -right), (b, right), (a, left)]


def _windscreen(sheet: Sheet, profile: Profile, stretch: tuple[float, float], big: bool) -> None:
    sheet.ribbon(glass_outline(profile, stretch, 0.05, 0.01), Ink.TRIM, "windscreen")
    sheet.ribbon(glass_outline(profile, stretch, 0.075, 0.02), Ink.GLASS, "windscreen", 2)
    start, end = stretch
    if big:
        sheet.ribbon(oblong(((start + end) / 2, 0), (end - start - 0.06, 0.03)), Ink.TRIM)
        sheet.ribbon([(end, -2.0), (end + 0.5, -2.0), (end + 0.5, 2.0), (end, 2.0)], None, "front")
        if profile.height_at(end + 0.5) > 2.7:
            sheet.ribbon(oblong((end + 0.24, 0), (0.24, 1.5)), Ink.BLACK, "front")
            for number in range(9):
                place = (end + 0.24, -0.56 + 0.14 * number)
                sheet.ribbon(oblong(place, (0.13, 0.06 + 0.02 * (number % 3))), Ink.SIGN, "front")
    for side in (-1, 1):
        # Wipers lie along the lower edge.
        blade = [(start + 0.035, side * 0.1 - 0.25), (start + 0.07, side * 0.1 + 0.35)]
        sheet.line(sheet.on_ribbon(blade),
                   0.018, Ink.TRIM)  # fmt: skip
    # The mirror's foot, seen from outside.
    sheet.ribbon(oblong((end - 0.1, 0.0), (0.08, 0.12)), Ink.TRIM)

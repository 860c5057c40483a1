"""Drawing a design's front on the sheet: bumper, grille, windscreen, and all that is on them."""

from __future__ import annotations

from pipelines.fleet.vehicle.badges import PLATE, RING, Flat, draw_badge, draw_plate
from pipelines.fleet.vehicle.designs import Design
from pipelines.fleet.vehicle.headlights import draw_headlight
from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.sheets import Sheet, oblong, oval
from pipelines.fleet.vehicle.shell import Profile


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
        draw_headlight(sheet, design, profile, side, low)
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

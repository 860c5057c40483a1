"""Drawing a vehicle's own marks on its sheet: what is flat among them."""

from __future__ import annotations

from pipelines.fleet.vehicle.badges import RING
from pipelines.fleet.vehicle.designs import Design
from pipelines.fleet.vehicle.headlights import lamp_outline
from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.marks import Dent, Marks, Sticker
from pipelines.fleet.vehicle.sheets import Sheet, oblong, oval
from pipelines.fleet.vehicle.shell import Profile
from pipelines.fleet.vehicle.things import NUMBER


def _stick(sheet: Sheet, sticker: Sticker, along: float, thing: str) -> None:
    """Stick something on the ribbon with its middle at ``along``."""
    centre = (along, sticker.y)
    sheet.ribbon(oblong(centre, sticker.size), sticker.ink, thing, 3)
    tall, wide = sticker.size
    sheet.ribbon(oblong(centre, (tall * 0.5, wide * 0.45)), sticker.second, thing)


def _dent(sheet: Sheet, dent: Dent, profile: Profile) -> None:
    body = sheet.body
    rings = [(1.0, -4), (0.8, -9), (0.6, -15), (0.4, -20), (0.2, -23)]
    for share, height in rings:
        radius = dent.radius * share
        ink = Ink.PRIMER if dent.bare and share == rings[-2][0] else None
        if dent.side in ("left", "right"):
            side = 1 if dent.side == "left" else -1
            x = body.tail + 0.5 + dent.along * (body.nose - body.tail - 1.0)
            z = body.sill + 0.2 + dent.across * (body.belt - body.sill - 0.35)
            sheet.side(side, oval((x, z), (radius, radius * 0.7), RING), ink, None, height)
            continue
        end = (profile.stretch("face") if dent.side == "front" else profile.stretch("tail")) or (
            0,
            0,
        )
        start = 0.14 if dent.side == "front" else end[0] + 0.1
        stop = end[0] - 0.05 if dent.side == "front" else float(profile.along[-1]) - 0.16
        along = start + dent.along * (stop - start)
        y = (2 * dent.across - 1) * (profile.half_at(along) - 0.15)
        sheet.ribbon(oval((along, y), (radius * 0.7, radius), RING), ink, None, height)


def _stripe(sheet: Sheet, marks: Marks, profile: Profile) -> None:
    if marks.stripe is None:
        return
    kind, _ = marks.stripe
    body = sheet.body
    if kind == "bonnet":
        region = profile.stretch("bonnet") or profile.stretch("face")
        roof = profile.stretch("roof")
        for a, b in [area for area in (region, roof) if area]:
            for y in (-0.17, 0.17):
                sheet.ribbon(
                    [(a, y - 0.08), (b, y - 0.08), (b, y + 0.08), (a, y + 0.08)], Ink.STRIPE
                )
        return
    low, high = (
        (body.belt - 0.17, body.belt - 0.07)
        if kind == "side"
        else (body.sill + 0.1, body.sill + 0.2)
    )
    front = max(x + radius for x, radius in body.wheels) + 0.15
    rear = min(x - radius for x, radius in body.wheels) - 0.15
    for side in (1, -1):
        sheet.side(
            side,
            [(rear, low), (front, low + 0.02), (front, high - 0.02), (rear, high + 0.03)],
            Ink.STRIPE,
        )


def _frame(sheet: Sheet, thing: str, colour: Ink) -> None:
    """Put a frame around a plate that is on the sheet already."""
    rows, columns = (sheet.thing == NUMBER[thing]).nonzero()
    if not len(rows):
        return
    thick = max(2, round(0.028 * sheet.scale))
    a, b, c, d = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    for area in (
        (a, a + thick, c, d),
        (b - thick, b, c, d),
        (a, b, c, c + thick),
        (a, b, d - thick, d),
    ):
        sheet.ink[area[0] : area[1], area[2] : area[3]] = colour


def draw_marks_on(sheet: Sheet, design: Design, marks: Marks, profile: Profile) -> None:
    """Draw the flat marks of a vehicle on its sheet."""
    _stripe(sheet, marks, profile)
    for dent in marks.dents:
        _dent(sheet, dent, profile)
    _, end = profile.stretch("windscreen") or (0.0, 0.0)
    for number, sticker in enumerate(marks.inspections):
        _stick(sheet, sticker, end - sticker.along - 0.03, f"inspection {number}")
    for number, sticker in enumerate(marks.permits):
        _stick(sheet, sticker, end - sticker.along, f"permit {number}")
    if marks.window_sticker:
        _stick(sheet, marks.window_sticker, end - 0.1, "window sticker")
    rear = profile.stretch("rear glass")
    for number, sticker in enumerate(marks.novices if rear else ()):
        _stick(sheet, sticker, rear[1] - 0.05 - sticker.along, f"novice {number}")  # type: ignore[index]
    if marks.rear_sticker:
        area = profile.stretch("tail") or (0.0, 0.0)
        _stick(sheet, marks.rear_sticker, area[0] + 0.1 + marks.rear_sticker.along, "rear sticker")
    if marks.plate_frame is not None:
        for thing in ("front plate", "rear plate"):
            _frame(sheet, thing, marks.plate_frame)
    if marks.light_cover is not None:
        _cover(sheet, design, profile, marks.light_cover)


def _cover(sheet: Sheet, design: Design, profile: Profile, ink: Ink) -> None:
    """Put a brow over each headlight."""
    face = profile.stretch("face") or (0.0, 0.0)
    big = design.body.kind in ("bus", "truck")
    low = face[0] + (0.06 if big else max(0.03, (face[1] - face[0] - design.lamp_size[1]) * 0.45))
    outer = profile.half_at(low + design.lamp_size[1] / 2) - 0.015
    outline = lamp_outline(design, low, outer)
    top, bottom = max(s for s, _ in outline), min(s for s, _ in outline)
    brow = top - 0.42 * (top - bottom)
    for side, thing in ((1, "left light cover"), (-1, "right light cover")):
        upper = [(max(s, brow), side * y) for s, y in outline]
        sheet.ribbon(upper, ink, thing, 6)

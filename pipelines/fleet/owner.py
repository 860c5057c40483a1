"""Drawing a vehicle's own marks on its sheet, and the solids among them as meshes."""

from __future__ import annotations

import math

from pipelines.fleet.designs import Design
from pipelines.fleet.front import RING, lamp_outline
from pipelines.fleet.inks import Ink
from pipelines.fleet.marks import Dent, Marks, Object, Sticker
from pipelines.fleet.mesh import Mesh, Point, ball, box, patch
from pipelines.fleet.sheets import Sheet, oblong, oval
from pipelines.fleet.shell import Profile
from pipelines.fleet.things import NUMBER


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


def carrier(sheet: Sheet, marks: Marks, profile: Profile) -> list[Mesh]:
    """Make what stands on the roof."""
    roof = profile.stretch("roof")
    if marks.carrier is None or roof is None:
        return []
    kind, ink = marks.carrier
    a, b = roof
    front, rear = profile.ahead_at(a + 0.15), profile.ahead_at(min(b, a + 2.4) - 0.1)
    z = min(profile.height_at(a + 0.3), profile.height_at(min(b, a + 2.4) - 0.1)) + 0.01
    half = profile.half_at((a + b) / 2) - 0.14
    texel = sheet.swatch(ink, "carrier")
    made = [box((rear, y - 0.02, z), (front, y + 0.02, z + 0.07), texel) for y in (-half, half)]
    if kind != "rails":
        for share in (0.2, 0.75):
            x = rear + share * (front - rear)
            made.append(box((x - 0.03, -half, z + 0.06), (x + 0.03, half, z + 0.1), texel))
    if kind == "box":
        middle = (front + rear) / 2
        made.append(box((middle - 0.55, -half * 0.75, z + 0.1),
                        (middle + 0.5, half * 0.35, z + 0.38),
                        sheet.swatch(Ink.TRIM, "carrier")))  # fmt: skip
    return made


def _object(sheet: Sheet, thing: str, item: Object, foot: Point, round_top: bool) -> list[Mesh]:
    x, y, z = foot[0] - item.back, item.y, foot[2]
    long, wide, high = item.size
    ground, top = sheet.swatch(item.ink, thing), sheet.swatch(item.second, thing)
    if round_top:
        return [
            ball((x, y, z + 0.35 * high), (0.5 * long, 0.5 * wide, 0.36 * high), ground, 8),
            ball((x, y, z + 0.8 * high), (0.4 * long, 0.36 * wide, 0.28 * high), top, 8),
        ]
    lid = 0.3 * wide
    return [
        box((x - long / 2, y - wide / 2, z), (x + long / 2, y + wide / 2, z + high), ground),
        box((x - 0.03, y - lid / 2, z + high), (x + 0.03, y + lid / 2, z + high + 0.04), top),
    ]


def _hanging(sheet: Sheet, marks: Marks, top: Point) -> list[Mesh]:
    if marks.hanging is None:
        return []
    kind, ink, second, size = marks.hanging
    first, other = sheet.swatch(ink, "hanging"), sheet.swatch(second, "hanging")
    x, y, z = top
    string = box((x - 0.006, y - 0.008, z - 0.12), (x + 0.006, y + 0.008, z), other)
    low = z - 0.12
    big, half = 0.05 * size, 0.035 * size
    if kind == "charm":
        return [
            string,
            ball((x, y, low - big), (big, big, big), first),
            box(
                (x - 0.01, y - half, low - 2.6 * big - 0.04),
                (x + 0.01, y + half, low - 2 * big),
                other,
            ),
        ]
    if kind == "tassel":
        return [
            string,
            ball((x, y, low - 0.02), (0.03, 0.035, 0.03), other),
            box((x - 0.02, y - half, low - 0.16 * size), (x + 0.02, y + half, low - 0.03), first),
        ]
    if kind == "cross":
        return [string, box((x - 0.012, y - 0.016, low - 0.16 * size),
                            (x + 0.012, y + 0.016, low), first),
                box((x - 0.012, y - 0.06 * size, low - 0.08 * size),
                    (x + 0.012, y + 0.06 * size, low - 0.045 * size), first)]  # fmt: skip
    return [
        string,
        ball((x, y, low - 0.06 * size), (0.012, 0.065 * size, 0.065 * size), first, 12),
        ball((x + 0.008, y, low - 0.06 * size), (0.012, 0.035 * size, 0.035 * size), other),
    ]


def cabin(sheet: Sheet, marks: Marks, profile: Profile, belts: tuple[bool, bool]) -> list[Mesh]:
    """Make what is seen through the windscreen.

    Args:
        sheet: gets the solids' swatches.
        marks: of the vehicle.
        profile: of its body.
        belts: whether there is a person with a belt in the (left, right) front seat.
    """
    a, b = profile.stretch("windscreen") or (0.0, 0.0)
    foot = (profile.ahead_at(a), 0.0, profile.height_at(a) - 0.03)
    top = (profile.ahead_at(b), 0.0, profile.height_at(b))
    half = profile.half_at(a) - 0.1
    dash, seat = sheet.swatch(Ink.DASH, "cabin"), sheet.swatch(Ink.SEAT, "cabin")
    x, _, z = foot
    deep = 0.62 if x - top[0] > 0.3 else 0.5
    made = [
        patch([(x - deep, -half, z - 0.02), (x + 0.05, -half, z), (x + 0.05, half, z),
               (x - deep, half, z - 0.02)], [dash] * 4),
        patch([(x - deep, -half, z - 0.5), (x - deep, -half, z - 0.02), (x - deep, half, z - 0.02),
               (x - deep, half, z - 0.5)][::-1], [dash] * 4),
        # Daylight through the rear window.
        patch([(x - 2.9, -half * 0.8, z + 0.10), (x - 2.9, half * 0.8, z + 0.10),
               (x - 2.9, half * 0.7, top[2] - 0.12), (x - 2.9, -half * 0.7, top[2] - 0.12)],
              [sheet.swatch(Ink.REFLECTOR, "cabin")] * 4),
        box((top[0] + 0.04, -0.13, top[2] - 0.15), (top[0] + 0.08, 0.13, top[2] - 0.08),
            sheet.swatch(Ink.BLACK, "cabin")),
    ]  # fmt: skip
    row = x - deep - 0.55
    for side, person in zip((1, -1), belts, strict=True):
        y = side * half * 0.5
        high = min(z + 0.34, top[2] - 0.14)
        made.append(box((row - 0.2, y - 0.24, z - 0.5), (row - 0.05, y + 0.24, high - 0.06), seat))
        made.append(
            box((row - 0.2, y - 0.11, high - 0.06), (row - 0.08, y + 0.11, high + 0.1), seat)
        )
        if person:
            clothes = sheet.swatch(Ink.DRIVER, "cabin")
            made.append(ball((row + 0.05, y, z - 0.12), (0.13, 0.23, 0.32), clothes))
            made.append(
                ball(
                    (row + 0.08, y, high + 0.02),
                    (0.1, 0.085, 0.12),
                    sheet.swatch(Ink.SKIN, "cabin"),
                )
            )
            strap = sheet.swatch(Ink.BELT, f"{'left' if side > 0 else 'right'} belt")
            outer, inner = y + side * 0.2, y - side * 0.16
            band = [(row + 0.22, outer, z + 0.2), (row + 0.22, outer - side * 0.07, z + 0.2),
                    (row + 0.22, inner - side * 0.07, z - 0.2),
                    (row + 0.22, inner, z - 0.2)]  # fmt: skip
            made.append(patch(band if side > 0 else band[::-1], [strap] * 4))
    made.append(_steering(sheet, x - deep + 0.1, half * 0.5, z))
    lower = (x, 0.0, z)
    if marks.paper_box:
        made += _object(sheet, "paper box", marks.paper_box, lower, round_top=False)
    for item in marks.laid_on:
        made += _object(sheet, "laid on", item, lower, round_top=True)
    slope = math.sqrt((foot[0] - top[0]) ** 2 + (top[2] - foot[2]) ** 2)
    ahead = 0.14 * (foot[0] - top[0]) / slope
    made += _hanging(sheet, marks, (top[0] + max(ahead, 0.05) - 0.02, 0.0, top[2] - 0.14))
    return made


def _steering(sheet: Sheet, x: float, y: float, z: float) -> Mesh:
    texel = sheet.swatch(Ink.BLACK, "cabin")
    return ball((x, y, z + 0.02), (0.05, 0.18, 0.16), texel, 10)

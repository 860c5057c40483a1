"""What is seen through the windscreen: seats, people, and what the owner keeps there."""

from __future__ import annotations

import math

from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.marks import Marks, Object
from pipelines.fleet.vehicle.mesh import Mesh, Point
from pipelines.fleet.vehicle.sheets import Sheet
from pipelines.fleet.vehicle.shell import Profile
from pipelines.fleet.vehicle.solids import ball, box, patch


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

"""Drawing a design's rear on the sheet: glass, boot, tail lights, badge, plate, bumper."""

from __future__ import annotations

from pipelines.fleet.vehicle.badges import PLATE, RING, Flat, draw_badge, draw_plate
from pipelines.fleet.vehicle.designs import Design
from pipelines.fleet.vehicle.front import glass_outline
from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.sheets import Sheet, oblong, oval
from pipelines.fleet.vehicle.shell import Profile


def _tail_light(sheet: Sheet, design: Design, profile: Profile, side: int, low: float) -> None:
    """Draw one tail light; ``low`` is its upper edge along the ribbon, which runs downward here."""
    thing = "left tail light" if side > 0 else "right tail light"
    wide, high = design.tail_size
    outer = profile.half_at(low + high / 2) - 0.015
    if design.body.kind in ("van", "truck", "bus") and design.tail_lamp in ("band", "block"):
        wide, high = 0.16, 0.36
    shapes: dict[str, list[Flat]] = {
        "block": [[(low, outer - wide), (low, outer), (low + high, outer),
                   (low + high, outer - wide)]],
        "band": [[(low, outer - wide * 1.4), (low, outer), (low + high * 0.6, outer),
                  (low + high * 0.6, outer - wide * 1.4)]],
        "upright": [[(low - 0.04, outer - wide * 0.5), (low - 0.06, outer),
                     (low + high * 1.7, outer),
                     (low + high * 1.5, outer - wide * 0.45)]],
        "rounds": [oval((low + high * 0.5, outer - high * 0.5), (high * 0.5, high * 0.5), RING),
                   oval((low + high * 0.5, outer - high * 1.5), (high * 0.42, high * 0.42), RING)],
        "corner": [[(low, outer - wide), (low, outer), (low + high, outer),
                    (low + high, outer - wide * 0.4), (low + high * 0.5, outer - wide * 0.5),
                    (low + high * 0.45, outer - wide)]],
    }  # fmt: skip
    for shape in shapes[design.tail_lamp]:
        mirrored = [(s, side * y) for s, y in shape]
        sheet.ribbon(mirrored, Ink.RED_LENS, thing, 4)
        middle = (
            sum(s for s, _ in mirrored) / len(mirrored),
            sum(y for _, y in mirrored) / len(mirrored),
        )
        small = [(middle[0] + 0.1 * high + 0.3 * (s - middle[0]), middle[1] + 0.6 * (y - middle[1]))
                 for s, y in mirrored]  # fmt: skip
        sheet.ribbon(small, Ink.LENS, thing)
    amber = oblong((low + 0.2 * high, side * (outer - 0.07)), (0.05, 0.09))
    if design.tail_lamp != "rounds":
        sheet.ribbon(amber, Ink.AMBER_LENS, thing)
    x, z = profile.ahead_at(low + high / 2), profile.height_at(low + high / 2)
    reach = 0.08 if design.tail_lamp == "rounds" else 0.18
    tall = high if design.tail_lamp != "upright" else 1.6 * high
    corner = [(x - 0.15, z - tall / 2), (x - 0.15, z + tall / 2), (x + reach, z + tall / 2),
              (x + 0.7 * reach, z - tall / 2)]  # fmt: skip
    sheet.side(side, corner, Ink.RED_LENS, f"{thing} flank", 3)


def draw_rear(sheet: Sheet, design: Design, profile: Profile) -> None:
    """Draw all of the rear."""
    whole, kind = design.body.width, design.body.kind
    tail = profile.stretch("tail") or (0.0, 0.0)
    bumper = profile.stretch("rear bumper") or (0.0, 0.0)
    glass = profile.stretch("rear glass")
    boot = profile.stretch("boot")
    finish = float(profile.along[-1])
    sheet.ribbon([(tail[0], -whole), (finish + 1, -whole), (finish + 1, whole), (tail[0], whole)],
                 None, "rear")  # fmt: skip
    if boot:
        sheet.ribbon([(boot[0], -whole), (boot[1], -whole), (boot[1], whole), (boot[0], whole)],
                     None, "boot")  # fmt: skip
    if kind == "truck":
        # A box with two doors: the wall from its roof to the tail is rear, too.
        wall = [part for part in profile.starts if part[0] == "wall"][-1]
        sheet.ribbon([(wall[1], -whole), (tail[0], -whole), (tail[0], whole), (wall[1], whole)],
                     Ink.SECOND, "rear")  # fmt: skip
        sheet.line(sheet.on_ribbon([(wall[1], 0.0), (tail[0], 0.0)]), 0.03, Ink.SEAM)
        for y in (-0.18, 0.18, -0.8, 0.8):
            sheet.line(sheet.on_ribbon([(wall[1] + 0.1, y), (tail[0], y)]), 0.03, Ink.BAR)
    if glass:
        sheet.ribbon(glass_outline(profile, glass, 0.06, 0.012), Ink.TRIM, "rear glass")
        sheet.ribbon(glass_outline(profile, glass, 0.10, 0.035), Ink.DARK_GLASS, "rear glass", 2)
        if kind not in ("bus", "pickup"):
            middle = glass[1] - 0.09
            sheet.line(sheet.on_ribbon([(middle, 0.0), (middle - 0.12, 0.38)]), 0.018, Ink.TRIM)
    low = tail[0] + (0.06 if kind not in ("van", "bus") else 0.12)
    high = design.tail_size[1]
    for side in (-1, 1):
        _tail_light(sheet, design, profile, side, low)
    if design.tail_lamp == "band" and kind in ("sedan", "hatchback", "suv"):
        inner = profile.half_at(low) - design.tail_size[0] * 1.4 - 0.015
        sheet.ribbon(
            oblong((low + high * 0.3, 0), (high * 0.3, 2 * inner)), Ink.RED_LENS, "rear", 3
        )
    if kind != "truck":
        draw_badge(sheet, design, (low + 0.07, 0.0), "rear logo")
    on_bumper = tail[1] - low < 0.1 + 0.16 + PLATE[1]
    plate = bumper[0] + 0.1 if on_bumper else min(low + 0.30, tail[1] - PLATE[1])
    sheet.ribbon(oblong((plate, 0), (PLATE[1] + 0.07, PLATE[0] + 0.22)), None, None, -6)
    draw_plate(sheet, (plate, 0.0), "rear plate")
    # Seams of the boot or the door, and the bumper's lower lip.
    edge = profile.half_at(tail[1]) - 0.12
    sheet.line(sheet.on_ribbon([(tail[1], -edge), (tail[1], edge)]), 0.012, Ink.SEAM)
    for side in (-1, 1):
        top = (boot or glass or tail)[0]
        sheet.line(
            sheet.on_ribbon([(top, side * (edge + 0.02)), (tail[1], side * edge)]), 0.010, Ink.SEAM
        )
        reflector = (finish - 0.22, side * (profile.half_at(finish - 0.2) - 0.2))
        sheet.ribbon(oblong(reflector, (0.04, 0.16)), Ink.RED_LENS, "rear")
    sheet.ribbon([(finish - 0.12, -whole), (finish + 1, -whole), (finish + 1, whole),
                  (finish - 0.12, whole)], Ink.TRIM)  # fmt: skip

"""Drawing a design's sides, roof and wheels on the sheet."""

from __future__ import annotations

import numpy as np

from pipelines.fleet.vehicle.badges import RING, Flat
from pipelines.fleet.vehicle.designs import Design
from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.sheets import Sheet, oblong, oval
from pipelines.fleet.vehicle.shell import Profile
from pipelines.fleet.vehicle.solids import circle

_SPOKES = {"five": 5, "seven": 7, "ten": 10, "star": 6, "steel": 0}


def _windows(sheet: Sheet, design: Design, profile: Profile, side: int) -> None:
    body = design.body
    thing = "left windows" if side > 0 else "right windows"
    front, front_top, rear_top, rear = body.windows
    low = body.belt + 0.03

    def outline(grow: float) -> Flat:
        roof = [
            (float(x), profile.roof_edge(float(x)) - 0.055 + grow)
            for x in np.linspace(front_top, rear_top, 12)
        ]
        return [(front + grow, low - grow), *roof, (rear - grow, low - grow)]

    if design.chrome:
        sheet.side(side, outline(0.022), Ink.CHROME, None, 1)
    sheet.side(side, outline(0.006), Ink.TRIM, thing)
    sheet.side(side, outline(-0.012), Ink.DARK_GLASS, thing, 2)
    for x in body.pillars:
        post = [
            (x - 0.035, low - 0.03),
            (x - 0.035, body.top),
            (x + 0.035, body.top),
            (x + 0.035, low - 0.03),
        ]
        top = profile.roof_edge(x) - 0.05
        post = [(px, min(pz, top)) for px, pz in post]
        sheet.side(side, post, Ink.TRIM, thing)


def _doors(sheet: Sheet, design: Design, side: int) -> None:
    body = design.body
    low, high = body.sill + 0.10, body.belt
    for x in body.doors:
        sheet.line(
            sheet.on_side(side, [(x, high), (x - 0.02, (low + high) / 2), (x, low)]),
            0.012,
            Ink.SEAM,
        )
    if body.doors:
        first, last = max(body.doors), min(body.doors)
        sheet.line(sheet.on_side(side, [(first, low), (last, low)]), 0.012, Ink.SEAM)
        for x in body.doors[1:] if body.kind != "bus" else ():
            handle = (x + 0.13, high - 0.10)
            sheet.side(
                side,
                oblong(handle, (0.17, 0.035)),
                Ink.CHROME if design.chrome else Ink.SEAM,
                None,
                8,
            )
    crease = low + design.crease * (high - low)
    strip = [(body.nose - 0.5, crease - 0.03), (body.nose - 0.5, crease + 0.02),
             (body.tail + 0.3, crease + 0.03), (body.tail + 0.3, crease - 0.02)]  # fmt: skip
    sheet.side(side, strip, None, None, 9)


def _wheels(sheet: Sheet, design: Design) -> None:
    column, row, size = sheet.rim
    count = _SPOKES[design.rim]

    def disc(radius: float, ink: Ink, height: int = 0) -> None:
        ring = [(column + size * radius * c, row - size * radius * s) for c, s in RING_FINE]
        sheet.draw(np.array(ring), ink, None, height)

    disc(1.0, Ink.TYRE)
    disc(0.96, Ink.TYRE, 6)
    disc(0.74, Ink.RIM)
    disc(0.68, Ink.RIM_GAP, -20)
    if count:
        turn = circle(count)
        for c, s in turn[:-1]:
            width = 0.17 if design.rim != "ten" else 0.085
            middle = (column + size * 0.36 * c, row - size * 0.36 * s)
            spoke = oblong(middle, (size * 0.66, size * width), (c, -s))
            sheet.draw(np.array(spoke), Ink.RIM, None, 0)
            if design.rim == "star":
                tip = (column + size * 0.55 * c, row - size * 0.55 * s)
                sheet.draw(
                    np.array(oblong(tip, (size * 0.26, size * 0.36), (c, -s))), Ink.RIM, None, 0
                )
    else:
        disc(0.56, Ink.RIM, -10)
        for c, s in circle(8)[:-1]:
            hole = oval(
                (column + size * 0.46 * c, row - size * 0.46 * s), (size * 0.06, size * 0.06), RING
            )
            sheet.draw(np.array(hole), Ink.RIM_GAP, None, -20)
    disc(0.2, Ink.RIM)
    disc(0.12, Ink.BADGE, 4)


RING_FINE = circle(48).tolist()


def _arches(sheet: Sheet, design: Design, side: int) -> None:
    body = design.body
    for x, radius in body.wheels:
        arch = oval((x, radius), (radius + 0.055, radius + 0.055), RING_FINE)
        sheet.side(side, arch, Ink.UNDER, None, -20)
    low = [(body.tail - 1, body.sill - 0.2), (body.nose + 1, body.sill - 0.2),
           (body.nose + 1, body.sill + 0.075), (body.tail - 1, body.sill + 0.075)]  # fmt: skip
    sheet.side(side, low, Ink.TRIM)


def draw_flanks(sheet: Sheet, design: Design, profile: Profile) -> None:
    """Draw the sides, the roof and the wheels' picture."""
    body = design.body
    for side, name in ((1, "left side"), (-1, "right side")):
        whole = [(body.tail - 1, -1.0), (body.nose + 1, -1.0), (body.nose + 1, body.top + 1),
                 (body.tail - 1, body.top + 1)]  # fmt: skip
        sheet.side(side, whole, None, name)
        if body.kind == "truck" and body.cargo is not None:
            cargo = [
                (body.tail, 1.0),
                (body.cargo, 1.0),
                (body.cargo, body.top),
                (body.tail, body.top),
            ]
            sheet.side(side, cargo, Ink.SECOND, name)
            chassis = [
                (body.tail, 0.0),
                (body.cargo + 0.15, 0.0),
                (body.cargo + 0.15, 0.98),
                (body.tail, 0.98),
            ]
            sheet.side(side, chassis, Ink.UNDER, name)
            for x in np.linspace(body.tail + 0.5, body.cargo - 0.5, 6):
                sheet.line(
                    sheet.on_side(side, [(float(x), 1.05), (float(x), body.top)]), 0.02, Ink.SEAM
                )
        _doors(sheet, design, side)
        _windows(sheet, design, profile, side)
        _arches(sheet, design, side)
    roof = profile.stretch("roof")
    wide = body.width
    # Whatever has no name of its own is roof, so that every texel is something.
    finish = float(profile.along[-1]) + 1
    sheet.ribbon([(-1, -wide), (finish, -wide), (finish, wide), (-1, wide)], None, "roof")
    for region, thing in (("windscreen", "front pillars"), ("rear glass", "rear pillars")):
        for name, a, b in profile.starts:
            if name == region:
                sheet.ribbon([(a, -wide), (b, -wide), (b, wide), (a, wide)], None, thing)
    if roof:
        a, b = roof
        for side in (-1, 1):
            y = side * (profile.half_at(a) - 0.10)
            sheet.line(sheet.on_ribbon([(a + 0.05, y), (b - 0.05, y)]), 0.02, Ink.SEAM)
        if design.sunroof:
            glass = oblong((a + 0.25 + 0.3, 0.0), (0.55, min(0.85, 1.1 * profile.half_at(a))))
            sheet.ribbon(glass, Ink.DARK_GLASS, "sunroof", 1)
    for region, a, b in profile.starts:
        if region == "bed" and body.kind == "pickup":
            y = profile.half_at(a) - 0.09
            sheet.ribbon(
                [(a + 0.05, -y), (b - 0.06, -y), (b - 0.06, y), (a + 0.05, y)], Ink.BED, None, -30
            )
            for number in range(-4, 5):
                sheet.line(
                    sheet.on_ribbon([(a + 0.1, 0.16 * number), (b - 0.1, 0.16 * number)]),
                    0.02,
                    Ink.SEAM,
                )
        if body.kind == "truck" and region in ("bed", "wall") and a > (roof or (0, 0))[1] - 1e-6:
            ink = Ink.SECOND if b - a > 1.5 else Ink.UNDER
            sheet.ribbon([(a, -wide), (b, -wide), (b, wide), (a, wide)], ink, "roof")
    _wheels(sheet, design)

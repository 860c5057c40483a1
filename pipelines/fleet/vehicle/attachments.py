"""What stands out of a body: mirrors, wheels, and what is carried on the roof."""

from __future__ import annotations

from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.marks import Marks
from pipelines.fleet.vehicle.mesh import Mesh
from pipelines.fleet.vehicle.sheets import Sheet
from pipelines.fleet.vehicle.shell import Profile, profile_of
from pipelines.fleet.vehicle.solids import box, patch, wheel
from pipelines.fleet.vehicle.things import NUMBER


def mirrors(sheet: Sheet) -> list[Mesh]:
    """Make the two back mirrors."""
    body = sheet.body
    profile = profile_of(body)
    start, _ = profile.stretch("windscreen") or (0.0, 0.0)
    big = body.kind in ("bus", "truck")
    x = profile.ahead_at(start) - (0.22 if not big else 0.12)
    z = body.belt + (0.06 if not big else 0.45)
    deep, wide, high = (0.10, 0.19, 0.13) if not big else (0.10, 0.20, 0.42)
    made = []
    for side, name in ((1, "left mirror"), (-1, "right mirror")):
        inner = body.half(x, body.belt) - 0.02
        near, far = side * (inner + 0.03), side * (inner + 0.03 + wide)
        low, high_y = min(near, far), max(near, far)
        shell = sheet.swatch(Ink.PAINT if not big else Ink.TRIM, name)
        glass = sheet.swatch(Ink.CHROME, name)
        made.append(box((x, low, z), (x + deep, high_y, z + high), shell))
        back = [
            (x - 0.004, low + 0.02, z + 0.015),
            (x - 0.004, low + 0.02, z + high - 0.015),
            (x - 0.004, high_y - 0.02, z + high - 0.015),
            (x - 0.004, high_y - 0.02, z + 0.015),
        ]
        made.append(patch(back, [glass] * 4))
        arm = (side * (inner - 0.06), side * (inner + 0.05))
        made.append(box((x + 0.02, min(arm), z), (x + 0.08, max(arm), z + 0.04),
                        sheet.swatch(Ink.TRIM, name)))  # fmt: skip
    return made


def wheels(sheet: Sheet) -> list[Mesh]:
    """Make the wheels of every axle."""
    body = sheet.body
    made = []
    column, row, radius = sheet.rim
    for number, (x, size) in enumerate(body.wheels):
        for side, name in ((1, "left"), (-1, "right")):
            thing = f"{name} wheel {number}"
            # Beside the widest of the body, so that the wheel's face is not under the paint.
            half = max(body.half(x, z) for z in (size, 1.6 * size, 2 * size)) + 0.012
            face = (column, row, radius * 0.985)
            made.append(wheel((x, side * half, size), size, 0.21, side, face,
                              sheet.swatch(Ink.TYRE, thing), NUMBER[thing]))  # fmt: skip
    return made


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

"""Drawing a design's headlights on the sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.fleet.vehicle.badges import RING, Flat
from pipelines.fleet.vehicle.designs import Design
from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.sheets import Sheet, oblong, oval
from pipelines.fleet.vehicle.shell import Profile


def _mirror(points: Sequence[tuple[float, float]], side: int) -> Flat:
    return [(s, side * y) for s, y in points]


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


def draw_headlight(sheet: Sheet, design: Design, profile: Profile, side: int, low: float) -> None:
    """Draw the left (1) or right (-1) headlight, its lower edge at ``low`` along the ribbon."""
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

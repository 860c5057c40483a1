"""Where the names of parts stand over a picture: at their boxes, and none over another."""

from __future__ import annotations

from collections.abc import Sequence

Corners = tuple[float, float, float, float]
"""Left, top, right and bottom, in percent of the picture."""

FRAME = (130.0, 104.0)
"""Pixels of a match's picture on the narrowest page, at least. Names are placed for a frame as
small as a page may have it: on a wider page they take a smaller share of the picture, towards the
corner of the box that they stand at."""
_LINE, _LETTER, _AROUND = 16.0, 6.6, 12.0
"""Pixels of a line of text, of a letter in it, and of what is left and right of a name."""
_APART = 2.0
"""Pixels between two names, at least; a browser rounds where each begins."""
PLACES = ("above left", "above right", "below left", "below right", "within left", "within right")
"""Where a name may stand: over, under or inside its box, from the box's left or right edge."""


def place_names(
    names: Sequence[str],
    boxes: Sequence[Corners],
    size: tuple[int, int],
    frame: tuple[float, float] = FRAME,
) -> list[str]:
    """Return where each name stands, one of `PLACES`; nothing for a name that has no room.

    Args:
        names: of parts; those that come first choose first.
        boxes: of each.
        size: width and height of the picture, in any unit.
        frame: pixels of what it is fitted into, at least.
    """
    width, height = _fitted(size, frame)
    taken: list[Corners] = []
    chosen = []
    for name, box in zip(names, boxes, strict=True):
        wide = 100 * (_LETTER * len(name) + _AROUND) / width
        high = 100 * _LINE / height
        free = ""
        for place in PLACES:
            covered = _covered(place, box, wide, high)
            if _inside(covered) and not any(_meet(covered, other) for other in taken):
                free = place
                taken.append(_wider(covered, 100 * _APART / width, 100 * _APART / height))
                break
        chosen.append(free)
    return chosen


def _fitted(size: tuple[int, int], frame: tuple[float, float]) -> tuple[float, float]:
    """Return the pixels of a picture in a frame."""
    scale = min(frame[0] / max(size[0], 1), frame[1] / max(size[1], 1))
    return max(size[0], 1) * scale, max(size[1], 1) * scale


def _covered(place: str, box: Corners, wide: float, high: float) -> Corners:
    where, edge = place.split()
    left = box[0] if edge == "left" else box[2] - wide
    top = {"above": box[1] - high, "below": box[3], "within": box[1]}[where]
    return left, top, left + wide, top + high


def _wider(one: Corners, across: float, down: float) -> Corners:
    return one[0] - across, one[1] - down, one[2] + across, one[3] + down


def _inside(one: Corners) -> bool:
    return min(one) >= 0 and max(one) <= 100


def _meet(one: Corners, other: Corners) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]

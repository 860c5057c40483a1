"""Boxes that lie elsewhere than on the vehicle's other images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from annotations.instances import LEFT, RIGHT, WHOLE, two_sided
from annotations.labelling.findings import Drawn, Finding
from annotations.vocabulary import Vocabulary

UNUSUAL = "far from usual"

LARGER = 3.0
"""How many times as large or small as usual, by area, a box may be."""


def far_from_usual(
    groups: dict[str, list[Drawn]],
    usual: list[Drawn],
    sides: Sequence[str],
    vocabulary: Vocabulary,
) -> Iterator[Finding]:
    """Find boxes off the usual ones by more than their own size, or far larger or smaller.

    A box of a part of two sides is judged only where the usual box of its own side is known, and
    by the nearest of both sides: which side a light alone is can be told but roughly.

    Args:
        groups: the boxes of each part in this image.
        usual: the vehicle's mean boxes.
        sides: the side of each of these; `WHOLE` for a part of two sides compares each box with
            the nearest, whatever its side.
        vocabulary: tells the parts of two sides.
    """
    known: dict[str, dict[str, list[Drawn]]] = {}
    for box, side in zip(usual, sides, strict=True):
        known.setdefault(box.part, {}).setdefault(side, []).append(box)
    of_two = set(two_sided(vocabulary))
    for part, boxes in groups.items():
        for box, side in _sided(boxes, part in of_two and WHOLE not in known.get(part, {})):
            if side in known.get(part, {}):
                of_part = [each for group in known[part].values() for each in group]
                yield from _compared(box, min(of_part, key=lambda each: _away(box, each)))


def _sided(boxes: list[Drawn], of_two: bool) -> Iterator[tuple[Drawn, str]]:
    """Tell sides as `annotations.instances` does; boxes between the outermost have none."""
    if not of_two:
        yield from ((box, WHOLE) for box in boxes)
    elif len(boxes) == 1:
        yield boxes[0], LEFT if boxes[0].across < 0.5 else RIGHT
    else:
        ordered = sorted(boxes, key=lambda box: box.across)
        yield ordered[0], LEFT
        yield ordered[-1], RIGHT


def _away(box: Drawn, other: Drawn) -> float:
    """Return how far the middles are apart, in the box's own widths or heights."""
    across = abs(box.across - other.across) / box.width
    return max(across, abs(box.down - other.down) / box.height)


def _compared(box: Drawn, usual: Drawn) -> Iterator[Finding]:
    ratio = box.area / usual.area
    if _away(box, usual) > 1:
        message = f"the {box.part} is far from where it is on this vehicle's other images"
        yield Finding(UNUSUAL, message, (box.place,))
    elif not 1 / LARGER <= ratio <= LARGER:
        word, times = ("larger", ratio) if ratio > 1 else ("smaller", 1 / ratio)
        message = f"the {box.part} is {times:.1f} times {word} than on this vehicle's other images"
        yield Finding(UNUSUAL, message, (box.place,))

"""What looks wrong while the boxes of one image are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from annotations.instances import WHOLE as SIDELESS
from annotations.labelling.arrangement import (
    BETWEEN,
    ORDER,
    SWAPPED,
    brand_beside,
    swapped,
    upside_down,
)
from annotations.labelling.findings import Drawn, Finding, by_part, drawn
from annotations.labelling.unusual import UNUSUAL, far_from_usual
from annotations.vocabulary import Vocabulary

__all__ = ["CHECKS", "Finding", "check_boxes"]

UNKNOWN, FLAT, TINY, WHOLE = "unknown part", "without area", "tiny", "whole image"
TWICE, MANY = "drawn twice", "too many"
CHECKS = (UNKNOWN, FLAT, TINY, WHOLE, TWICE, MANY, ORDER, BETWEEN, SWAPPED, UNUSUAL)

TINY_SIDE = 0.005
"""Shortest side of a box, as a share of the image's; less is a slip of the hand."""

TWICE_IOU = 0.7
"""Two boxes of one part that overlap more than this were most likely drawn for the same thing.
Lower than `annotations.check.DUPLICATE_IOU`, for here a person sees at once whether it is so."""


def check_boxes(
    boxes: pd.DataFrame, vocabulary: Vocabulary, *, usual: pd.DataFrame | None = None
) -> list[Finding]:
    """Look for what is most likely wrong with the boxes of one image.

    Nothing found is an error: a person may have reason to leave it. What is checked of left and
    right, of order and of usual boxes is said in `arrangement` and `unusual`; a box without area
    is looked at no further.

    Args:
        boxes: columns ``part`` and ``x1 y1 x2 y2`` (fractions of the image), in the order drawn.
        vocabulary: the parts that may be drawn.
        usual: the vehicle's mean boxes: the same columns and, where known, ``side``; see
            `annotations.labelling.usual.usual_boxes`. None where nothing is known of it.

    Returns:
        What was found, in the order of `CHECKS`; each finding names its boxes by their places in
        ``boxes``.
    """
    given = drawn(boxes)
    solid = [box for box in given if box.width > 0 and box.height > 0]
    names = set(vocabulary.names)
    groups = by_part([box for box in solid if box.part in names])
    others = drawn(usual) if usual is not None else []
    found = [*_unknown(given, names), *_sizes(given), *_twice(groups)]
    found += _too_many(groups, vocabulary)
    found += [*upside_down(groups), *brand_beside(groups)]
    found += swapped(groups, by_part(others), vocabulary)
    if usual is not None:
        sides = usual["side"].tolist() if "side" in usual else [SIDELESS] * len(usual)
        found += far_from_usual(groups, others, sides, vocabulary)
    return sorted(found, key=lambda finding: CHECKS.index(finding.check))


def _unknown(boxes: list[Drawn], names: set[str]) -> Iterator[Finding]:
    for box in boxes:
        if box.part not in names:
            message = f"'{box.part}' is not a part of the vocabulary"
            yield Finding(UNKNOWN, message, (box.place,))


def _sizes(boxes: list[Drawn]) -> Iterator[Finding]:
    for box in boxes:
        where = (box.place,)
        if box.width <= 0 or box.height <= 0:
            yield Finding(FLAT, f"the {box.part} has no area", where)
        elif min(box.width, box.height) < TINY_SIDE:
            yield Finding(TINY, f"the {box.part} is hardly more than a line", where)
        elif max(box.x1, box.y1, 1 - box.x2, 1 - box.y2) < TINY_SIDE:
            yield Finding(WHOLE, f"the {box.part} covers the whole image", where)


def _twice(groups: dict[str, list[Drawn]]) -> Iterator[Finding]:
    for part, boxes in groups.items():
        for one, other in combinations(boxes, 2):
            shared = one.shared(other)
            where = (one.place, other.place)
            # Areas are differences of fractions: equal ones may differ in the last digits.
            if shared > (1 - 1e-9) * min(one.area, other.area):
                yield Finding(TWICE, f"one {part} lies inside another", where)
            elif shared > TWICE_IOU * (one.area + other.area - shared):
                yield Finding(TWICE, f"two boxes of {part} are nearly the same", where)


def _too_many(groups: dict[str, list[Drawn]], vocabulary: Vocabulary) -> Iterator[Finding]:
    for part, boxes in groups.items():
        most = vocabulary[part].count
        if len(boxes) > most:
            message = f"{len(boxes)} boxes of {part}, but an image shows {most} at most"
            yield Finding(MANY, message, tuple(box.place for box in boxes))

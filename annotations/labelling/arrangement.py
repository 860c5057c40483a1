"""Parts that lie in another order than on a vehicle: up and down, left and right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from statistics import fmean

from annotations.geometry import BRAND, LIGHT
from annotations.labelling.findings import Drawn, Finding
from annotations.vocabulary import Vocabulary

ORDER, BETWEEN, SWAPPED = "order", "brand not between the lights", "left and right swapped"

ABOVE = (
    ("window", "light"),
    ("window", "brand"),
    ("wind glass", "car light"),
    ("wind glass", "light cover"),
    ("wind glass", "frontal"),
    ("wind glass", "logo"),
    ("wind glass", "plate"),
    ("wind glass", "wheel"),
    ("car top window", "wind glass"),
)
"""Pairs of parts of the built-in vocabularies, of which the first is higher on every vehicle."""

Groups = Mapping[str, list[Drawn]]
Pairs = dict[tuple[str, str], int]


def upside_down(groups: Groups) -> Iterator[Finding]:
    """Find boxes whose middle is above that of every box of a part that is always higher."""
    for upper, lower in ABOVE:
        if upper not in groups or lower not in groups:
            continue
        highest = min(groups[upper], key=lambda box: box.down)
        for box in groups[lower]:
            if box.down < highest.down:
                message = f"the {lower} is higher than the {upper}"
                yield Finding(ORDER, message, (box.place, highest.place))


def brand_beside(groups: Groups) -> Iterator[Finding]:
    """Find a brand whose middle is not between the middles of the two lights (PRN, Figure 3).

    With another number of lights nothing is said: they may be of two ends, or one is hidden.
    """
    lights = sorted(groups.get(LIGHT, []), key=lambda box: box.across)
    if len(lights) != 2:
        return
    left, right = lights
    for box in groups.get(BRAND, []):
        if not left.across < box.across < right.across:
            where = (box.place, left.place, right.place)
            yield Finding(BETWEEN, "the brand is not between the two lights", where)


def swapped(groups: Groups, usual: Groups, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Find parts named left that lie where the right one should.

    Only of parts whose partner has another name, one with the word left and one with the word
    right in it. Where the left one lies depends on the vehicle's end: of a vehicle seen from the
    front the left side is on the right of the image. But all pairs of an image lie the same way
    round. So a pair is wrong that lies otherwise than most; where the pairs do not settle it,
    otherwise than the vehicle's usual boxes, which are a weaker witness, as they may be of
    another end; and where these do not either, the pairs are named together. A pair alone of a
    vehicle without usual boxes is not judged.
    """
    here, there = _directions(groups, vocabulary), _directions(usual, vocabulary)
    most, usually = sum(here.values()), sum(there.values())
    settled = len(here) > 1 and most != 0
    right_way = most if settled else usually
    if right_way == 0:
        if len(here) > 1:
            names = "; ".join(f"{left} and {right}" for left, right in here)
            message = f"of some of these left and right are swapped, they disagree: {names}"
            yield Finding(
                SWAPPED, message, _places(groups, *(name for pair in here for name in pair))
            )
        return
    others = "the other pairs in this image" if settled else "this vehicle's other images"
    for (left, right), way in here.items():
        if way * right_way < 0:
            message = f"{left} and {right} seem to be swapped: {others} have them the other way"
            yield Finding(SWAPPED, message, _places(groups, left, right))


def _directions(groups: Groups, vocabulary: Vocabulary) -> Pairs:
    """Return for each pair that is there 1 where the left one lies left, else -1.

    A pair that hardly lies apart, as mirrors seen from the side, says nothing.
    """
    pairs = {}
    for part in vocabulary.parts:
        left, right = part.name, part.partner
        if right is None or left not in groups or right not in groups:
            continue
        if "left" not in _words(left) or "right" not in _words(right):
            continue
        apart = fmean(box.across for box in groups[right]) - fmean(
            box.across for box in groups[left]
        )
        narrowest = min(box.width for name in (left, right) for box in groups[name])
        if abs(apart) > narrowest / 2:
            pairs[left, right] = 1 if apart > 0 else -1
    return pairs


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z]+", name.lower())


def _places(groups: Groups, *names: str) -> tuple[int, ...]:
    return tuple(box.place for name in names for box in groups[name])

"""What the checks of one image's boxes take and give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from annotations.boxes import CORNERS


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong.

    Attributes:
        check: which check found it, one of `annotations.labelling.checks.CHECKS`.
        message: what looks wrong, in words for the person who labels.
        boxes: the boxes that it is about, as places in the order drawn, from 0.
    """

    check: str
    message: str
    boxes: tuple[int, ...]


class Drawn(NamedTuple):
    """A box as numbers; the checks run on every change, which frames are too slow for.

    Attributes:
        place: its place in the order drawn, from 0.
        part: its part's name.
        x1: left edge, a fraction of the image's width.
        y1: top edge, a fraction of the image's height.
        x2: right edge.
        y2: bottom edge.
    """

    place: int
    part: str
    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Fraction of the image's width."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Fraction of the image's height."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """Fraction of the image's area."""
        return self.width * self.height

    @property
    def across(self) -> float:
        """Where its middle is from left to right."""
        return (self.x1 + self.x2) / 2

    @property
    def down(self) -> float:
        """Where its middle is from top to bottom."""
        return (self.y1 + self.y2) / 2

    def shared(self, other: Drawn) -> float:
        """Return the area that both cover."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        return max(width, 0.0) * max(height, 0.0)


def drawn(boxes: pd.DataFrame) -> list[Drawn]:
    """Read the columns ``part`` and ``x1 y1 x2 y2`` row by row."""
    corners = boxes[CORNERS].to_numpy(float).tolist()
    rows = zip(boxes["part"].tolist(), corners, strict=True)
    return [Drawn(place, part, *row) for place, (part, row) in enumerate(rows)]


def by_part(boxes: list[Drawn]) -> dict[str, list[Drawn]]:
    """Return the boxes of each part, in the order drawn."""
    groups: dict[str, list[Drawn]] = {}
    for box in boxes:
        groups.setdefault(box.part, []).append(box)
    return groups

"""What a person has said about one image: its boxes, and how far it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Corners = tuple[Fraction, Fraction, Fraction, Fraction]
Source = Literal["drawn", "detector", "identity-mean", "copied", "derived", "imported"]
State = Literal["open", "done", "skipped"]


class DrawnBox(BaseModel):
    """One box.

    Attributes:
        part: a part of the vocabulary.
        x1: left edge, as a fraction of the image's width; the others likewise.
        y1: top edge.
        x2: right edge, above ``x1``.
        y2: bottom edge, above ``y1``.
        source: where it came from; a box that came from elsewhere and was moved keeps its source.
        score: the detector's confidence where it proposed the box, else 1.
        proposed: where it was before a person moved it; None for a box drawn by hand.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    part: str
    x1: Fraction
    y1: Fraction
    x2: Fraction
    y2: Fraction
    source: Source = "drawn"
    score: Fraction = 1.0
    proposed: Corners | None = None

    @model_validator(mode="after")
    def _has_an_area(self) -> DrawnBox:
        if self.x1 >= self.x2 or self.y1 >= self.y2:
            raise ValueError(f"the box of '{self.part}' has no area")
        return self

    @classmethod
    def offer(cls, part: str, corners: Sequence[float], source: Source, score: float) -> DrawnBox:
        """Make a box that a person may keep, move or remove.

        Args:
            part: a part of the vocabulary.
            corners: ``x1 y1 x2 y2``.
            source: where it comes from.
            score: the detector's confidence, else 1.
        """
        x1, y1, x2, y2 = (min(max(float(value), 0.0), 1.0) for value in corners)
        place = (x1, y1, x2, y2)
        return cls(
            part=part, x1=x1, y1=y1, x2=x2, y2=y2, source=source, score=score, proposed=place
        )

    @property
    def corners(self) -> Corners:
        """``x1 y1 x2 y2``."""
        return self.x1, self.y1, self.x2, self.y2

    @property
    def untouched(self) -> bool:
        """Whether it was proposed and left where it was."""
        return self.proposed is not None and self.proposed == self.corners


class ImageLabels(BaseModel):
    """The labels of one image at one moment.

    Attributes:
        image: its name in the images table.
        boxes: in the order drawn.
        hidden: parts marked as not visible here.
        state: whether it is finished; only finished images are labels.
        flag: why someone should look again; empty where nobody need.
        bottom: the vehicle's lowest edge as a fraction of the height, where a person set it.
        offered: boxes that were proposed when the image was opened.
        reviewed: who looked at it after the labeller; empty for nobody.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str
    boxes: tuple[DrawnBox, ...] = ()
    hidden: tuple[str, ...] = ()
    state: State = "open"
    flag: str = ""
    bottom: Fraction | None = None
    offered: Annotated[int, Field(ge=0)] = 0
    reviewed: str = ""


class Change(BaseModel):
    """One line of the journal.

    Attributes:
        labels: what holds from now on.
        revision: how often the image was changed in this layer, this time included.
        layer: whose labels these are; empty for the common ones.
        by: who made the change.
        at: when, with the time zone.
        actions: keys, clicks and drags since the change before, while the image was shown.
        seconds: time that it was shown since then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: ImageLabels
    revision: Annotated[int, Field(ge=1)]
    layer: str = ""
    by: str = ""
    at: datetime
    actions: Annotated[int, Field(ge=0)] = 0
    seconds: Annotated[float, Field(ge=0)] = 0.0

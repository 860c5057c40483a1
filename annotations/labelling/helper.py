"""What a detector does for a person who labels; who has one, offers it as this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from annotations.boxes import Boxes
from annotations.labelling.record import DrawnBox


@dataclass(frozen=True)
class HelperStatus:
    """What the page says of the helper.

    Attributes:
        words: a sentence.
        training: whether a detector is being trained.
        can_train: whether one could be trained now.
        failed: whether the last training failed, as the words say.
    """

    words: str
    training: bool = False
    can_train: bool = False
    failed: bool = False


class Helper(Protocol):
    """A part detector that proposes boxes, and learns from what is labelled.

    Every method may be called from several threads.
    """

    @property
    def version(self) -> int:
        """A number that grows when there is another detector or more is proposed."""

    @property
    def status(self) -> HelperStatus:
        """What it is doing."""

    def found(self) -> tuple[Boxes | None, Boxes | None]:
        """Return the boxes found so far, and those of the detector before."""

    def propose(self, image: str) -> list[DrawnBox]:
        """Return the boxes to offer on an image, looking at it if nobody did yet."""

    def look_at(self, images: Sequence[str]) -> None:
        """Look at images soon, in the background, the first ones first."""

    def train(self) -> None:
        """Train another detector on what is labelled so far, in the background."""

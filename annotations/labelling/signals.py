"""What a detector's proposals say of how much an image would teach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.boxes import CORNERS, Boxes
from annotations.overlaps import iou

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

EVEN = 0.5
"""The score at which a detector is as much for as against: the most doubtful."""
SAME = 0.5
"""Boxes of two detectors that overlap (intersection over union) less were not drawn for the same
thing."""


@dataclass(frozen=True)
class Signal:
    """How strongly each image shows something worth learning from.

    Attributes:
        strength: 0 to 1, float64 (N,), one per image.
        part: the number of the part that shows it most, int64 (N,); -1 for none.
        score: the score of the box that shows it most, float64 (N,); 0 for none.
    """

    strength: Floats
    part: Places
    score: Floats


@dataclass(frozen=True)
class Found:
    """Boxes as arrays of B.

    Attributes:
        image: the number of each box's image, int64.
        part: the number of its part, int64.
        score: float64.
        corners: float64 (B, 4).
    """

    image: Places
    part: Places
    score: Floats
    corners: Floats

    @classmethod
    def of(cls, boxes: Boxes, images: pd.Index[Any], parts: pd.Index[Any]) -> Found:
        """Keep the boxes of ``images`` and ``parts``, which are numbered in the order given."""
        frame = boxes.frame
        image, part = _numbers(frame["image"], images), _numbers(frame["part"], parts)
        kept = np.flatnonzero((image >= 0) & (part >= 0))
        numbers = frame[[*CORNERS, "score"]].to_numpy(float)[kept]
        return cls(image[kept], part[kept], numbers[:, 4], numbers[:, :4])

    def strongest(self, strength: Floats, images: int) -> Signal:
        """Take for each of ``images`` its box of the greatest ``strength`` (B,), 0 to 1."""
        most = np.zeros(images)
        np.maximum.at(most, self.image, strength)
        place = np.flatnonzero(strength == most[self.image])
        best = np.full(images, -1)
        best[self.image[place]] = place  # of equals the last one stays
        return Signal(most, np.append(self.part, -1)[best], np.append(self.score, 0.0)[best])

    def shows(self, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
        """Say whether each image has a box of each part: bool, ``shape`` (images, parts)."""
        there = np.zeros(shape, bool)
        there[self.image, self.part] = True
        return there


def doubt(found: Found, images: int) -> Signal:
    """Return how doubtful an image's most doubtful box is: 1 at `EVEN`, 0 at a score of 0 or 1.

    The margin between the two answers, see Settles, Active Learning Literature Survey, 2009,
    section 3.1.
    """
    return found.strongest(1 - np.abs(found.score - EVEN) / EVEN, images)


def missing(shows: npt.NDArray[np.bool_], looked: npt.NDArray[np.bool_], usual: Floats) -> Signal:
    """Return how surprising it is that a part was not found.

    Args:
        shows: whether each image shows each part, (N, P).
        looked: whether the detector has looked at the image, (N,).
        usual: the share of images that show each part, (P,); one that at most half of them show
            surprises nobody by missing.
    """
    expected = np.clip(2 * usual - 1, 0, None) * (~shows & looked[:, None])
    part = expected.argmax(axis=1)
    strength = expected[np.arange(len(part)), part]
    return Signal(strength, np.where(strength > 0, part, -1), np.zeros(len(part)))


def rarity(found: Found, images: int, drawn: Places) -> Signal:
    """Return how rare the rarest part is among the labels, by how sure it is to be there.

    Args:
        found: the detector's boxes.
        images: how many images there are.
        drawn: how many boxes of each part have been labelled, (P,).
    """
    rare = 1 - (drawn + 1) / (drawn.max(initial=0) + 1)
    return found.strongest(np.clip(rare, 0, None)[found.part] * found.score, images)


def disagreement(found: Found, earlier: Found, images: int, parts: int) -> Signal:
    """Return how sure one of two detectors is of a box that the other has not, or has elsewhere.

    A box counts by its score and by how little its best partner in the other's boxes overlaps it;
    one without partner from `SAME` on counts in full. Images that one of them has no box of count
    as not looked at by it, and so as no disagreement.
    """
    keys = [boxes.image * parts + boxes.part for boxes in (found, earlier)]
    frames = [pd.DataFrame({"key": key, "place": np.arange(len(key))}) for key in keys]
    pairs = frames[0].merge(frames[1], on="key")
    one, other = pairs["place_x"].to_numpy(), pairs["place_y"].to_numpy()
    overlaps = iou(found.corners[one], earlier.corners[other])
    both = np.ones(images, bool)
    strengths = []
    for boxes, place in ((found, one), (earlier, other)):
        best = np.zeros(len(boxes.image))
        np.maximum.at(best, place, overlaps)
        strengths.append(boxes.score * np.where(best < SAME, 1.0, 1 - best))
        both &= np.bincount(boxes.image, minlength=images) > 0
    every = Found(
        np.concatenate([found.image, earlier.image]),
        np.concatenate([found.part, earlier.part]),
        np.concatenate([found.score, earlier.score]),
        np.concatenate([found.corners, earlier.corners]),
    )
    return every.strongest(np.concatenate(strengths) * both[every.image], images)


def _numbers(values: pd.Series[str], names: pd.Index[Any]) -> Places:
    """Return the place of each value in ``names``, -1 for none; each word is looked up once."""
    number, words = pd.factorize(values)
    return names.get_indexer(pd.Index(words))[number]

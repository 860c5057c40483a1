"""Instances of parts: of a part that comes as a left and a right one, which box is which."""

from __future__ import annotations

import numpy as np
import pandas as pd

from annotations.vocabulary import Vocabulary

WHOLE, LEFT, RIGHT = "", "left", "right"
INSTANCE = ["part", "side"]
"""The columns that tell an instance."""


def two_sided(vocabulary: Vocabulary) -> list[str]:
    """Return the parts that come as a left and a right one under one name."""
    return [part.name for part in vocabulary.parts if part.partner == part.name]


def instances(boxes: pd.DataFrame, vocabulary: Vocabulary) -> pd.DataFrame:
    """Keep the boxes that stand for an instance, and tell its side.

    Of several boxes of a part of two sides in an image the leftmost is the left one and the
    rightmost the right one; a box alone is the left one where its centre lies left of the
    image's. Of another part an image's best-scoring box stands for it.

    Args:
        boxes: columns ``image``, ``part``, ``x1``, ``x2`` (fractions) and ``score``; others are
            kept.
        vocabulary: of the parts.

    Returns:
        The boxes kept, with the column ``side``: `WHOLE`, or `LEFT` or `RIGHT` of a part of two
        sides. First the whole parts, best score first, then the sides, leftmost centre first.
    """
    # By arrays, not groups of a frame: it runs whenever the labelling page opens an image.
    corners = boxes[["x1", "x2", "score"]].to_numpy(float)
    centre, score = corners[:, :2].mean(axis=1), corners[:, 2]
    image, part = pd.factorize(boxes["image"])[0], pd.factorize(boxes["part"])[0]
    key = image * (part.max(initial=0) + 1) + part
    of_two = boxes["part"].isin(two_sided(vocabulary)).to_numpy(bool)
    by_score = np.argsort(-score, kind="stable")
    whole = by_score[~of_two[by_score]]
    whole = whole[np.sort(np.unique(key[whole], return_index=True)[1])]
    by_centre = np.argsort(centre, kind="stable")
    sided = by_centre[of_two[by_centre]]
    _, first, count = np.unique(key[sided], return_index=True, return_counts=True)
    last = len(sided) - 1 - np.unique(key[sided][::-1], return_index=True)[1]
    left = first[(count > 1) | (centre[sided[first]] < 0.5)]
    right = last[(count > 1) | (centre[sided[last]] >= 0.5)]
    place = np.concatenate([left, right])
    order = np.argsort(place)
    side = np.repeat([WHOLE, LEFT, RIGHT], [len(whole), len(left), len(right)])
    side[len(whole) :] = side[len(whole) :][order]
    kept = boxes.iloc[np.concatenate([whole, sided[place[order]]])]
    return kept.reset_index(drop=True).assign(side=side)

"""Filling in the parts that a detector missed, from other images of the same vehicle."""

from __future__ import annotations

import numpy as np
import pandas as pd

from annotations.boxes import CORNERS, IDENTITY_MEAN, NAMES, Boxes
from annotations.images import Images
from annotations.instances import INSTANCE, instances, two_sided
from annotations.vocabulary import Vocabulary


def fill_boxes(boxes: Boxes, images: Images, vocabulary: Vocabulary) -> tuple[Boxes, pd.DataFrame]:
    """Give each image the parts that other images of its identity show.

    He et al., Part-regularized Near-duplicate Vehicle Re-identification, CVPR 2019, section
    3.2: a part missing from an image gets the mean of that part's boxes over the other images
    of the same vehicle. A part that comes as a left and a right one under one name (its
    partner is itself) is two instances, each averaged apart: of several boxes in an image the
    leftmost is the left one and the rightmost the right one; a box alone is the left one
    where its centre lies left of the image's. Of another part an image's best-scoring box
    stands for it. An identity that never shows an instance leaves it invisible.

    Pass the training images only: filling a query or gallery image needs its identity, which
    is the answer that re-identification is to find.

    Args:
        boxes: detected or labelled boxes; boxes filled in before are replaced.
        images: the images that are filled and that the means are taken over; images of
            unknown identity are left alone, and so are all other images in ``boxes``.
        vocabulary: the parts to fill.

    Returns:
        All boxes with those filled in behind them (source ``identity-mean``, score the mean
        score), and a row per part: how many instances were ``detected``, ``filled`` and
        ``absent`` over ``images``, two instances for a part of two sides.

    Raises:
        InputError: no box is of one of the images.
    """
    made = boxes.frame[boxes.frame["source"] != IDENTITY_MEAN]
    mine = Boxes(made, boxes.about, boxes.source).of(images).frame
    shown = instances(mine[mine["part"].isin(vocabulary.names)], vocabulary)
    identities = images.frame[["image", "identity"]].dropna()
    known = shown.merge(identities, on="image")
    means = known.groupby(["identity", *INSTANCE], sort=False)[[*CORNERS, "score"]].mean()
    wanted = identities.merge(means.reset_index(), on="identity")
    there = pd.MultiIndex.from_frame(shown[["image", *INSTANCE]])
    missing = ~pd.MultiIndex.from_frame(wanted[["image", *INSTANCE]]).isin(there)
    filled = wanted[missing].assign(source=IDENTITY_MEAN)
    table = pd.concat([made, filled[NAMES]], ignore_index=True) if len(filled) else made
    report = _report(shown, filled, len(images), vocabulary)
    return Boxes(table, boxes.about, boxes.source), report


def _report(
    shown: pd.DataFrame, filled: pd.DataFrame, images: int, vocabulary: Vocabulary
) -> pd.DataFrame:
    parts = pd.Index(vocabulary.names, name="part")
    sides = np.where(parts.isin(two_sided(vocabulary)), 2, 1)
    counts = {
        name: frame.groupby("part").size().reindex(parts, fill_value=0).to_numpy(dtype=int)
        for name, frame in (("detected", shown), ("filled", filled))
    }
    table = pd.DataFrame(counts, index=parts)
    table["absent"] = images * sides - table["detected"] - table["filled"]
    return table.reset_index()

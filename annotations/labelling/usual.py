"""Where the parts of a vehicle usually are, by its other images."""

from __future__ import annotations

import numpy as np
import pandas as pd

from annotations.boxes import CORNERS, Boxes
from annotations.images import Images
from annotations.instances import INSTANCE, LEFT, RIGHT, WHOLE, instances
from annotations.vocabulary import Vocabulary

COLUMNS = [*INSTANCE, *CORNERS, "images"]


def usual_boxes(
    labels: Boxes, images: Images, vocabulary: Vocabulary, identity: str, but: str
) -> pd.DataFrame:
    """Return the mean box of each part instance over a vehicle's labelled images.

    Args:
        labels: the boxes drawn so far, of any images.
        images: tells which of them show the vehicle.
        vocabulary: of the parts; boxes of others do not count.
        identity: the vehicle.
        but: the image that is left out: the one to compare with the others.

    Returns:
        A row per instance (see `annotations.instances`) in the vocabulary's order, left before
        right: columns ``part``, ``side``, ``x1 y1 x2 y2`` (float64, fractions) and ``images``
        (int64, over how many the mean is). Empty where no other image of the vehicle has a box.
    """
    of_it = (images.frame["identity"] == identity).to_numpy(bool, na_value=False)
    others = set(images.frame["image"].iloc[np.flatnonzero(of_it)]) - {but}
    boxes = labels.frame
    kept = boxes["image"].isin(others).to_numpy() & boxes["part"].isin(vocabulary.names).to_numpy()
    shown = instances(boxes.iloc[np.flatnonzero(kept)], vocabulary)
    names = [(part, side) for part in vocabulary.names for side in (WHOLE, LEFT, RIGHT)]
    number = {name: place for place, name in enumerate(names)}
    key = [number[name] for name in zip(shown["part"], shown["side"], strict=True)]
    counts = np.bincount(key, minlength=len(names))
    there = counts.nonzero()[0]
    sums = np.zeros((len(names), len(CORNERS)))
    np.add.at(sums, key, shown[CORNERS].to_numpy(float))
    means = dict(zip(CORNERS, (sums[there] / counts[there, None]).T, strict=True))
    part, side = zip(*(names[place] for place in there), strict=True) if len(there) else ((), ())
    return pd.DataFrame({"part": part, "side": side, **means, "images": counts[there]})

"""Average precision on other held-out images than those there are: bootstrap over images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from detection.scores import match
from detection.yolo import compute_ap

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def draw_images(images: int, draws: int, seed: int) -> Counts:
    """Draw as many images as there are, with replacement (Efron 1979).

    Returns:
        int64 (draws, images): how often each image is drawn.
    """
    even = np.full(images, 1 / images)
    return np.random.default_rng(seed).multinomial(images, even, size=draws)


def resampled_ap50(
    found: pd.DataFrame,
    truth: pd.DataFrame,
    parts: Sequence[str],
    images: Sequence[str],
    draws: Counts,
) -> Numbers:
    """Score found boxes on draws of the images, each as often as it was drawn.

    An image that is drawn twice counts as two, with the same boxes found on both: the AP50 is the
    one that `score_boxes` gives for such a table.

    Args:
        found: columns ``image``, ``part``, ``x1 y1 x2 y2``, ``score``.
        truth: the same without ``score``.
        parts: P parts.
        images: N images.
        draws: (D, N), see `draw_images`.

    Returns:
        float64 (D, P); NaN where no drawn image shows the part.
    """
    found = found[found["part"].isin(list(parts))].reset_index(drop=True)
    right = match(found, truth)[:, 0]
    names = pd.Index(list(images))
    scores = np.full((len(draws), len(parts)), np.nan)
    for column, part in enumerate(parts):
        mine = (found["part"] == part).to_numpy()
        order = np.argsort(-found["score"].to_numpy(float)[mine], kind="stable")
        hits = right[mine][order]
        image = names.get_indexer_for(pd.Index(found["image"][mine]))[order]
        of_part = truth.loc[truth["part"] == part, "image"]
        there = np.bincount(names.get_indexer_for(pd.Index(of_part)), minlength=len(names))
        totals = draws @ there
        for row in np.flatnonzero(totals):
            drawn = np.repeat(hits, draws[row, image])
            scores[row, column] = _average_precision(drawn, int(totals[row]))
    return scores


def _average_precision(hits: npt.NDArray[np.bool_], total: int) -> float:
    """Return the average precision of boxes in order of their scores, of ``total`` true ones."""
    if not len(hits):
        return 0.0
    true = np.cumsum(hits)
    return float(compute_ap(true / total, true / np.arange(1, len(hits) + 1))[0])

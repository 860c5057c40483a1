"""What the last doubling of the labelled images brought, by part.

The gain of a part is its AP50 with all images, less the AP50 with half as many. The latter is read
off the curve, a straight line between two sizes over the logarithm of the size; where no size is as
small as half, the whole curve's rise is taken per doubling. Its 95 % interval is from a bootstrap
over the held-out images, the same draws for every size. It does not hold what another seed or
other training images would change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from detection.evaluate import DetectorScores
from detection.resampled import Numbers, draw_images, resampled_ap50

ALL = "all"
DRAWS = 500


def doubling_weights(sizes: Sequence[int]) -> Numbers:
    """Return what the AP50 at each size is multiplied by to sum up to the last doubling's gain.

    Args:
        sizes: at least two, rising.
    """
    weights = np.zeros(len(sizes))
    half, last = sizes[-1] / 2, len(sizes) - 1
    if sizes[0] > half:
        weights[[0, last]] = np.array([-1, 1]) / math.log2(sizes[-1] / sizes[0])
        return weights
    above = next(place for place, size in enumerate(sizes) if size > half)
    low, high = sizes[above - 1], sizes[above]
    share = math.log2(half / low) / math.log2(high / low)
    weights[above - 1] -= 1 - share
    weights[above] -= share
    weights[last] += 1
    return weights


def last_gains(
    curve: pd.DataFrame,
    scores: Mapping[int, DetectorScores],
    images: Sequence[str],
    seed: int = 0,
) -> pd.DataFrame:
    """Return each part's gain by the last doubling and how sure it is.

    Args:
        curve: see `detection.curve.curve_table`.
        scores: by size, all on the same held-out images.
        images: the held-out images.
        seed: of the bootstrap.

    Returns:
        A row per part, and ``all`` (the mean over parts with held-out boxes): ``part``, ``size``
        (of all images), ``images`` (of these that show it), ``boxes`` (held-out ones),
        ``before_size`` and ``before`` (the AP50 at the size before), ``AP50``, ``gain``, ``low``
        and ``high`` (95 % interval).
    """
    sizes = sorted(scores)
    weights = doubling_weights(sizes)
    last = curve[curve["size"] == sizes[-1]].set_index("part")
    parts = [str(part) for part in last.index if part != ALL]
    measured = curve.pivot(index="part", columns="size", values="AP50").loc[last.index, sizes]
    draws = draw_images(len(images), DRAWS, seed)
    drawn = np.zeros((DRAWS, len(last)))
    for weight, each in zip(weights, (scores[size] for size in sizes), strict=True):
        if weight:
            found = resampled_ap50(each.found, each.truth, parts, images, draws)
            drawn += weight * _with_mean(found)
    intervals = np.array([_interval(values) for values in drawn.T])
    return pd.DataFrame(
        {
            "part": last.index,
            "size": sizes[-1],
            "images": last["images"].to_numpy(),
            "boxes": last["boxes"].to_numpy(),
            "before_size": sizes[-2],
            "before": measured[sizes[-2]].to_numpy(),
            "AP50": measured[sizes[-1]].to_numpy(),
            "gain": measured.to_numpy() @ weights,
            "low": intervals[:, 0],
            "high": intervals[:, 1],
        }
    )


def _with_mean(scores: Numbers) -> Numbers:
    """Add a last column: the mean over the parts that have a score."""
    known = ~np.isnan(scores)
    count = known.sum(axis=1)
    mean = np.where(known, scores, 0).sum(axis=1) / np.where(count, count, np.nan)
    return np.column_stack([scores, mean])


def _interval(values: Numbers) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return float(low), float(high)

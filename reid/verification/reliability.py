"""Whether probabilities are what they say: each pair's comes from a curve that has not seen it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.model_selection import StratifiedKFold

from reid.verification.curve import checked, likeliest
from reid.verification.features import Floats

BINS = 10


def out_of_fold(
    distances: npt.ArrayLike, same: npt.ArrayLike, folds: int = 5, seed: int = 0
) -> Floats:
    """Return for each pair the probability by a curve learned without its fold: float64 (P,).

    Folds are of pairs, drawn at random, each with its share of same ones. Two folds may hold the
    same image: a curve of two numbers has no room to remember it.

    Args:
        distances: (P,), of pairs that `fit_curve` takes.
        same: bool (P,).
        folds: how many.
        seed: same seed, same folds.

    Raises:
        InputError: lengths that differ, or a distance that is not finite.
    """
    values, truth = checked(distances, same)
    found = np.empty(len(values))
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for learned, asked in split.split(values, truth):
        slope, offset = likeliest(values[learned], truth[learned])
        found[asked] = expit(slope * values[asked] + offset)
    return found


def brier(probabilities: Floats, same: npt.NDArray[np.bool_]) -> float:
    """Return the mean squared error of probabilities (Brier 1950): 0 is perfect."""
    return float(np.square(probabilities - same).mean())


def bins(probabilities: Floats, same: npt.NDArray[np.bool_], count: int = BINS) -> pd.DataFrame:
    """Return a row for each of ``count`` equal steps of probability in which there are pairs.

    Args:
        probabilities: (P,), of being the same.
        same: bool (P,).
        count: how many steps.

    Returns:
        ``bin`` (from 0), ``pairs``, ``said``, the mean probability, and ``true``, the share that is
        the same.
    """
    step = np.minimum((probabilities * count).astype(int), count - 1)
    frame = pd.DataFrame({"bin": step, "said": probabilities, "true": same.astype(float)})
    table = frame.groupby("bin").agg(
        pairs=("said", "size"), said=("said", "mean"), true=("true", "mean")
    )
    return table.reset_index()


def calibration_error(
    probabilities: Floats, same: npt.NDArray[np.bool_], count: int = BINS
) -> float:
    """Return the expected calibration error (Guo et al. 2017, equation 3).

    That is how far what a bin says is from what is true in it, on average over pairs. Bins are of
    the probability of being the same, as in `bins`, for "no" is an answer as good as "yes".
    """
    table = bins(probabilities, same, count)
    gaps = (table["said"] - table["true"]).abs()
    return float((gaps * table["pairs"]).sum() / table["pairs"].sum())

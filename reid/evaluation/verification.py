"""Verification: whether two images show the same, judged by a threshold on their distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
FALSE_POSITIVE_RATES = (0.1, 0.01, 0.001)


@dataclass(frozen=True)
class Verification:
    """How well a distance tells same pairs from different ones.

    Attributes:
        accuracy: share of pairs judged right at ``threshold``.
        threshold: the greatest distance of a pair that is judged the same.
        auc: area under the ROC curve: the share of (same, different) couples of pairs where the
            same one is nearer, an equal distance counting half.
        true_positive_rates: for each false-positive rate, the greatest true-positive rate of a
            threshold whose false-positive rate is no higher.
        roc: a row per distinct threshold: ``threshold``, ``false_positive_rate`` and
            ``true_positive_rate``, from (0, 0) to (1, 1).
        right: bool, shape (P,), the pairs judged right.
    """

    accuracy: float
    threshold: float
    auc: float
    true_positive_rates: dict[float, float]
    roc: pd.DataFrame
    right: Bools


def verify(
    distances: npt.ArrayLike,
    same: npt.ArrayLike,
    threshold: float,
    rates: tuple[float, ...] = FALSE_POSITIVE_RATES,
) -> Verification:
    """Score distances of pairs.

    Args:
        distances: shape (P,).
        same: bool, shape (P,).
        threshold: from `best_threshold` on other pairs than these.
        rates: the false-positive rates of ``true_positive_rates``, between 0 and 1.

    Raises:
        InputError: lengths that differ, a distance that is not finite, or pairs that are all
            the same or all different.
    """
    values, truth = _checked(distances, same)
    curve = roc(values, truth)
    false, true = (curve[name].to_numpy() for name in ("false_positive_rate", "true_positive_rate"))
    right = (values <= threshold) == truth
    return Verification(
        accuracy=float(right.mean()),
        threshold=threshold,
        auc=float(np.trapezoid(true, false)),
        true_positive_rates={rate: float(true[false <= rate].max()) for rate in rates},
        roc=curve,
        right=right,
    )


def best_threshold(distances: npt.ArrayLike, same: npt.ArrayLike) -> float:
    """Return the threshold that judges the most pairs right.

    Half-way to the next distance, so that it does not hang on a single pair; of equally good
    ones the smallest. Arguments and errors as `verify`.
    """
    values, truth = _checked(distances, same)
    order = np.argsort(values, kind="stable")
    values, truth = values[order], truth[order]
    # With the first k pairs judged the same, those and only those of them that are count.
    right = np.concatenate([[0], np.cumsum(np.where(truth, 1, -1))])
    splits = np.concatenate([[True], values[1:] > values[:-1], [True]])
    k = int(np.flatnonzero(splits)[right[splits].argmax()])
    if k == 0:
        return float(np.nextafter(values[0], -np.inf))
    if k == len(values):
        return float(values[-1])
    middle = float((values[k - 1] + values[k]) / 2)
    return middle if middle < values[k] else float(values[k - 1])


def roc(distances: Floats, same: Bools) -> pd.DataFrame:
    """Return the receiver operating characteristic; see `Verification.roc`."""
    thresholds, place = np.unique(distances, return_inverse=True)
    counts = [np.bincount(place[side], minlength=len(thresholds)) for side in (~same, same)]
    false, true = (np.concatenate([[0], np.cumsum(count) / count.sum()]) for count in counts)
    return pd.DataFrame(
        {
            "threshold": np.concatenate([[-np.inf], thresholds]),
            "false_positive_rate": false,
            "true_positive_rate": true,
        }
    )


def _checked(distances: npt.ArrayLike, same: npt.ArrayLike) -> tuple[Floats, Bools]:
    values, truth = np.asarray(distances, np.float64), np.asarray(same, bool)
    if values.shape != truth.shape or values.ndim != 1:
        raise InputError(f"same: {len(truth)} for {len(values)} distances")
    if not np.isfinite(values).all():
        raise InputError(f"distances: row {int(np.isfinite(values).argmin())} is not finite")
    if truth.all() or not truth.any():
        raise InputError(
            f"pairs: all {len(truth)} are {'the same' if truth.all() else 'different'}; a score "
            "needs both"
        )
    return values, truth

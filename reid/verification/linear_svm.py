"""Verification by a linear support vector machine on what differs between two images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.svm import LinearSVC

from annotations.errors import InputError
from reid.verification.features import Floats, checked_pairs


class PairSVM:
    """Scores pairs by a linear SVM on the differences of their features.

    A baseline of EIA-Net's Table 2, which does not say how a pair becomes one vector. As a pair
    has no order, we take the absolute difference of each dimension; each is then standardised
    over the training pairs.

    Args:
        penalty: C of the SVM, the weight of pairs on the wrong side.

    Attributes:
        weight: float64 (D,), of the absolute differences.
        offset: added to their weighted sum.

    Raises:
        InputError: a penalty that is not above 0.
    """

    weight: Floats
    offset: float

    def __init__(self, penalty: float = 1.0) -> None:
        if not penalty > 0:
            raise InputError(f"penalty: {penalty}; give a number above 0")
        self.penalty = penalty

    def fit(self, a: npt.ArrayLike, b: npt.ArrayLike, same: npt.ArrayLike) -> PairSVM:
        """Learn from pairs, and return itself.

        Args:
            a: floating (P, D), one side.
            b: floating (P, D), the other.
            same: bool (P,).

        Raises:
            InputError: lengths that differ, a value that is not finite, pairs that are all the
                same or all different, or differences that are alike in all pairs.
        """
        first, second = checked_pairs(a, b)
        truth = np.asarray(same, bool)
        if truth.shape != (len(first),):
            raise InputError(f"same: shape {truth.shape} for {len(first)} pairs")
        if truth.all() or not truth.any():
            raise InputError(
                f"pairs: all {len(truth)} are {'the same' if truth.all() else 'different'}; give "
                "both"
            )
        differences = np.abs(first - second)
        mean, scale = differences.mean(0), differences.std(0)
        if not scale.any():
            raise InputError("pairs: all differ by the same; give features that tell them apart")
        # Else thousands of dimensions would hardly be regularised, and take minutes to fit.
        unit = float(np.sqrt((scale > 0).sum()))
        # The primal problem: dimensions go together, along which one after another is a long way.
        svm = LinearSVC(C=self.penalty, dual=False, max_iter=10_000)
        svm.fit((differences - mean) / np.where(scale > 0, scale, 1) / unit, truth)
        normal = svm.coef_[0]
        length = float(np.linalg.norm(normal))
        # Standardising is folded into the plane, so that a score is one product.
        self.weight = normal / np.where(scale > 0, scale, 1) / length
        self.offset = float(svm.intercept_[0]) * unit / length - float(self.weight @ mean)
        return self

    def score(self, a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
        """Return the signed distance of pairs from the plane: float64 (P,), above 0 for the same.

        It is measured between standardised differences.

        Args:
            a: floating (P, D), one side.
            b: floating (P, D), the other.

        Raises:
            InputError: lengths that differ, other dimensions than in training, or a value that
                is not finite.
        """
        first, second = checked_pairs(a, b, len(self.weight))
        score: Floats = np.abs(first - second) @ self.weight + self.offset
        return score

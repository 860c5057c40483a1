"""Who says whether two images are the same: a threshold on the distance, an SVM, Joint Bayesian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from annotations.pairs import Pairs
from reid.distances import Distance, ViewedDistance, distance_named
from reid.distances.euclidean import EUCLIDEAN
from reid.embedding import Embedded
from reid.evaluation.verification import best_threshold
from reid.verification.features import Floats
from reid.verification.joint_bayesian import JointBayesian
from reid.verification.linear_svm import PairSVM

_COMPONENTS = 128
"""Principal components that Joint Bayesian keeps, where the held-out images allow as many."""
_PAIRS = 6000
"""Pairs that the SVM learns from, so that their differences in 2,392 dimensions fit in memory."""


@dataclass(frozen=True)
class Features:
    """Features of images, as they are compared: cached, so that every judge sees the same.

    Attributes:
        vectors: float64 (N, D), as `distance` takes them; of length one where directions count.
        rows: the row of each image, by name.
        distance: what they are compared by.
    """

    vectors: Floats
    rows: pd.Series[int]
    distance: Distance = EUCLIDEAN

    @classmethod
    def of(cls, embedded: Embedded) -> Features:
        """Prepare embeddings for their distance."""
        distance = distance_named(embedded.distance)
        vectors = distance.prepare(embedded.vectors).double().numpy()
        names = embedded.images.frame["image"].to_numpy()
        return cls(vectors, pd.Series(np.arange(len(names)), index=names), distance)

    def plain(self, vectors: Floats) -> Floats:
        """Return the numbers of features for who does not know of views: zeros for lacking ones."""
        if isinstance(self.distance, ViewedDistance):
            return vectors[:, : sum(self.distance.widths)]
        return vectors

    def apart(self, first: Floats, second: Floats) -> Floats:
        """Return the distances of pairs, (P,)."""
        sides = (torch.from_numpy(np.ascontiguousarray(side)) for side in (first, second))
        found: Floats = self.distance.between(*sides).numpy()
        return found

    def sides(self, pairs: Pairs) -> tuple[pd.DataFrame, Floats, Floats]:
        """Return the pairs whose images both could be read, and their two sides, (P, D) each."""
        frame = pairs.frame[["first", "second", "same"]]
        there = frame["first"].isin(self.rows.index) & frame["second"].isin(self.rows.index)
        kept = frame[there].reset_index(drop=True)
        first, second = (
            self.vectors[self.rows[kept[side]].to_numpy()] for side in ("first", "second")
        )
        return kept, first, second


@dataclass(frozen=True)
class Known:
    """What a judge learns from: images that no network was trained on, where there are any.

    Attributes:
        features: of the images.
        classes: what each is, in the features' order; empty where that is unknown.
        pairs: of these images.
    """

    features: Features
    classes: pd.Series[str]
    pairs: Pairs


Judge = Callable[[Floats, Floats], Floats]
"""Says how surely each of P pairs, (P, D) and (P, D), is the same: (P,), where it is 0 or more."""


def by_distance(known: Known) -> Judge:
    """Call the same what is nearer than the threshold that judges most known pairs right."""
    frame, first, second = known.features.sides(known.pairs)
    threshold = best_threshold(known.features.apart(first, second), frame["same"])
    return lambda a, b: threshold - known.features.apart(a, b)


def by_svm(known: Known) -> Judge:
    """Ask a linear SVM on what differs between the features (scikit-learn)."""
    plain = known.features.plain
    frame, first, second = known.features.sides(known.pairs)
    some = np.random.default_rng(0).permutation(len(frame))[:_PAIRS]
    same = frame["same"].to_numpy()[some]
    svm = PairSVM().fit(plain(first[some]), plain(second[some]), same)
    return lambda a, b: svm.score(plain(a), plain(b))


def by_joint_bayesian(known: Known) -> Judge:
    """Ask Joint Bayesian (Chen et al. 2012) at the threshold that judges most known pairs right."""
    told = known.classes.notna().to_numpy()
    plain = known.features.plain
    vectors, classes = plain(known.features.vectors)[told], known.classes[told].to_numpy(str)
    kinds, code = np.unique(classes, return_inverse=True)
    means = np.stack([vectors[code == kind].mean(0) for kind in range(len(kinds))])
    # Some dimensions may be the same in all images, such as those of a part that is never seen.
    rank = int(np.linalg.matrix_rank(vectors - means[code]))
    kept = max(1, min(_COMPONENTS, rank, (len(vectors) - len(kinds)) // 2))
    bayesian = JointBayesian(kept).fit(vectors, classes)
    frame, first, second = known.features.sides(known.pairs)
    threshold = best_threshold(-bayesian.score(plain(first), plain(second)), frame["same"])
    return lambda a, b: threshold + bayesian.score(plain(a), plain(b))


JUDGES: dict[str, Callable[[Known], Judge]] = {
    "distance": by_distance,
    "svm": by_svm,
    "joint-bayesian": by_joint_bayesian,
}

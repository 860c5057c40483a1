"""Verification of pairs, as CompCars has it (Yang et al., CVPR 2015)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from annotations.errors import InputError
from annotations.images import Images
from annotations.pairs import Pairs
from reid.distances import Distance
from reid.embedding import Embedded
from reid.evaluation.bootstrap import bootstrap
from reid.evaluation.protocols.protocol import Compare, Protocol, Scores
from reid.evaluation.verification import Verification, best_threshold, verify

SIDES = ("first", "second")
Rows = npt.NDArray[np.int64]


class PairVerification(Protocol):
    """Are two images of the same? The threshold is chosen on training pairs.

    Args:
        pairs: test pairs by name, such as easy, medium and hard.
        training: pairs of other images, which only choose the threshold.
    """

    name = "pairs"

    def __init__(self, pairs: Mapping[str, Pairs], training: Pairs) -> None:
        self.pairs = dict(pairs)
        self.training = training

    def divide(self, images: Images) -> tuple[Images, Images]:
        """Return the images of the test pairs and those of the training pairs."""
        for pairs in (*self.pairs.values(), self.training):
            pairs.require_images(images)
        tested = _names(*self.pairs.values())
        trained = _names(self.training)
        if both := tested & trained:
            raise InputError(
                f"{self.training.source}: {len(both)} of its images are in test pairs, too, such "
                f"as '{min(both)}'; a threshold must be chosen on other images"
            )
        image = images.frame["image"]
        return images.where(image.isin(tested)), images.where(image.isin(trained))

    def score(
        self, parts: Sequence[Embedded], distance: Distance, compare: Compare | None = None
    ) -> Scores:
        """Score the pairs; see `Protocol.score`. Pairs with an unreadable image are left out."""
        training, _ = _distances(self.training, parts[1], distance)
        threshold = best_threshold(training["distance"], training["same"])
        tables, frames, curves, lost = [], [], [], 0
        for name, pairs in self.pairs.items():
            frame, missing = _distances(pairs, parts[0], distance)
            found = verify(frame["distance"], frame["same"], threshold)
            tables.append(_table(name, found))
            frames.append(frame.assign(pairs=name, right=found.right))
            curves.append(found.roc.assign(pairs=name))
            lost += missing
        counts = ", ".join(f"{name} {len(pairs):,}" for name, pairs in self.pairs.items())
        statement = (
            f"verification: pairs {counts}; threshold {threshold:.4g} chosen on {len(training):,} "
            f"training pairs; {lost:,} test pairs with an unreadable image left out"
        )
        table, per_query, curve = (
            pd.concat(some, ignore_index=True) for some in (tables, frames, curves)
        )
        return Scores(table, per_query, statement, curve)


def draw_pairs(images: Images, same: Sequence[str], count: int, seed: int = 0) -> Pairs:
    """Draw pairs of different images, half of them the same, to choose a threshold on.

    Args:
        images: such as the training split.
        same: the columns whose equality means the same: ``model``; ``model`` and ``year``;
            ``identity``. Images with an unknown one are left out.
        count: how many pairs; fewer where there are not as many, but always half of each.
        seed: same seed and same table, same pairs.

    Raises:
        InputError: the table lacks a column, or it has no same or no different pair.
    """
    for column in same:
        if column not in images.frame:
            raise InputError(f"{images.source}: no column '{column}' to draw training pairs by")
    known = images.frame.dropna(subset=list(same)).reset_index(drop=True)
    codes: Rows = known.groupby(list(same)).ngroup().to_numpy().astype(np.int64)
    random = np.random.default_rng(seed)
    name = "+".join(same)
    sizes = np.bincount(codes) if len(codes) else np.zeros(0, int)
    if len(sizes) < 2 or sizes.max() < 2:
        raise InputError(
            f"{images.source}: training pairs by {name} need two images of one {name} and another "
            f"{name}; give pairs of your own"
        )
    rows = {True: _same_pairs(codes, count // 2, random)}
    rows[False] = _other_pairs(codes, len(rows[True]), random)
    image = known["image"].to_numpy()
    tables = [
        pd.DataFrame({"first": image[some[:, 0]], "second": image[some[:, 1]], "same": int(truth)})
        for truth, some in rows.items()
    ]
    return Pairs(pd.concat(tables, ignore_index=True), f"pairs drawn from {images.source}")


def _same_pairs(codes: Rows, count: int, random: np.random.Generator) -> Rows:
    """Draw distinct pairs of rows of one code: (P, 2), at most ``count``."""
    sizes = np.bincount(codes)
    # Pair number n of a group of size s: rows i < j of the group, in order.
    numbers = sizes * (sizes - 1) // 2
    ends = np.cumsum(numbers)
    drawn = _distinct(int(ends[-1]), count, random)
    group = np.searchsorted(ends, drawn, side="right")
    number = drawn - (ends - numbers)[group]
    # The greatest j with j (j - 1) / 2 no more than the number; a root may be off by one.
    j = ((1 + np.sqrt(8.0 * number + 1)) / 2).astype(np.int64)
    j -= j * (j - 1) // 2 > number
    j += j * (j + 1) // 2 <= number
    i = number - j * (j - 1) // 2
    order = np.argsort(codes, kind="stable")
    start = (np.cumsum(sizes) - sizes)[group]
    return np.stack([order[start + i], order[start + j]], axis=1)


def _other_pairs(codes: Rows, count: int, random: np.random.Generator) -> Rows:
    """Draw distinct pairs of rows of two codes: (P, 2), at most ``count``."""
    found = np.zeros((0, 2), np.int64)
    size = len(codes)
    possible = (size * size - int(np.square(np.bincount(codes)).sum())) // 2
    count = min(count, possible)
    while len(found) < count:
        more = np.sort(random.integers(size, size=(2 * count + 16, 2)), axis=1)
        more = more[codes[more[:, 0]] != codes[more[:, 1]]]
        both = np.concatenate([found, more])
        _, first = np.unique(both, axis=0, return_index=True)
        found = both[np.sort(first)]
    return found[:count]


def _distinct(most: int, count: int, random: np.random.Generator) -> Rows:
    """Draw distinct numbers below ``most``; all where there are no more than ``count``."""
    if most <= count:
        return np.arange(most)
    return np.sort(random.choice(most, count, replace=False, shuffle=False))


def _names(*pairs: Pairs) -> set[str]:
    sides = [some.frame[side] for some in pairs for side in SIDES]
    return {str(name) for side in sides for name in side}


def _distances(pairs: Pairs, part: Embedded, distance: Distance) -> tuple[pd.DataFrame, int]:
    """Return ``first``, ``second``, ``same`` and ``distance`` of pairs, and how many are lost."""
    place = pd.Series(np.arange(len(part.images)), index=part.images.frame["image"].to_numpy())
    frame = pairs.frame[[*SIDES, "same"]]
    kept = frame[frame["first"].isin(place.index) & frame["second"].isin(place.index)]
    vectors = distance.prepare(part.vectors)
    a, b = (vectors[torch.tensor(place[kept[side]].to_numpy())] for side in SIDES)
    values = distance.between(a, b).double().cpu().numpy()
    return kept.reset_index(drop=True).assign(distance=values), len(frame) - len(kept)


def _table(name: str, found: Verification) -> pd.DataFrame:
    low, high = bootstrap(found.right.astype(float))
    rows = [("accuracy", found.accuracy, low, high), ("AUC", found.auc, np.nan, np.nan)]
    rows += [
        (f"TPR at FPR {rate:g}", value, np.nan, np.nan)
        for rate, value in found.true_positive_rates.items()
    ]
    table = pd.DataFrame(rows, columns=["metric", "value", "low", "high"])
    table.insert(0, "pairs", name)
    return table

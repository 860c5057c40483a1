"""Rankings that should be no better than chance, scored against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.images import Images
from reid.evaluation.bootstrap import bootstrap_difference
from reid.evaluation.chance import chance

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Nearness = Callable[[int], Floats]
"""From the number of a query to its distance to every gallery image, (G,)."""
LOOK = ("model", "year", "colour")


@dataclass(frozen=True)
class Galleries:
    """The query and gallery splits, and which gallery images count for a query.

    Attributes:
        query: images table, Q rows.
        gallery: images table, G rows.
        look: the columns that look-alikes share; those of `LOOK` that are known.
        strict: whether only other cameras' images of look-alikes count. A network that sees
            the background puts the query's own camera first, where no true match is: that
            hides, in the standard protocol, what it knows. And what tells the model, such as
            the size of a shadow, tells nothing among look-alikes.
    """

    query: pd.DataFrame
    gallery: pd.DataFrame
    look: tuple[str, ...]
    strict: bool = False
    ALL: ClassVar[str] = "all"

    @classmethod
    def of(cls, images: Images) -> Galleries:
        """Take them from a table.

        Raises:
            InputError: a split, an identity or a camera is missing.
        """
        sides = [images.split(name) for name in ("query", "gallery")]
        for side in sides:
            side.require("identity", "the shortcut test")
            side.require("camera", "the shortcut test")
        known = tuple(
            name
            for name in LOOK
            if name in images.frame and not any(side.frame[name].isna().any() for side in sides)
        )
        query, gallery = (side.frame.reset_index(drop=True) for side in sides)
        return cls(query, gallery, known)

    @property
    def name(self) -> str:
        """What counts, for people."""
        if not self.strict:
            return self.ALL
        return "other cameras" + (", same look" if self.look else "")

    def _codes(self, columns: Sequence[str]) -> tuple[Codes, Codes]:
        both = pd.concat([self.query, self.gallery], ignore_index=True)
        codes = np.asarray(both.groupby(list(columns), sort=False).ngroup(), np.int64)
        return codes[: len(self.query)], codes[len(self.query) :]

    def score(self, nearness: Nearness) -> pd.DataFrame:
        """Rank the gallery for every query.

        The gallery images of the query's identity and camera never count. Unlike in
        `reid.evaluation.rank.rank`, equal distances come in random order: images with nothing
        left to see are all alike, and a rule against the query would take a check below
        chance. Distances are given, in float64, so that places in a long list are compared
        exactly.

        Returns:
            ``query`` (its row), ``mAP`` and ``rank-1`` (its AP, and 1 or 0), ``matches`` and
            ``items``: how many count. Queries without a match, or without anything but
            matches, are left out.
        """
        identity, camera = self._codes(["identity"]), self._codes(["camera"])
        look = self._codes(self.look) if self.look else None
        random = np.random.default_rng(0)
        rows = []
        for query in range(len(self.query)):
            true = identity[1] == identity[0][query]
            counts = camera[1] != camera[0][query]
            if not self.strict:
                counts |= ~true
            elif look is not None:
                counts &= look[1] == look[0][query]
            true = true[counts]
            if not true.any() or true.all():
                continue
            order = np.lexsort((random.random(len(true)), nearness(query)[counts]))
            places = np.flatnonzero(true[order]) + 1
            precision = (np.arange(1, len(places) + 1) / places).mean()
            rows.append((query, precision, float(places[0] == 1), len(places), len(true)))
        return pd.DataFrame(rows, columns=["query", "mAP", "rank-1", "matches", "items"])

    def compare(self, scores: pd.DataFrame, other: pd.DataFrame | None = None) -> pd.DataFrame:
        """Compare what `score` returned with chance, or with what it returned of another.

        Returns:
            a row per metric: ``metric``, ``value``, ``expected`` (of a gallery in random
            order, or of ``other``), ``over`` (their difference), ``low`` and ``high`` (its
            95 % bootstrap interval over identities), ``queries``; no row where fewer than two
            identities are left.
        """
        identities = self.query["identity"].iloc[scores["query"]].tolist()
        if len(set(identities)) < 2:
            return pd.DataFrame()
        expected = chance(scores["matches"], scores["items"]) if other is None else other
        rows = []
        for metric in ("mAP", "rank-1"):
            value, mean = float(scores[metric].mean()), float(expected[metric].mean())
            low, high = bootstrap_difference(scores[metric], expected[metric], identities)
            rows.append((metric, value, mean, value - mean, low, high, len(scores)))
        columns = ["metric", "value", "expected", "over", "low", "high", "queries"]
        return pd.DataFrame(rows, columns=columns)


def by_place(query: Floats, gallery: Floats) -> Nearness:
    """Call images near that stand near each other in a list, (Q,) and (G,) being their places."""
    return lambda number: np.abs(gallery - query[number])


def by_share(query: Floats, gallery: Floats) -> Nearness:
    """Call images near that come at the same share of their own split's list.

    Where both splits are sorted by identity, this finds it, wherever they stand in the table.
    """
    places = [np.argsort(np.argsort(side)) for side in (query, gallery)]
    return by_place(*((place + 0.5) / len(place) for place in places))


def by_vector(query: Floats, gallery: Floats) -> Nearness:
    """Call images near whose vectors, (Q, D) and (G, D), are near (Euclidean, squared)."""
    return lambda number: np.square(gallery - query[number]).sum(1)

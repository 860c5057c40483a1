"""Protocols that rank a gallery for each query, once or several times."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import Comparison, Distance
from reid.distances.nearest import nearest
from reid.embedding import Embedded
from reid.evaluation.bootstrap import bootstrap
from reid.evaluation.protocols.protocol import Compare, Protocol, Scores
from reid.evaluation.rank import rank_compared
from reid.evaluation.truth import LeaveOut, Truth

RANKS = (1, 5, 10)
CURVE = 50
"""Ranks of the match curve."""


@dataclass(frozen=True)
class Trial:
    """One gallery for some queries.

    Attributes:
        comparison: Q queries with G items.
        truth: who matches, and what is left out.
        query: images table of the queries, Q rows.
        items: images table of what is ranked, G rows; a track is one of its images.
        words: on what was left out.
    """

    comparison: Comparison
    truth: Truth
    query: pd.DataFrame
    items: pd.DataFrame
    words: str


def compared(
    query: Embedded, gallery: Embedded, distance: Distance, compare: Compare | None
) -> Comparison:
    """Return the comparison that a protocol ranks by."""
    return compare(query, gallery) if compare else distance.compare(query.vectors, gallery.vectors)


def require_matches(truth: Truth, words: str, images: Images) -> None:
    """Demand that some query has a true match, before anything is embedded.

    Args:
        truth: who matches.
        words: on what is left out.
        images: the table.

    Raises:
        InputError: none has.
    """
    if not truth.matches.any():
        raise InputError(
            f"{images.source}: no query has a true match ({words}); the protocol no-camera leaves "
            "out no more than a query's own picture"
        )


def cameras_for(
    query: pd.DataFrame, items: pd.DataFrame, leave_out: LeaveOut | None, what: str
) -> tuple[LeaveOut | None, str]:
    """Return what can be left out given the cameras that are known, and say so.

    Args:
        query: images table of the queries.
        items: images table of what is ranked.
        leave_out: what is wanted.
        what: what items are called.

    Returns:
        ``leave_out``, or None where no camera is known or all images are from one; and words.
    """
    if leave_out is None:
        return None, "nothing left out"
    known = [side["camera"].notna() for side in (query, items)]
    if not all(side.any() for side in known):
        return None, "no camera known, so nothing left out"
    if pd.concat([query["camera"], items["camera"]]).nunique() == 1:
        return None, "all images are from one camera, so nothing left out"
    own = "identity and camera" if leave_out == "identity-camera" else "camera"
    words = f"{what} of the query's {own} left out"
    lacking = [int((~side).sum()) for side in known]
    if any(lacking):
        words += f" ({lacking[0]:,} queries and {lacking[1]:,} {what} without a camera stay in)"
    return leave_out, words


class RankedProtocol(Protocol):
    """Ranks, once or several times.

    Attributes:
        hit: what a match rate is called: ``rank-`` makes ``rank-1``, ``HIT@`` makes ``HIT@1``.
    """

    hit: ClassVar[str] = "rank-"

    @abstractmethod
    def trials(
        self, parts: Sequence[Embedded], distance: Distance, compare: Compare | None = None
    ) -> Iterator[Trial]:
        """Yield what is ranked; arguments and errors as `Protocol.score`."""

    @abstractmethod
    def state(self, first: Trial, parts: Sequence[Embedded]) -> str:
        """Say who is query, who gallery and what is left out, given the first trial."""

    def score(
        self, parts: Sequence[Embedded], distance: Distance, compare: Compare | None = None
    ) -> Scores:
        """Score every trial; see `Protocol.score`."""
        found: list[pd.DataFrame] = []
        excluded, statement = 0, ""
        for trial in self.trials(parts, distance, compare):
            ranking = rank_compared(trial.comparison, trial.truth)
            named = trial.query[["image", "identity", "camera"]].iloc[ranking.per_query["query"]]
            scores = ranking.per_query.drop(columns="query").assign(repeat=len(found))
            found.append(pd.concat([named.reset_index(drop=True), scores], axis=1))
            excluded += ranking.excluded
            statement = statement or self.state(trial, parts)
        per_query = pd.concat(found, ignore_index=True)
        table = metric_table(per_query, self.hit)
        if len(found) == 1:
            per_query = per_query.drop(columns="repeat")
        else:
            means = [metric_columns(scores, self.hit).mean().to_numpy() for scores in found]
            table["spread"] = np.std(means, axis=0, ddof=1)
        statement += f"; {excluded:,} queries without a true match not counted"
        return Scores(table, per_query, statement, match_curve(per_query))

    def lists(
        self,
        parts: Sequence[Embedded],
        distance: Distance,
        queries: Sequence[str],
        top: int,
        compare: Compare | None = None,
    ) -> pd.DataFrame:
        """Return what is nearest to some queries in the first trial.

        Args:
            parts: as `score` takes them.
            distance: likewise.
            queries: image names; those that are no queries are passed over.
            top: how many to return, K; all where it is more than there are.
            compare: as `score` takes it.

        Returns:
            ``query`` and ``image`` (names), ``rank`` (from 1, left-out items not counted) and
            ``match``; a row per query and rank.
        """
        trial = next(iter(self.trials(parts, distance, compare)))
        places = trial.query.reset_index(drop=True).reset_index().set_index("image")["index"]
        asked = [name for name in queries if name in places]
        numbers = torch.tensor([int(places[name]) for name in asked], dtype=torch.int64)
        rows = numbers.to(trial.comparison.device)
        truth = trial.truth
        values, items = nearest(trial.comparison, rows, top, truth.leave_out, later=truth.same)
        match = truth.same(rows[:, None], items)
        items = items.masked_fill(values.isinf(), -1)
        found = []
        for name, row, right in zip(asked, items.tolist(), match.tolist(), strict=True):
            kept = [(item, hit) for item, hit in zip(row, right, strict=True) if item >= 0]
            images = trial.items["image"].iloc[[item for item, _ in kept]]
            found += [
                {"query": name, "rank": rank, "image": image, "match": hit}
                for rank, (image, (_, hit)) in enumerate(zip(images, kept, strict=True), 1)
            ]
        return pd.DataFrame(found, columns=["query", "rank", "image", "match"])


def metric_table(per_query: pd.DataFrame, hit: str = "rank-") -> pd.DataFrame:
    """Return mAP, mINP and the match rates with 95 % intervals, identities being the units.

    A single identity has no interval.

    Args:
        per_query: columns ``identity``, ``ap``, ``inp`` and ``first``.
        hit: what a match rate is called; see `RankedProtocol`.
    """
    identities = per_query["identity"]
    several = identities.nunique() > 1
    rows = []
    for name, values in metric_columns(per_query, hit).items():
        low, high = bootstrap(values, list(identities)) if several else (np.nan, np.nan)
        rows.append((name, float(values.mean()), low, high))
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high"])


def metric_columns(per_query: pd.DataFrame, hit: str = "rank-") -> pd.DataFrame:
    """Return what each metric is the mean of; arguments as `metric_table`."""
    hits = {f"{hit}{k}": (per_query["first"] <= k).astype(float) for k in RANKS}
    return pd.DataFrame({"mAP": per_query["ap"], "mINP": per_query["inp"], **hits})


def match_curve(per_query: pd.DataFrame) -> pd.DataFrame:
    """Return ``rank`` from 1 to 50, and ``share`` of queries with a true match up to it."""
    ranks = np.arange(1, CURVE + 1)
    shares = (per_query["first"].to_numpy()[:, None] <= ranks).mean(0)
    return pd.DataFrame({"rank": ranks, "share": shares})

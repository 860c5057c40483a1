"""Mean average precision, match curve and inverse negative penalty of a ranking, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from annotations.errors import InputError
from reid.device import full_precision
from reid.distances import Comparison, Distance, Embeddings, as_distance
from reid.evaluation.counting import Block, count_nearer
from reid.evaluation.truth import Labels, LeaveOut, Truth

_BLOCK = 2**22
"""Distances held at once: 16 MiB of them, whatever the gallery's size."""


@dataclass(frozen=True)
class Ranking:
    """How a gallery ranks for a set of queries.

    Attributes:
        mAP: mean average precision, 0 to 1: PRN (He et al. 2019), equations (5) and (6).
        mINP: mean inverse negative penalty, 0 to 1: Ye et al. 2021 (the AGW survey); for a
            query, its number of true matches divided by the rank of the last of them.
        cmc: for each rank k asked for, the share of queries with a true match among the
            first k: PRN, equation (4).
        per_query: a row per counted query: ``query`` (its row in the input), ``ap``,
            ``inp``, ``first`` (rank of the first true match, from 1) and ``matches`` (how
            many true matches the gallery has).
        excluded: how many queries were left out because the gallery has no true match.
    """

    mAP: float  # noqa: N815
    mINP: float  # noqa: N815
    cmc: dict[int, float]
    per_query: pd.DataFrame
    excluded: int


def rank(
    query: Embeddings,
    gallery: Embeddings,
    query_ids: Labels,
    gallery_ids: Labels,
    query_cameras: Labels | None = None,
    gallery_cameras: Labels | None = None,
    *,
    ranks: Sequence[int] = (1, 5, 10),
    distance: str | Distance = "euclidean",
    leave_out: LeaveOut = "identity-camera",
) -> Ranking:
    """Rank the gallery for every query and score the rankings.

    A gallery image of the query's identity is a true match, or, where it is from the
    query's camera too, left out. An unknown identity or camera (None, NaN, empty text)
    equals no other, so a distractor is never a match and never left out. Distances are
    compared as float64 has them, of the numbers as given; among equal ones non-matches come first,
    so that embeddings that tell nothing apart get the worst score, not a lucky one.

    Args:
        query: shape (Q, D); the work is done on its device.
        gallery: shape (G, D).
        query_ids: Q identities: any values that compare equal between the two sides.
        gallery_ids: G identities.
        query_cameras: Q cameras; without cameras nothing is left out.
        gallery_cameras: G cameras.
        ranks: the k of ``cmc``.
        distance: its name, such as ``cosine`` or ``cpdm:512,128``, or a distance of one's own.
        leave_out: ``camera`` leaves out all items of the query's camera.

    Raises:
        InputError: an embedding that cannot be compared, lengths that differ, cameras on
            one side only, a rank below 1, or no query with a true match.
    """
    comparison = as_distance(distance).compare(query, gallery)
    for side, ids, count in zip(
        ("query", "gallery"), (query_ids, gallery_ids), comparison.shape, strict=True
    ):
        if not hasattr(ids, "__len__") or len(ids) != count:
            given = len(ids) if hasattr(ids, "__len__") else "none"
            raise InputError(f"{side}_ids: {given} for {count} {side} embeddings")
    truth = Truth(
        query_ids, gallery_ids, query_cameras, gallery_cameras, leave_out, comparison.device
    )
    return rank_compared(comparison, truth, ranks)


def rank_compared(
    comparison: Comparison, truth: Truth, ranks: Sequence[int] = (1, 5, 10)
) -> Ranking:
    """Score the rankings of a comparison; see `rank`.

    Raises:
        InputError: a rank below 1, or no query with a true match.
    """
    if wrong := [k for k in ranks if k < 1 or k != int(k)]:
        raise InputError(f"ranks: {wrong[0]} is not a rank; the first is 1")
    counted = truth.matches.nonzero()[:, 0]
    if not len(counted):
        raise InputError(
            "no query has a true match in the gallery: the identities differ, or every image "
            "of the same identity is from the query's own camera"
        )
    step = max(1, _BLOCK // comparison.shape[1])
    with torch.no_grad(), full_precision(comparison.device):
        scores = [
            _score(comparison, truth, counted[start : start + step])
            for start in range(0, len(counted), step)
        ]
    per_query = pd.DataFrame(torch.cat(scores).numpy(), columns=["ap", "inp", "first", "matches"])
    per_query = per_query.astype({"first": "int64", "matches": "int64"})
    per_query.insert(0, "query", counted.cpu().numpy())
    return Ranking(
        mAP=float(per_query["ap"].mean()),
        mINP=float(per_query["inp"].mean()),
        cmc={k: float((per_query["first"] <= k).mean()) for k in ranks},
        per_query=per_query,
        excluded=comparison.shape[0] - len(counted),
    )


def _score(comparison: Comparison, truth: Truth, query: Tensor) -> Tensor:
    """Score some queries, all of which have a true match.

    Returns:
        float64, shape (B, 4): AP, INP, first rank, number of true matches.
    """
    mates, same, true = truth.mates(query)
    block = Block.of(comparison, query, mates, true)
    truth.hide(block.values, query, mates, same)
    nearer, matches = count_nearer(block).cpu(), truth.matches[query, None].cpu()
    place = torch.arange(1, nearer.shape[1] + 1)
    ranks = (nearer + place).double().masked_fill(place > matches, torch.inf)
    precision = (place / ranks).sum(1, keepdim=True) / matches
    last = ranks.gather(1, matches - 1)
    return torch.cat([precision, matches / last, ranks[:, :1], matches.double()], 1)

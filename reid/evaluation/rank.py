"""Mean average precision, match curve and inverse negative penalty of a ranking, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from annotations.errors import InputError
from reid.distances import Distance, Embeddings, distance_named

_BLOCK = 2**23
"""Distances held at once: 32 MiB of them, whatever the gallery's size."""


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
    query_ids: Sequence[Any],
    gallery_ids: Sequence[Any],
    query_cameras: Sequence[Any] | None = None,
    gallery_cameras: Sequence[Any] | None = None,
    *,
    ranks: Sequence[int] = (1, 5, 10),
    distance: str = "euclidean",
) -> Ranking:
    """Rank the gallery for every query and score the rankings.

    A gallery image of the query's identity is a true match, or, where it is from the
    query's camera too, left out. An unknown identity or camera (None, NaN, empty text)
    equals no other, so a distractor is never a match and never left out. Distances are
    compared as computed in float32; among equal ones non-matches come first, so that
    embeddings that tell nothing apart get the worst score, not a lucky one.

    Args:
        query: shape (Q, D); the work is done on its device.
        gallery: shape (G, D).
        query_ids: Q identities: any values that compare equal between the two sides.
        gallery_ids: G identities.
        query_cameras: Q cameras; without cameras nothing is left out.
        gallery_cameras: G cameras.
        ranks: the k of ``cmc``.
        distance: a name in `reid.distances.DISTANCES`.

    Raises:
        InputError: an embedding that cannot be compared, lengths that differ, cameras on
            one side only, a rank below 1, or no query with a true match.
    """
    measure = distance_named(distance)
    queries = measure.prepare(query, "query")
    items = measure.prepare(gallery, "gallery").to(queries.device)
    if queries.shape[1] != items.shape[1]:
        raise InputError(
            f"query has {queries.shape[1]} dimensions and gallery {items.shape[1]}: "
            "embeddings of two models"
        )
    if (query_cameras is None) != (gallery_cameras is None):
        raise InputError("cameras are given for one side only: give both or neither")
    if wrong := [k for k in ranks if k < 1]:
        raise InputError(f"ranks: {wrong[0]} is not a rank; the first is 1")
    identities = _codes(query_ids, gallery_ids, queries, items, "ids")
    cameras = None
    if query_cameras is not None and gallery_cameras is not None:
        cameras = _codes(query_cameras, gallery_cameras, queries, items, "cameras")
    per_query = _score(queries, items, identities, cameras, measure)
    counted = per_query[per_query["matches"] > 0].reset_index(drop=True)
    if counted.empty:
        raise InputError(
            "no query has a true match in the gallery: the identities differ, or every image "
            "of the same identity is from the query's own camera"
        )
    return Ranking(
        mAP=float(counted["ap"].mean()),
        mINP=float(counted["inp"].mean()),
        cmc={k: float((counted["first"] <= k).mean()) for k in ranks},
        per_query=counted,
        excluded=len(per_query) - len(counted),
    )


def _codes(
    query: Sequence[Any], gallery: Sequence[Any], queries: Tensor, items: Tensor, name: str
) -> tuple[Tensor, Tensor]:
    """Number the values of both sides alike; -1 is unknown."""
    for side, values, embeddings in (("query", query, queries), ("gallery", gallery, items)):
        if len(values) != len(embeddings):
            raise InputError(
                f"{side}_{name}: {len(values)} for {len(embeddings)} {side} embeddings"
            )
    both = [
        None if isinstance(value, str) and not value else value
        for values in (query, gallery)
        for value in (values.tolist() if hasattr(values, "tolist") else values)
    ]
    codes = torch.from_numpy(pd.factorize(pd.Series(both, dtype=object))[0]).to(queries.device)
    return codes[: len(queries)], codes[len(queries) :]


@contextmanager
def _full_precision() -> Iterator[None]:
    # Training may have switched on TF32, whose 10 bits would make ties of near distances.
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _score(
    queries: Tensor,
    items: Tensor,
    identities: tuple[Tensor, Tensor],
    cameras: tuple[Tensor, Tensor] | None,
    measure: Distance,
) -> pd.DataFrame:
    by_identity, order = identities[1].sort(stable=True)
    start = torch.searchsorted(by_identity, identities[0])
    stop = torch.searchsorted(by_identity, identities[0], right=True)
    stop = stop.where(identities[0] >= 0, start)  # an unknown identity has no mates
    step = max(1, _BLOCK // len(items))
    scores = []
    with torch.no_grad(), _full_precision():
        for low in range(0, len(queries), step):
            block = slice(low, low + step)
            distances = measure.pairwise(queries[block], items)
            width = max(1, int((stop[block] - start[block]).max()))
            places = start[block, None] + torch.arange(width, device=order.device)
            true = places < stop[block, None]
            mates = order[places.clamp(max=len(order) - 1)]
            if cameras is not None:
                seen = cameras[0][block, None]
                junk = true & (cameras[1][mates] == seen) & (seen >= 0)
                row, place = junk.nonzero(as_tuple=True)
                distances[row, mates[row, place]] = torch.inf
                true &= ~junk
            scores.append(_score_block(distances, mates, true))
    frame = pd.DataFrame(torch.cat(scores).numpy(), columns=["ap", "inp", "first", "matches"])
    frame.insert(0, "query", range(len(frame)))
    return frame.astype({"first": "int64", "matches": "int64"})


def _score_block(distances: Tensor, mates: Tensor, true: Tensor) -> Tensor:
    """Score a block of queries without sorting the gallery.

    Args:
        distances: shape (B, G); infinite where an item is left out.
        mates: int64, shape (B, M): the gallery rows of the query's identity, padded.
        true: bool, shape (B, M): which of them are true matches.

    Returns:
        float64, shape (B, 4): AP, INP, first rank, number of true matches; zeros where
        there is none.
    """
    near = distances.gather(1, mates).masked_fill(~true, torch.inf).sort(1).values
    # Each item falls behind the true matches nearer than itself; counting those that fall
    # before or level with a true match gives its rank.
    behind = torch.searchsorted(near, distances)
    tally = torch.zeros(len(near), near.shape[1] + 1, dtype=torch.int64, device=near.device)
    tally.scatter_add_(1, behind, torch.ones_like(behind[:, :1]).expand_as(behind))
    others = tally.cumsum(1)[:, :-1] - torch.searchsorted(near, near, right=True)
    others, matches = others.cpu(), true.sum(1, keepdim=True).cpu()
    place = torch.arange(1, others.shape[1] + 1)
    ranks = (others + place).double().masked_fill(place > matches, torch.inf)
    some = matches.clamp(min=1)
    precision = (place / ranks).sum(1, keepdim=True) / some
    first = ranks[:, :1].where(matches > 0, 0)
    return torch.cat([precision, matches / ranks.gather(1, some - 1), first, matches.double()], 1)

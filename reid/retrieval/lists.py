"""Into which lists embeddings go: the lists' centres, learned and asked for in two levels.

Learning L centres as one k-means, and looking at all of them for each of N embeddings, takes
2 N L D operations a round. Learned first as about √L groups and then within each, and looked for in
the nearest groups alone, they take a small part of that: centres of 4,000 lists a twentieth of the
time, with embeddings as near to theirs.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from reid.retrieval.exact import Floats

ROUNDS = 10
"""Of k-means, as faiss' inverted files have."""
_GROUPED = 512
"""Lists from which on there are two levels: fewer are learned in no time."""
_NEAR = 8
"""Groups that are looked at for an embedding: about 99 of 100 find their nearest centre."""


def learn_centres(sample: Floats, lists: int, metric: int) -> Floats:
    """Return the centres (L, D) of so many lists.

    Args:
        sample: (N, D) embeddings, prepared, at least as many as lists.
        lists: L.
        metric: faiss' number; centres are of length one for the inner product.
    """
    if lists < _GROUPED:
        centres: Floats = _kmeans(sample, lists, metric).centroids
        return centres
    groups = _kmeans(sample, round(lists**0.5), metric)
    _, group = groups.assign(sample)
    sizes = np.bincount(group, minlength=groups.k)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(sizes)[:-1])
    return np.concatenate(
        [
            _kmeans(sample[rows], int(count), metric).centroids
            for rows, count in zip(members, _shares(sizes, lists), strict=True)
            if count
        ]
    )


def _kmeans(sample: Floats, count: int, metric: int) -> Any:
    unit = metric == faiss.METRIC_INNER_PRODUCT
    means: Any = faiss.Kmeans(
        sample.shape[1], count, niter=ROUNDS, seed=0, spherical=unit, min_points_per_centroid=1
    )
    means.train(sample)
    return means


def _shares(sizes: npt.NDArray[np.int64], lists: int) -> npt.NDArray[np.int64]:
    """Divide lists among groups by their sizes; the largest remainders get what is left over.

    Args:
        sizes: (G,), together at least ``lists``.
        lists: how many.

    Returns:
        (G,), together ``lists``, none more than the group's size.
    """
    exact = sizes * (lists / sizes.sum())
    shares: npt.NDArray[np.int64] = np.minimum(np.floor(exact).astype(np.int64), sizes)
    wanting = np.argsort(np.where(shares < sizes, shares - exact, np.inf), kind="stable")
    shares[wanting[: lists - shares.sum()]] += 1
    return shares


def assigner_of(centres: Floats, metric: int) -> Any:
    """Return what tells the nearest centre of each embedding, as a faiss index of the centres.

    Args:
        centres: (L, D).
        metric: faiss' number.
    """
    count, width = centres.shape
    if count < _GROUPED:
        flat: Any = faiss.IndexFlat(width, metric)
        flat.add(centres)
        return flat
    groups: Any = faiss.IndexFlat(width, metric)
    grouped: Any = faiss.IndexIVFFlat(groups, width, round(count**0.5), metric)
    grouped.own_fields = True  # of the groups it has the address alone
    groups.this.disown()
    grouped.cp.min_points_per_centroid = 1
    grouped.train(centres)
    grouped.add(centres)
    grouped.nprobe = _NEAR
    return grouped

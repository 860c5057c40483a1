"""Exact search through segments, a block of embeddings at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from annotations.errors import InputError
from reid.distances import Distance, IndexedDistance, nearest

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Part = tuple[npt.NDArray[np.floating[Any]], Mask | None]
"""Embeddings (N, D) as `Distance.prepare` gives them, in any precision, and which of them may be
found, None for all."""

_BLOCK = 2**24
"""Numbers of one block of embeddings: 64 MiB in single precision."""


def search_exactly(
    parts: Sequence[Part],
    distance: Distance,
    queries: Floats,
    top: int,
) -> tuple[Floats, Rows]:
    """Find the nearest embeddings of each query; of equally near ones the first.

    Args:
        parts: what to search; rows are counted through all of them.
        distance: what is near.
        queries: (Q, D), prepared.
        top: how many to find, K; all where it is more than there are.

    Returns:
        Distances and rows, both (Q, K), nearest first; K is less where fewer may be found.

    Raises:
        InputError: ``top`` is below 1, or nothing may be found.
    """
    if top < 1:
        raise InputError(f"top must be at least 1, not {top}")
    best = np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    for block, numbers in _blocks(parts):
        if isinstance(distance, IndexedDistance):
            metric = getattr(faiss, distance.faiss_metric)
            scores, places = faiss.knn(queries, block, min(top, len(block)), metric=metric)
            found = distance.from_faiss(scores)
        else:
            found, places = nearest.search(distance.compare(queries, block), top)
        best = np.concatenate([best, found], 1)
        rows = np.concatenate([rows, numbers[places]], 1)
        order = np.argsort(best, axis=1, kind="stable")[:, :top]
        best = np.take_along_axis(best, order, 1)
        rows = np.take_along_axis(rows, order, 1)
    if not rows.shape[1]:
        raise InputError("no image of the gallery is left to compare with")
    return best, rows


def _blocks(parts: Sequence[Part]) -> Iterator[tuple[Floats, Rows]]:
    """Yield what may be found, in single precision, and its rows."""
    start = 0
    for vectors, keep in parts:
        size = max(1, _BLOCK // vectors.shape[1])
        for first in range(0, len(vectors), size):
            block = vectors[first : first + size]
            numbers = np.arange(first, first + len(block)) + start
            if keep is not None and not (some := keep[first : first + size]).all():
                block, numbers = block[some], numbers[some]
            if len(block):
                yield np.ascontiguousarray(block, np.float32), numbers
        start += len(vectors)

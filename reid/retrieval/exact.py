"""Exact search through segments, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import faiss
import numpy as np
import numpy.typing as npt
import torch

from annotations.errors import InputError
from reid.distances import Distance, IndexedDistance, nearest
from reid.retrieval.vectors import ask

if TYPE_CHECKING:
    from reid.retrieval.gpus import Gpus

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BLOCK = 2**24
"""Numbers of one block of embeddings: 64 MiB in single precision."""
_FEW = 16
"""Queries for which reading the index once for each is faster than a product of blocks."""


class Part(NamedTuple):
    """A stretch of what is searched.

    Attributes:
        vectors: (N, D) as `Distance.prepare` gives them, in any precision.
        start: the row of the first.
        keep: which of them may be found, (N,); None for all.
        index: a flat faiss index of the same; None where there is none.
    """

    vectors: npt.NDArray[np.floating[Any]]
    start: int = 0
    keep: Mask | None = None
    index: Any = None


def search_exactly(
    parts: Sequence[Part], distance: Distance, queries: Floats, top: int, gpus: Gpus | None = None
) -> tuple[Floats, Rows]:
    """Find the nearest embeddings of each query, equally near ones in any order.

    Args:
        parts: what to search.
        distance: what is near.
        queries: (Q, D), prepared.
        top: how many to find, K; all where it is more than there are.
        gpus: to search on; None for the processor, where also more is searched than these can. By
            a distance that faiss does not know, blocks pass through the first of them.

    Returns:
        Distances and rows, both (Q, K), nearest first; K is less where fewer may be found.

    Raises:
        InputError: ``top`` is below 1, or nothing may be found.
    """
    if top < 1:
        raise InputError(f"top must be at least 1, not {top}")
    best, rows = merged(_found(parts, distance, queries, top, gpus), len(queries), top)
    if not rows.shape[1]:
        raise InputError("no image of the gallery is left to compare with")
    return best, rows


def merged(found: Iterable[tuple[Floats, Rows]], queries: int, top: int) -> tuple[Floats, Rows]:
    """Return the nearest of several lists: distances (Q, K') and rows each."""
    best = np.empty((queries, 0), np.float32)
    rows = np.empty((queries, 0), np.int64)
    for distances, numbers in found:
        best = np.concatenate([best, distances], 1)
        rows = np.concatenate([rows, numbers], 1)
        order = np.argsort(best, axis=1, kind="stable")[:, :top]
        best = np.take_along_axis(best, order, 1)
        rows = np.take_along_axis(rows, order, 1)
    return best, rows


def _found(
    parts: Sequence[Part], distance: Distance, queries: Floats, top: int, gpus: Gpus | None
) -> Iterator[tuple[Floats, Rows]]:
    """Yield the nearest of each stretch, and their rows."""
    if gpus is not None and isinstance(distance, IndexedDistance) and top <= gpus.most:
        yield from gpus.found(parts, distance, queries, top)
        return
    if len(queries) > _FEW or any(part.index is None for part in parts):
        device = None if gpus is None else gpus.device
        for part in parts:
            for block, numbers in _blocks(part):
                found, places = _nearest(distance, queries, block, top, device)
                yield found, (numbers + part.start)[places]
        return
    assert isinstance(distance, IndexedDistance)

    def first(part: Part) -> tuple[Floats, Rows]:
        count = len(part.vectors) if part.keep is None else int(part.keep.sum())
        if not count:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        if part.keep is None:
            scores, places = ask(part.index, queries, min(top, count))
        else:
            bits: Any = np.packbits(part.keep, bitorder="little")
            how = _only(bits)
            scores, places = ask(part.index, queries, min(top, count), how)
        return distance.from_faiss(scores), places

    # An index answers one query on one processor.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part, (found, places) in zip(parts, pool.map(first, parts), strict=True):
            yield found, places + part.start


def _only(bits: Any) -> Any:
    # What faiss adds to its classes in Python, mypy does not see.
    selector: Any = faiss.IDSelectorBitmap
    parameters: Any = faiss.SearchParameters
    return parameters(sel=selector(bits))


def _nearest(
    distance: Distance, queries: Floats, block: Floats, top: int, device: torch.device | None
) -> tuple[Floats, Rows]:
    if isinstance(distance, IndexedDistance):
        metric = getattr(faiss, distance.faiss_metric)
        scores, places = faiss.knn(queries, block, min(top, len(block)), metric=metric)
        return distance.from_faiss(scores), places
    asked = queries if device is None else torch.from_numpy(queries).to(device)
    return nearest.search(distance.compare(asked, block), top)


def _blocks(part: Part) -> Iterator[tuple[Floats, Rows]]:
    """Yield what may be found, in single precision, and its rows."""
    size = max(1, BLOCK // part.vectors.shape[1])
    for first in range(0, len(part.vectors), size):
        block = part.vectors[first : first + size]
        numbers = np.arange(first, first + len(block))
        if part.keep is not None and not (some := part.keep[first : first + size]).all():
            block, numbers = block[some], numbers[some]
        if len(block):
            yield np.ascontiguousarray(block, np.float32), numbers

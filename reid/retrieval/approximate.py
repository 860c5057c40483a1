"""Search that looks at a part of a gallery: an inverted file, then exact distances."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
import torch

from reid.distances import Distance, IndexedDistance
from reid.retrieval.exact import Floats, Mask, Rows
from reid.retrieval.lists import assigner_of, learn_centres
from reid.retrieval.vectors import ask, metric_of, not_written

_TRAINING = 64
"""Embeddings that each list's centre is learned from, on average."""
_BITS = 4
_DIMENSIONS = 4
"""Of an embedding, so many go into one code of 4 bits."""
_TOGETHER = 32
"""Queries whose candidates are measured at once, at most."""
_LISTED = 2**22
"""Candidates that are listed at once, at most, where a query has fewer."""
_NUMBERS = 2**25
"""Numbers of candidates' embeddings that are held at once, at most, where a query has fewer."""


def lists_for(count: int) -> int:
    """Return into how many lists so many embeddings go, as faiss' guidelines have it."""
    return int(max(1, min(4 * count**0.5, count / 40)))


def build_index(
    blocks: Iterator[tuple[Rows, Floats]],
    sample: Floats,
    count: int,
    distance: IndexedDistance,
) -> Any:
    """Return an inverted file with codes of 4 bits that are compared in registers (FastScan).

    Args:
        blocks: rows and their embeddings, prepared.
        sample: embeddings to learn from.
        count: how many there will be.
        distance: what they are compared by.
    """
    width = sample.shape[1]
    lists, codes = lists_for(count), max(1, width // _DIMENSIONS)
    while width % codes:
        codes -= 1
    metric = metric_of(distance)
    learned = learn_centres(sample[: _TRAINING * lists], lists, metric)
    centres: Any = faiss.IndexFlat(width, metric)
    centres.add(learned)
    index: Any = faiss.IndexIVFPQFastScan(centres, width, lists, codes, _BITS, metric)
    index.own_fields = True  # of the centres it has the address alone
    centres.this.disown()
    index.train(sample[: _TRAINING * lists])  # codes alone: the centres are there
    # While the lists are filled, what finds their centres fastest stands for these.
    assigner = assigner_of(learned, metric)
    index.quantizer = assigner
    try:
        for rows, vectors in blocks:
            index.add_with_ids(vectors, rows)
    finally:
        index.quantizer = centres
        assigner.this.own(True)  # the index took it for its own, and lets go of it without a word
    return index


def write_index(index: Any, path: Path) -> None:
    """Write an index.

    Raises:
        OSError: it has no place.
    """
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:
        raise not_written(error) from None


def find(
    index: Any,
    vectors: Any,
    distance: Distance,
    queries: Floats,
    top: int,
    probes: int,
    candidates: int,
    keep: Mask | None = None,
) -> tuple[Floats, Rows]:
    """Find most of the nearest of each query, with exact distances.

    Args:
        index: see `build_index`.
        vectors: returns the embeddings of rows, int64 (R,) to (R, D).
        distance: what is near.
        queries: (Q, D), prepared.
        top: how many to find, K.
        probes: lists to look at.
        candidates: so many times K are measured.
        keep: which rows may be found; None for all.

    Returns:
        Distances and rows, both (Q, K); infinite and -1 where too few were found.
    """
    selector: Any = faiss.IDSelectorBitmap
    parameters: Any = faiss.SearchParametersIVF
    how = {"nprobe": min(probes, index.nlist)}
    if keep is not None:
        bits = np.packbits(keep, bitorder="little")
        how["sel"] = selector(bits)
    width = min(top * candidates, index.ntotal)
    distances = np.full((len(queries), top), np.inf, np.float32)
    rows = np.full((len(queries), top), -1, np.int64)
    many = max(1, _LISTED // width)
    few = min(many, _TOGETHER, max(1, _NUMBERS // (width * queries.shape[1])))
    for start in range(0, len(queries), many):
        _, listed = ask(index, queries[start : start + many], width, parameters(**how))
        for first in range(0, len(listed), few):
            some = listed[first : first + few]
            those = slice(start + first, start + first + len(some))
            exact = _measured(vectors, distance, queries[those], some)
            order = np.argsort(exact, axis=1, kind="stable")[:, :top]
            distances[those, : order.shape[1]] = np.take_along_axis(exact, order, 1)
            rows[those, : order.shape[1]] = np.take_along_axis(some, order, 1)
    return distances, rows


def _measured(vectors: Any, distance: Distance, queries: Floats, rows: Rows) -> Floats:
    """Return the distances (Q, C) of candidates (Q, C); infinite where there is none."""
    there = rows >= 0
    exact = np.full(rows.shape, np.inf, np.float32)
    if there.any():
        asked = torch.from_numpy(np.repeat(queries, there.sum(1), axis=0))
        exact[there] = distance.between(asked, torch.from_numpy(vectors(rows[there]))).numpy()
    return exact


def recall(found: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]) -> Floats:
    """Return for each query which share of the true rows (Q, K) is among those found (Q, K)."""
    # Row by row: all comparisons at once are K times K of them for each query.
    shares = [np.isin(true, some).mean() for some, true in zip(found, truth, strict=True)]
    return np.array(shares, np.float32)

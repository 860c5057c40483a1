"""Time and memory of k-reciprocal re-ranking beside the dense original, at public sets' shapes.

    python -m benchmarks.rerank [--shapes veri776,veriwild-small,veriwild-large] [--device cpu]

The dense original is the authors' algorithm as it is commonly run: numpy, whole matrices of all
queries and gallery items against each other in the original's order in memory, an argsort of all
of it, loops over rows. It is written anew here and takes its distances from one product. It runs
where its matrices fit, at VeRi's shape. Both start from embeddings and end with the distances of
all queries to all gallery items; ours are made block by block and dropped, as an evaluation does.
Beside both stand the bare float32 products, most of which ours leaves to bf16 where it can.
Embeddings stand around a centre of their identity. Memory is the peak of the process above what it
held with the embeddings in place; on another device than the CPU that says little.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmarks.evaluate import Shape, embeddings, truth
from benchmarks.memory import peak_above
from reid.device import keep_freed_memory
from reid.reranking.k_reciprocal import k_reciprocal

SHAPES = {
    "tiny": Shape(400, 2_600, 2_048, 60, 20, 3.7),
    "veri776": Shape(1_678, 11_579, 2_048, 200, 20, 3.7),
    "veriwild-small": Shape(3_000, 38_861, 256, 3_000, 174, 1.6),
    "veriwild-large": Shape(10_000, 128_517, 256, 10_000, 174, 1.6),
}
DENSE = ("tiny", "veri776")
BLOCK = 2**22
"""Distances made at once, as in an evaluation."""

Matrix = npt.NDArray[np.float32]


def sparse(query: Tensor, gallery: Tensor) -> list[Matrix]:
    """Return the distances of the first queries; those of all are made."""
    comparison = k_reciprocal(query, gallery)
    step = max(1, BLOCK // len(gallery))
    blocks = torch.arange(len(query), device=query.device).split(step)
    first = [comparison.values(block).cpu().numpy() for block in blocks[:1]]
    for block in blocks[1:]:
        comparison.values(block).cpu()
    return first


def products(query: Tensor, gallery: Tensor, tile: int = 2048) -> None:
    """Multiply every pair of rows once, and queries with the gallery again.

    That is what re-ranking by float32 alone cannot do without, unless it holds all distances.
    """
    rows = torch.cat([query, gallery])
    for start in range(0, len(rows), tile):
        for other in range(start, len(rows), tile):
            rows[start : start + tile] @ rows[other : other + tile].T
    for some in query.split(max(1, BLOCK // len(gallery))):
        some @ gallery.T


def dense(query: Matrix, gallery: Matrix, k1: int = 20, k2: int = 6, weight: float = 0.3) -> Matrix:
    """Return all distances, as the original does: shape (Q, G)."""
    rows = np.concatenate([query, gallery])
    squares = np.square(rows).sum(1)
    distance = squares[:, None] + squares - 2 * rows @ rows.T
    np.maximum(distance, 0, out=distance)
    # The transpose is the original's; all matrices but the ranks have its order in memory.
    distance = (distance / distance.max(0)).T
    rank = np.argsort(distance).astype(np.int32)
    vectors = np.zeros_like(distance)
    for row in range(len(rows)):
        own = mutual(rank, row, k1)
        members = own
        for other in own:
            theirs = mutual(rank, other, round(k1 / 2))
            if len(np.intersect1d(theirs, own)) > 2 / 3 * len(theirs):
                members = np.append(members, theirs)
        members = np.unique(members)
        near = np.exp(-distance[row, members])
        vectors[row, members] = near / near.sum()
    distance = distance[: len(query)]
    if k2 != 1:
        means = np.zeros_like(vectors)
        for row in range(len(rows)):
            means[row] = vectors[rank[row, :k2]].mean(0)
        vectors = means
        del means
    del rank
    holders = [vectors[:, column].nonzero()[0] for column in range(len(rows))]
    jaccard = np.zeros_like(distance)
    for row in range(len(query)):
        shared = np.zeros(len(rows), np.float32)
        for column in vectors[row].nonzero()[0]:
            others = holders[column]
            shared[others] += np.minimum(vectors[row, column], vectors[others, column])
        jaccard[row] = 1 - shared / (2 - shared)
    return (jaccard * (1 - weight) + distance * weight)[:, len(query) :]


def mutual(rank: npt.NDArray[np.int32], row: int, count: int) -> npt.NDArray[np.int32]:
    """Return the ``count`` neighbours of a row, and itself, that have it as one of theirs."""
    forward = rank[row, : count + 1]
    backward = rank[forward, : count + 1]
    return forward[np.nonzero(backward == row)[0]]


def main() -> None:
    """Print a line for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", default="veri776,veriwild-small,veriwild-large")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {given.device}")
    keep_freed_memory(torch.device(given.device))  # as whoever has made embeddings before
    for name in given.shapes.split(","):
        shape = SHAPES[name]
        ids, _, gallery_ids, _ = truth(shape, None)
        sides = embeddings([ids, gallery_ids], shape.dimensions, shape.noise)
        query, gallery = (side.to(given.device) for side in sides)
        sparse(query[:50], gallery[:500])  # loads libraries
        start = time.perf_counter()
        memory, ours = peak_above(lambda: sparse(query, gallery))  # noqa: B023
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        products(query, gallery)
        bare = time.perf_counter() - start
        line = (
            f"{name:14} ours {seconds:7.2f} s {memory / 2**20:6.0f} MiB"
            f"  products alone {bare:7.2f} s"
        )
        if name in DENSE:
            start = time.perf_counter()
            above, theirs = peak_above(lambda: dense(*(side.numpy() for side in sides)))  # noqa: B023
            longer = time.perf_counter() - start
            off = np.abs(ours[0] - theirs[: len(ours[0])])
            line += (
                f"  dense {longer:7.2f} s {above / 2**20:6.0f} MiB  {longer / seconds:5.1f} x"
                f" faster, {memory / above:.2f} of the memory, {(off > 1e-6).mean():.1e} of"
                " distances differ by more than 1e-6"
            )
        print(line, flush=True)


if __name__ == "__main__":
    main()

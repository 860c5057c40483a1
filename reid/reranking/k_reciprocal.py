"""k-reciprocal re-ranking: distances by how much neighbourhoods have in common."""

from __future__ import annotations

import torch
from torch import Tensor

from annotations.errors import InputError
from reid.distances import Distance, Embeddings
from reid.reranking.encoding import WHOLE, encode
from reid.reranking.measured import Measured
from reid.reranking.neighbours import find_neighbours
from reid.reranking.sparse import SparseRows
from reid.reranking.squares import Squares, joined

_ROUNDING = 2.0**-21
"""What float32 may add to a value of at most 1 in the few steps from whole numbers to it."""

_BLOCK = 2**22
"""Pairs held at once."""


def k_reciprocal(
    query: Embeddings,
    gallery: Embeddings,
    *,
    k1: int = 20,
    k2: int = 6,
    weight: float = 0.3,
    distance: str | Distance = "euclidean",
) -> KReciprocal:
    """Re-rank by k-reciprocal encoding (Zhong et al., CVPR 2017, equations (1) to (12)).

    The distance is (1 - weight) J + weight d. J is the Jaccard distance of the two rows' vectors
    of neighbours. d is the squared Euclidean distance or the (not squared) cosine distance,
    divided by the query's greatest to any query or gallery item, as in the authors' program.
    Queries and gallery items are neighbours alike, so a result depends on all queries.

    Where the paper is silent: among equally near neighbours the first counts, queries before
    gallery items; distances are those of the embeddings in float32; where all are 0, d is 0.

    Memory is O((Q + G)(k1 + k2 s + D)), s being the size of a neighbourhood.

    Args:
        query: shape (Q, D); the work is done on its device.
        gallery: shape (G, D).
        k1: neighbours in a k-reciprocal set.
        k2: neighbours over which vectors are averaged, counting the row itself; 1 for none.
        weight: the share of the original distance, 0 to 1: lambda in the paper.
        distance: a name in `reid.distances.DISTANCES`, or itself.

    Returns:
        A comparison whose values are the distances, 0 to 1.

    Raises:
        InputError: ``k1`` or ``k2`` below 1, ``weight`` out of range, an unknown distance, or
            embeddings that cannot be compared.
    """
    for name, number in (("k1", k1), ("k2", k2)):
        if number < 1:
            raise InputError(f"{name} must be at least 1, not {number}")
    if not 0 <= weight <= 1:
        raise InputError(f"weight must be from 0 to 1, not {weight}")
    rows, shape = joined(query, gallery, distance)
    return KReciprocal(Squares(rows), shape, k1, k2, weight)


class KReciprocal(Measured):
    """Compares by k-reciprocal encoding; see `k_reciprocal`.

    Args:
        squares: rows of queries, then of gallery items.
        shape: Q and G.
        k1: see `k_reciprocal`.
        k2: see `k_reciprocal`.
        weight: see `k_reciprocal`.
    """

    def __init__(
        self, squares: Squares, shape: tuple[int, int], k1: int, k2: int, weight: float
    ) -> None:
        self.shape, self.device = shape, squares.device
        self._squares, self._weight = squares, weight
        near = find_neighbours(squares, max(k1 + 1, k2))
        self._farthest = near.farthest[: shape[0]]
        vectors = encode(squares, near, k1, k2)
        split = int(vectors.start[shape[0]])
        self._query = SparseRows(
            vectors.start[: shape[0] + 1], vectors.column[:split], vectors.value[:split]
        )
        item = torch.repeat_interleave(vectors.start[shape[0] :].diff())
        # By column, so that a query finds the items with which it shares neighbours.
        self._holders = SparseRows.of(
            sum(shape), vectors.column[split:], item, vectors.value[split:]
        )

    def values(self, query: Tensor) -> Tensor:
        """See `Comparison.values`."""
        values = self._shared(query).float()
        values = (1 - values / (2 * WHOLE - values)).mul_(1 - self._weight)
        if self._weight:
            tile = self._squares.tile(query, slice(self.shape[0], None)).clamp_(min=0)
            values += tile.mul_(self._weight / self._farthest[query, None])
        return values

    def bound(self, query: Tensor) -> Tensor:
        """See `Measured.bound`."""
        return self._weight * self._squares.error(query) / self._farthest[query] + _ROUNDING

    def exact(self, query: Tensor, item: Tensor) -> Tensor:
        """See `Comparison.exact`."""
        shared = torch.empty(len(query), dtype=torch.float64, device=self.device)
        queries, place = torch.unique(query, return_inverse=True)
        step = max(1, _BLOCK // self.shape[1])
        for start in range(0, len(queries), step):
            some = ((place >= start) & (place < start + step)).nonzero()[:, 0]
            block = self._shared(queries[start : start + step])
            shared[some] = block[place[some] - start, item[some]].double()
        distance = 1 - shared / (2 * WHOLE - shared)
        distance *= 1 - self._weight
        if self._weight:
            pairs = self._squares.pairs(query, item + self.shape[0]).double()
            distance += self._weight * pairs / self._farthest[query]
        return distance

    def _shared(self, query: Tensor) -> Tensor:
        """Return sums of minima, as shares of `WHOLE`: int64 (B,) to int32 (B, G)."""
        size = self.shape[1]
        shared = torch.zeros(len(query) * size, dtype=torch.int32, device=self.device)
        place, column, value = self._query.take(query)
        for some in self._holders.pieces(column):
            which, item, other = self._holders.take(column[some])
            at = place[some][which].mul_(size).add_(item)
            shared.scatter_add_(0, at, torch.minimum(value[some][which], other))
        # Rounded shares may add up to a little more than the whole.
        return shared.clamp_(max=WHOLE).view(len(query), size)

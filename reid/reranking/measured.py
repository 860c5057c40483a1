"""Comparisons whose values are distances, so that they can be worked with further."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from reid.distances import Comparison, Embeddings
from reid.reranking.squares import Squares, joined


class Measured(Comparison):
    """A comparison whose values are the exact ones but for rounding.

    A `Comparison` promises only the order of its values, query by query.
    """

    @abstractmethod
    def bound(self, query: Tensor) -> Tensor:
        """Return how far any value of some queries may be off: int64 (...) to float32 (...)."""

    def error(self, query: Tensor, value: Tensor, item: Tensor | None = None) -> Tensor:
        """See `Comparison.error`."""
        return self.bound(query)


class Cosines(Measured):
    """Compares by one minus the cosine, 0 to 2.

    Args:
        query: shape (Q, D); the work is done on its device.
        gallery: shape (G, D).

    Raises:
        InputError: as `reid.reranking.squares.joined`.
    """

    def __init__(self, query: Embeddings, gallery: Embeddings) -> None:
        rows, self.shape = joined(query, gallery, "cosine")
        self._squares = Squares(rows)
        self._items = slice(self.shape[0], None)
        self.device = rows.device
        # Half the squared chord is one minus the cosine.
        self._half = 0.5 / self._squares.scale**2

    def values(self, query: Tensor) -> Tensor:
        """See `Comparison.values`."""
        return self._squares.tile(query, self._items).clamp_(min=0).mul_(self._half)

    def bound(self, query: Tensor) -> Tensor:
        """See `Measured.bound`."""
        return self._squares.error(query) * self._half

    def exact(self, query: Tensor, item: Tensor) -> Tensor:
        """See `Comparison.exact`."""
        pairs = self._squares.pairs(query, item + self.shape[0])
        return pairs.double() * self._half

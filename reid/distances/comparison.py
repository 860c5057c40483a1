"""What a ranking needs to know of a distance: values of all pairs, and exact ones of a few."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Comparison(ABC):
    """Q queries against G gallery items.

    A value stands for a distance: for one query, a greater value is a greater distance. Values
    of all pairs come from a float32 product, whose rounding differs between devices and block
    sizes. Where two values are nearer than rounding can tell, exact ones decide; they come from
    operations that every device rounds alike, so a ranking is the same everywhere.

    Attributes:
        shape: Q and G.
        device: where the work is done, and where indices are taken and results given.
    """

    shape: tuple[int, int]
    device: torch.device

    @abstractmethod
    def values(self, query: Tensor) -> Tensor:
        """Return the values of some queries and all items.

        Args:
            query: int64, shape (B,).

        Returns:
            float32, shape (B, G), which the caller may overwrite.
        """

    @abstractmethod
    def error(self, query: Tensor, value: Tensor, item: Tensor | None = None) -> Tensor:
        """Return how far values may be from exact ones.

        Args:
            query: int64, any shape.
            value: float32, of the same shape: the values.
            item: int64, of the same shape; None for the most that any item of about this
                value may be off.

        Returns:
            float32, of the same shape.
        """

    @abstractmethod
    def exact(self, query: Tensor, item: Tensor) -> Tensor:
        """Return exact values of pairs: int64 (P,) and (P,) to float64 (P,)."""

    def within(self, query: Tensor, most: Tensor) -> tuple[Tensor, Tensor]:
        """Find the pairs whose exact value may be up to a given one.

        Args:
            query: int64 (B,).
            most: float32 (B, 1), a value for each of them.

        Returns:
            Rows of ``query`` and items, int64 (P,) both, ascending.
        """
        near = self.values(query) <= most + self.error(query[:, None], most)
        row, item = near.nonzero(as_tuple=True)
        return row, item


class Sliceable(Comparison):
    """A comparison that can be had with a stretch of its items alone."""

    @abstractmethod
    def among(self, start: int, stop: int) -> Comparison:
        """Return the comparison with the items from ``start`` to before ``stop``."""

"""Rows of a matrix that is nearly all zeros, of which any can be taken at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_MOST = 2**21
"""Entries taken at once by `pieces`."""


@dataclass(frozen=True)
class SparseRows:
    """A matrix by rows, without its zeros.

    Attributes:
        start: int64 (N + 1,), where in the other two each row starts.
        column: int64 (E,).
        value: int32 (E,).
    """

    start: Tensor
    column: Tensor
    value: Tensor

    @classmethod
    def of(cls, count: int, row: Tensor, column: Tensor, value: Tensor) -> SparseRows:
        """Build ``count`` rows of entries in any order, which is kept within a row."""
        row, order = row.sort(stable=True)
        start = torch.searchsorted(row, torch.arange(count + 1, device=row.device))
        return cls(start, column[order], value[order])

    def lengths(self, rows: Tensor) -> Tensor:
        """Return how many entries some rows have: int64 (R,) to int64 (R,)."""
        return self.start[rows + 1] - self.start[rows]

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return all entries of some rows, which may repeat: int64 (R,) to three of shape (E,).

        The first is the place in ``rows`` from which an entry comes, then column and value.
        """
        lengths = self.lengths(rows)
        place = torch.repeat_interleave(lengths)
        shift = self.start[rows] - (lengths.cumsum(0) - lengths)
        entry = torch.arange(len(place), device=place.device) + shift[place]
        return place, self.column[entry], self.value[entry]

    def pieces(self, rows: Tensor) -> Iterator[slice]:
        """Cut ``rows`` (int64 (R,)) where about as many entries as memory allows are reached."""
        full = self.lengths(rows).cumsum(0) // _MOST
        start = 0
        for size in torch.unique_consecutive(full, return_counts=True)[1].tolist():
            yield slice(start, start + size)
            start += size

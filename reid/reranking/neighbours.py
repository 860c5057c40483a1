"""The nearest rows of every row, and how far the farthest is, in little memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reid.reranking.squares import Squares

_TILE = 2048
"""Rows and columns of a tile of distances: 16 MiB."""
_SPARE = 4
"""Neighbours found beyond those asked for: those that rounding may have put behind them."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each of N rows.

    Attributes:
        index: int64 (N, K), the nearest first; among equally near ones the first in the matrix.
            A row is its own neighbour.
        farthest: float32 (N,), squared distance of the farthest row; 1 where that is 0, so that
            one can divide by it.
    """

    index: Tensor
    farthest: Tensor


def find_neighbours(squares: Squares, count: int) -> Neighbours:
    """Find the ``count`` nearest rows of every row, at most all of them.

    Products are taken by tiles, of which each serves for its rows and, mirrored, for its columns.
    Where rounding may have changed the order, distances that are the same on every device decide.
    """
    size = len(squares)
    count = min(count, size)
    kept = _Kept(squares, min(count + _SPARE, size))
    blocks = [slice(start, min(start + _TILE, size)) for start in range(0, size, _TILE)]
    for number, rows in enumerate(blocks):
        for columns in blocks[number:]:
            tile = squares.tile(rows, columns)
            kept.add(rows, tile, columns.start)
            if columns is not rows:
                kept.add(columns, tile.T.contiguous(), rows.start)
    index, crowded = kept.in_order(count)
    if len(crowded):
        _look_at_all(squares, index, crowded)
    everyone = torch.arange(size, device=index.device)
    farthest = squares.pairs(everyone, kept.far_index)
    return Neighbours(index, farthest.where(farthest > 0, torch.ones_like(farthest)))


class _Kept:
    """The nearest columns and the farthest one of each row, of the tiles seen so far."""

    def __init__(self, squares: Squares, count: int) -> None:
        size, device = len(squares), squares.device
        self._squares = squares
        self._value = torch.full((size, count), torch.inf, device=device)
        self._index = torch.zeros((size, count), dtype=torch.int64, device=device)
        self._far = torch.full((size,), -torch.inf, device=device)
        self.far_index = torch.zeros(size, dtype=torch.int64, device=device)

    def add(self, rows: slice, tile: Tensor, start: int) -> None:
        count = self._value.shape[1]
        near = tile.topk(min(count, tile.shape[1]), largest=False, sorted=False)
        values = torch.cat([self._value[rows], near.values], 1)
        places = torch.cat([self._index[rows], near.indices + start], 1)
        self._value[rows], order = values.topk(count, largest=False)
        self._index[rows] = places.gather(1, order)
        farther = (tile.amax(1) > self._far[rows]).nonzero()[:, 0]
        found = tile[farther].max(1)
        self._far[rows.start + farther] = found.values
        self.far_index[rows.start + farther] = found.indices + start

    def in_order(self, count: int) -> tuple[Tensor, Tensor]:
        """Return the nearest ``count``, and the rows of which as near ones were not kept."""
        value, index = self._value, self._index
        error = self._squares.error(slice(None))
        close = (value.diff(dim=1) <= 2 * error[:, None]).any(1).nonzero()[:, 0]
        some = index[close].sort(1).values
        rows = close.repeat_interleave(some.shape[1])
        distance = self._squares.pairs(rows, some.flatten()).view_as(some)
        distance, order = distance.sort(dim=1, stable=True)
        index[close] = some.gather(1, order)
        if index.shape[1] < len(index):
            close = close[(value[:, -1] - error)[close] <= distance[:, count - 1]]
        else:
            close = close[:0]
        return index[:, :count].contiguous(), close


def _look_at_all(squares: Squares, index: Tensor, crowded: Tensor) -> None:
    """Write the nearest rows of rows with many equally near ones into ``index``."""
    alike = squares.alike()
    for row in torch.split(crowded, 1):
        values = squares.tile(row, slice(None))[0]
        limit = values.kthvalue(index.shape[1]).values + 2 * squares.error(row)
        near = (values <= limit).nonzero()[:, 0]
        # A collapsed network makes all rows equal; no pair of equal rows is measured twice.
        kinds, kind = torch.unique(alike[near], return_inverse=True)
        distance = squares.pairs(row.expand_as(kinds), kinds)[kind]
        index[row] = near[distance.sort(stable=True).indices[: index.shape[1]]]

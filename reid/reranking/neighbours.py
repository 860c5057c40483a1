"""The nearest rows of every row, and how far the farthest is, in little memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from reid.reranking.squares import Squares

_TILE = 2048
"""Rows and columns of a tile of distances: 16 MiB."""
_GROUP = 8
"""Distances of which only the smallest is looked at first."""
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
            kept.add(rows, tile, columns.start, 1)
            if columns is not rows:
                kept.add(columns, tile, rows.start, 0)
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

    def add(self, rows: slice, tile: Tensor, start: int, across: int) -> None:
        """Look at the distances of some rows to columns.

        Args:
            rows: which rows.
            tile: distances, rows by columns or columns by rows.
            start: the first column.
            across: the dimension of ``tile`` that has the columns.
        """
        count = self._value.shape[1]
        value, place = _first(tile, min(count, tile.shape[across]), across, largest=False)
        value = torch.cat([self._value[rows], value], 1)
        place = torch.cat([self._index[rows], place.add_(start)], 1)
        self._value[rows], order = value.topk(count, largest=False)
        self._index[rows] = place.gather(1, order)
        value, place = (side[:, 0] for side in _first(tile, 1, across, largest=True))
        farther = value > self._far[rows]
        self._far[rows] = value.where(farther, self._far[rows])
        self.far_index[rows] = (place + start).where(farther, self.far_index[rows])

    def in_order(self, count: int) -> tuple[Tensor, Tensor]:
        """Return the nearest ``count``, and the rows of which as near ones were not kept."""
        value, index = self._value, self._index
        reach = 2 * self._squares.error(slice(None))
        apart = value.diff(dim=1) > reach[:, None]
        some = (~apart).any(1).nonzero()[:, 0]
        # Distances of one run are nearer to each other than rounding can tell.
        run = F.pad(apart[some].cumsum(1), (1, 0))
        alone = F.pad(apart[some], (1, 1), value=True).unfold(1, 2, 1).all(2)
        row, place = (~alone).nonzero(as_tuple=True)
        exact = torch.zeros_like(value[some], dtype=torch.float64)
        exact[row, place] = self._squares.pairs(some[row], index[some[row], place], torch.float64)
        order = index[some].argsort(1)
        order = order.gather(1, exact.gather(1, order).argsort(dim=1, stable=True))
        order = order.gather(1, run.gather(1, order).argsort(dim=1, stable=True))
        index[some] = index[some].gather(1, order)
        nearest = index[:, :count].contiguous()
        if index.shape[1] == len(index):
            return nearest, some[:0]
        last = exact.gather(1, order)[:, count - 1]
        unsure = (value[some, -1] - reach[some] / 2).double() <= last
        return nearest, some[unsure & (run[:, count - 1] == run[:, -1])]


def _first(tile: Tensor, count: int, across: int, largest: bool) -> tuple[Tensor, Tensor]:
    """Return the smallest or largest numbers along a dimension, and where: (N, ``count``) each.

    They are in the groups whose own smallest or largest come first, so few need be sorted.
    """
    size = tile.shape[across]
    groups = size // _GROUP
    if groups <= count:
        found = tile.topk(count, across, largest, sorted=False)
        return _upright(found.values, across), _upright(found.indices, across)
    # Every groups-th number is of one group; the few beyond whole groups are looked at anyhow.
    shape = (len(tile), _GROUP, groups) if across else (_GROUP, groups, tile.shape[1])
    whole = tile.narrow(across, 0, groups * _GROUP).view(shape)
    best = whole.amax(across) if largest else whole.amin(across)
    group = _upright(best, across).topk(count, 1, largest, sorted=False).indices
    member = torch.arange(_GROUP, device=tile.device)[:, None] * groups
    rest = torch.arange(groups * _GROUP, size, device=tile.device).expand(len(group), -1)
    place = torch.cat([(group[:, None] + member).flatten(1), rest], 1)
    value = tile.gather(1, place) if across else tile.gather(0, place.T).T
    found = value.topk(count, 1, largest, sorted=False)
    return found.values, place.gather(1, found.indices)


def _upright(tile: Tensor, across: int) -> Tensor:
    return tile if across else tile.T.contiguous()


def _look_at_all(squares: Squares, index: Tensor, crowded: Tensor) -> None:
    """Write the nearest rows of rows with many equally near ones into ``index``."""
    alike = squares.alike()
    for row in torch.split(crowded, 1):
        values = squares.tile(row, slice(None))[0]
        limit = values.kthvalue(index.shape[1]).values + 2 * squares.error(row)
        near = (values <= limit).nonzero()[:, 0]
        # A collapsed network makes all rows equal; no pair of equal rows is measured twice.
        kinds, kind = torch.unique(alike[near], return_inverse=True)
        distance = squares.pairs(row.expand_as(kinds), kinds, torch.float64)[kind]
        index[row] = near[distance.sort(stable=True).indices[: index.shape[1]]]

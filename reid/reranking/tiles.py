"""The nearest rows and the farthest one of every row, by the products of all."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reid.reranking.squares import Squares

_GROUP = 8
"""Distances of which only the smallest is looked at first."""


@dataclass(frozen=True)
class Kept:
    """What is near each of N rows by distances that rounding may have changed a little.

    Attributes:
        value: float32 (N, K), ascending: distances as those of `Squares.tile`.
        index: int64 (N, K), the rows that are so far.
        far_index: int64 (N,), the farthest row.
    """

    value: Tensor
    index: Tensor
    far_index: Tensor


def by_tiles(squares: Squares, blocks: list[slice], count: int) -> Kept:
    """Find the ``count`` nearest rows and the farthest of every row.

    Args:
        squares: the rows.
        blocks: all rows, cut where tiles end.
        count: how many, at most all.
    """
    seen = _Seen(squares, count)
    for number, rows in enumerate(blocks):
        for columns in blocks[number:]:
            tile = squares.tile(rows, columns)
            seen.add(rows, tile, columns.start, 1)
            if columns is not rows:
                seen.add(columns, tile, rows.start, 0)
    return Kept(seen.value, seen.index, seen.far_index)


class _Seen:
    """The nearest columns and the farthest one of each row, of the tiles seen so far."""

    def __init__(self, squares: Squares, count: int) -> None:
        size, device = len(squares), squares.device
        self.value = torch.full((size, count), torch.inf, device=device)
        self.index = torch.zeros((size, count), dtype=torch.int64, device=device)
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
        count = self.value.shape[1]
        value, place = _first(tile, min(count, tile.shape[across]), across, largest=False)
        value = torch.cat([self.value[rows], value], 1)
        place = torch.cat([self.index[rows], place.add_(start)], 1)
        self.value[rows], order = value.topk(count, largest=False)
        self.index[rows] = place.gather(1, order)
        value, place = (side[:, 0] for side in _first(tile, 1, across, largest=True))
        farther = value > self._far[rows]
        self._far[rows] = value.where(farther, self._far[rows])
        self.far_index[rows] = (place + start).where(farther, self.far_index[rows])


def _first(tile: Tensor, count: int, across: int, largest: bool) -> tuple[Tensor, Tensor]:
    """Return the smallest or largest numbers along a dimension, and where: (N, ``count``) each.

    They are in the groups whose own smallest or largest come first, so few need be sorted.
    """
    size = tile.shape[across]
    groups = size // _GROUP
    if groups <= count:
        found = tile.topk(count, across, largest, sorted=False)
        return upright(found.values, across), upright(found.indices, across)
    # Every groups-th number is of one group; the few beyond whole groups are looked at anyhow.
    shape = (len(tile), _GROUP, groups) if across else (_GROUP, groups, tile.shape[1])
    whole = tile.narrow(across, 0, groups * _GROUP).view(shape)
    best = whole.amax(across) if largest else whole.amin(across)
    group = upright(best, across).topk(count, 1, largest, sorted=False).indices
    member = torch.arange(_GROUP, device=tile.device)[:, None] * groups
    rest = torch.arange(groups * _GROUP, size, device=tile.device).expand(len(group), -1)
    place = torch.cat([(group[:, None] + member).flatten(1), rest], 1)
    value = tile.gather(1, place) if across else tile.gather(0, place.T).T
    found = value.topk(count, 1, largest, sorted=False)
    return found.values, place.gather(1, found.indices)


def upright(tile: Tensor, across: int) -> Tensor:
    """Return a tile rows by columns, given which dimension has the columns."""
    return tile if across else tile.T.contiguous()

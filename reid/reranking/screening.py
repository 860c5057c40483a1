"""The nearest rows and the farthest one of every row, by coarse products and few exact ones."""

from __future__ import annotations

from warnings import catch_warnings, simplefilter

import torch
import torch.nn.functional as F
from torch import Tensor

from reid.device import full_precision
from reid.reranking.coarse import CoarseSquares
from reid.reranking.squares import Squares
from reid.reranking.tiles import Kept, upright

_GROUP = 16
"""Distances of which only the smallest tells how far the nearest rows are."""
_MOST = 6
"""Pairs looked at for each that is kept; where more are needed, coarse products save nothing."""


def screened(squares: Squares, blocks: list[slice], count: int) -> Kept | None:
    """Find what `by_tiles` finds, but for rounding, or None where nearly everything is as near.

    Args:
        squares: the rows, N of them.
        blocks: rows of a tile.
        count: how many neighbours.
    """
    coarse = CoarseSquares(squares)
    width = coarse.width
    near, far = (_Smallest(width, number, _MOST * count) for number in (count, 1))
    for number, rows in enumerate(blocks):
        for columns in blocks[number:]:
            tile = coarse.tile(rows, columns)
            near.add(rows, columns, tile)
            # An upper bound, less than zero, is a lower one of what is smallest for the farthest.
            far.add(rows, columns, tile.add_(width[columns]).add_(width[rows, None]).neg_())
            if near.many or far.many:
                return None
    pairs = [near.pairs(), far.pairs()]
    row, column = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    value = _distances(squares, row, column)
    split = len(pairs[0][0])
    least, index = _smallest(*pairs[0], value[:split], count)
    _, far_index = _smallest(*pairs[1], -value[split:], 1)
    return Kept(least, index, far_index[:, 0])


class _Smallest:
    """Pairs that may be among the smallest of their row, of the tiles seen so far.

    Args:
        width: float32 (N,), see `CoarseSquares`.
        count: how many of a row are wanted.
        most: how many pairs of a row are few.

    Attributes:
        many: whether the pairs are too many to be worth it.
    """

    def __init__(self, width: Tensor, count: int, most: int) -> None:
        self.many = False
        self._width, self._most = width, most
        # The smallest upper bounds of groups, but for the row's own width: so many of the row's
        # numbers are no greater than the last one.
        self._least = torch.full((len(width), count), torch.inf)
        self._found: list[tuple[Tensor, Tensor, Tensor]] = []
        self._held = 0

    def add(self, rows: slice, columns: slice, tile: Tensor) -> None:
        """Look at lower bounds, rows by columns, for both."""
        self._add(rows, columns, tile, 1)
        if rows is not columns:
            self._add(columns, rows, tile, 0)
        if self._held > self._most * len(self._width):
            self._forget()

    def _add(self, rows: slice, columns: slice, tile: Tensor, across: int) -> None:
        """Look at the bounds of rows, of which ``across`` is the dimension of the columns."""
        tile = _filled(tile, across, torch.inf)
        wide = _filled(self._width[None, columns], 1, 0).view(_GROUP, -1).amax(0)
        groups = len(wide)
        shape = (len(tile), _GROUP, groups) if across else (_GROUP, groups, tile.shape[1])
        first = tile.view(shape).amin(across)
        upper = upright(first, across) + wide
        upper = torch.cat([self._least[rows], upper], 1)
        self._least[rows] = upper.topk(self._least.shape[1], largest=False, sorted=False).values
        limit = self._limit(rows)
        place = (first <= (limit[:, None] if across else limit)).nonzero(as_tuple=True)
        row, group = place if across else place[::-1]
        self.many |= len(row) > self._most * len(limit)
        if self.many:
            return
        column = group[:, None] + torch.arange(_GROUP) * groups
        inside = row[:, None] * tile.stride(1 - across) + column * tile.stride(across)
        value = tile.flatten().index_select(0, inside.flatten()).view_as(inside)
        which, member = (value <= limit[row, None]).nonzero(as_tuple=True)
        value, column = value[which, member], column[which, member]
        self._found.append(((row[which] + rows.start).int(), (column + columns.start).int(), value))
        self._held += len(value)

    def pairs(self) -> tuple[Tensor, Tensor]:
        """Return rows and columns, int64 (E,) each."""
        self._forget()
        row, column, _ = self._found[0]
        return row.long(), column.long()

    def _limit(self, rows: slice) -> Tensor:
        limit = self._least[rows].amax(1) + self._width[rows]
        return limit.clamp_(max=torch.finfo(limit.dtype).max)

    def _forget(self) -> None:
        """Forget pairs that are too far by now."""
        row, column, value = (torch.cat(parts) for parts in zip(*self._found, strict=True))
        stays = value <= self._limit(slice(None))[row]
        self._found = [(row[stays], column[stays], value[stays])]
        self._held = len(self._found[0][0])
        self.many |= 2 * self._held > self._most * len(self._width)


def _filled(tile: Tensor, across: int, value: float) -> Tensor:
    """Fill up the last groups of a dimension."""
    missing = -tile.shape[across] % _GROUP
    sides = (0, missing) if across else (0, 0, 0, missing)
    return F.pad(tile, sides, value=value) if missing else tile


def _distances(squares: Squares, row: Tensor, column: Tensor) -> Tensor:
    """Return distances as those of `Squares.tile`: int64 (E,) to float32 (E,)."""
    size = len(squares)
    # Most pairs come both ways around. Which way they are taken gives every row as much to do.
    turned = ((row + column) % 2 == 1) == (row < column)
    keys = row.where(turned, column) * size + column.where(turned, row)
    keys, place = torch.unique(keys, return_inverse=True)
    row, column = keys // size, keys % size
    start = torch.searchsorted(row, torch.arange(size + 1))
    with full_precision(squares.device), catch_warnings():
        simplefilter("ignore")  # torch says once that such tensors are new
        wanted = torch.sparse_csr_tensor(
            start, column, torch.zeros(len(keys)), (size, size), check_invariants=False
        )
        found = torch.sparse.sampled_addmm(
            wanted, squares.centred, squares.centred.T, beta=0, alpha=-2
        )
    products: Tensor = found.values()
    return (products + squares.norms[row] + squares.norms[column])[place]


def _smallest(row: Tensor, column: Tensor, value: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the smallest values of every row, ascending, and their columns: (N, ``count``)."""
    order = value.argsort()
    order = order[row[order].argsort(stable=True)]
    start = torch.bincount(row).cumsum(0).roll(1)
    start[0] = 0
    place = order[start[:, None] + torch.arange(count)]
    return value[place], column[place]

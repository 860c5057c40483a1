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
from reid.threads import in_threads

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
    near, far = (_Smallest(len(squares), number, _MOST * count) for number in (count, 1))
    for number, rows in enumerate(blocks):
        for columns in blocks[number:]:
            lower, upper = coarse.bounds(rows, columns)
            near.add(rows, columns, lower, upper)
            far.add(rows, columns, upper.neg_(), lower.neg_())
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
        size: how many rows, N.
        count: how many of a row are wanted.
        most: how many pairs of a row are few.

    Attributes:
        many: whether the pairs are too many to be worth it.
    """

    def __init__(self, size: int, count: int, most: int) -> None:
        self.many = False
        self._most = most
        # The smallest upper bounds of groups: so many numbers of a row are no greater than these.
        self._least = torch.full((size, count), torch.inf)
        self._found: list[tuple[Tensor, Tensor, Tensor]] = []

    def add(self, rows: slice, columns: slice, lower: Tensor, upper: Tensor) -> None:
        """Look at bounds, rows by columns, for both."""
        sides = [(rows, columns, 1), (columns, rows, 0)][: 1 if rows is columns else 2]
        for found in in_threads(lambda side: self._found_in(*side, lower, upper), sides):
            self._found.append(found)
        if sum(len(found[0]) for found in self._found) > self._most * len(self._least):
            self._forget()

    def _found_in(
        self, rows: slice, columns: slice, across: int, lower: Tensor, upper: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what may be among a row's smallest: rows and columns, int32, and lower bounds.

        Args:
            rows: which rows.
            columns: which columns.
            across: the dimension of the bounds that has the columns.
            lower: bounds, rows by columns or columns by rows.
            upper: bounds of the same.
        """
        first, lower = _firsts(lower, across)
        least = torch.cat([self._least[rows], upright(_firsts(upper, across)[0], across)], 1)
        self._least[rows] = least.topk(self._least.shape[1], largest=False, sorted=False).values
        limit = self._limit(rows)
        place = (first <= (limit[:, None] if across else limit)).nonzero(as_tuple=True)
        row, group = place if across else place[::-1]
        if len(row) > self._most * len(limit):
            self.many = True
            row, group = row[:0], group[:0]
        column = group[:, None] + torch.arange(_GROUP) * first.shape[across]
        inside = row[:, None] * lower.stride(1 - across) + column * lower.stride(across)
        value = lower.flatten().index_select(0, inside.flatten()).view_as(inside)
        which, member = (value <= limit[row, None]).nonzero(as_tuple=True)
        row, column = row[which] + rows.start, column[which, member] + columns.start
        return row.int(), column.int(), value[which, member]

    def pairs(self) -> tuple[Tensor, Tensor]:
        """Return rows and columns, int64 (E,) each."""
        self._forget()
        row, column, _ = self._found[0]
        return row.long(), column.long()

    def _limit(self, rows: slice) -> Tensor:
        return self._least[rows].amax(1).clamp_(max=torch.finfo(torch.float32).max)

    def _forget(self) -> None:
        """Forget pairs that are too far by now."""
        row, column, value = (torch.cat(parts) for parts in zip(*self._found, strict=True))
        stays = value <= self._limit(slice(None))[row]
        self._found = [(row[stays], column[stays], value[stays])]
        self.many |= 2 * len(self._found[0][0]) > self._most * len(self._least)


def _firsts(tile: Tensor, across: int) -> tuple[Tensor, Tensor]:
    """Return the smallest numbers of groups, and the tile with its last groups filled up."""
    missing = -tile.shape[across] % _GROUP
    if missing:
        tile = F.pad(tile, (0, missing) if across else (0, 0, 0, missing), value=torch.inf)
    groups = tile.shape[across] // _GROUP
    shape = (len(tile), _GROUP, groups) if across else (_GROUP, groups, tile.shape[1])
    return tile.view(shape).amin(across), tile


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

"""The nearest rows of every row, and how far the farthest is, in little memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from reid.reranking.coarse import coarse_is_quick
from reid.reranking.screening import screened
from reid.reranking.squares import Squares
from reid.reranking.tiles import Kept, by_tiles

_TILE = 2048
"""Rows and columns of a tile of distances: 16 MiB."""
_SPARE = 4
"""Neighbours found beyond those asked for: those that rounding may have put behind them."""
_CROWD = 32
"""Of so many rows at least only one may be a neighbour, for most to be passed over quickly."""


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
    blocks = [slice(start, min(start + _TILE, size)) for start in range(0, size, _TILE)]
    wide = min(count + _SPARE, size)
    kept = screened(squares, blocks, wide) if _screens(squares, wide) else None
    kept = kept or by_tiles(squares, blocks, wide)
    index, crowded = _in_order(squares, kept, count)
    if len(crowded):
        _look_at_all(squares, index, crowded)
    everyone = torch.arange(size, device=index.device)
    farthest = squares.pairs(everyone, kept.far_index)
    return Neighbours(index, farthest.where(farthest > 0, torch.ones_like(farthest)))


def _screens(squares: Squares, count: int) -> bool:
    """Whether coarse products are likely to save time."""
    return len(squares) > _TILE and _CROWD * count < _TILE and coarse_is_quick(squares)


def _in_order(squares: Squares, kept: Kept, count: int) -> tuple[Tensor, Tensor]:
    """Return the nearest ``count``, and the rows of which as near ones were not kept."""
    value, index = kept.value, kept.index
    reach = 2 * squares.error(slice(None))
    apart = value.diff(dim=1) > reach[:, None]
    some = (~apart).any(1).nonzero()[:, 0]
    # Distances of one run are nearer to each other than rounding can tell.
    run = F.pad(apart[some].cumsum(1), (1, 0))
    alone = F.pad(apart[some], (1, 1), value=True).unfold(1, 2, 1).all(2)
    row, place = (~alone).nonzero(as_tuple=True)
    exact = torch.zeros_like(value[some], dtype=torch.float64)
    exact[row, place] = squares.pairs(some[row], index[some[row], place], torch.float64)
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

"""What stands for a row in k-reciprocal re-ranking: its sparse vector of near rows."""

from __future__ import annotations

import torch
from torch import Tensor

from reid.reranking.neighbours import Neighbours
from reid.reranking.sparse import SparseRows
from reid.reranking.squares import Squares

WHOLE = 2**30
"""What the values of a vector add up to. Whole numbers add up to the same in any order."""
_BLOCK = 2**21
"""Numbers worked on at once."""


def encode(squares: Squares, near: Neighbours, k1: int, k2: int) -> SparseRows:
    """Return the vectors V of Zhong et al. (CVPR 2017) of all N rows, as shares of `WHOLE`.

    Args:
        squares: the rows.
        near: at least the nearest max(k1 + 1, k2) of every row, or all.
        k1: neighbours in a k-reciprocal set, not counting the row itself.
        k2: neighbours in the local query expansion, counting the row itself.
    """
    row, column = _expanded_sets(near.index, k1)
    distance = _distances(squares, row, column) / near.farthest[row]
    # Equation (7), as shares of their sum: the authors' program makes all vectors add up alike.
    weight = torch.exp(-distance.double())
    total = weight.new_zeros(len(near.index)).index_add_(0, row, weight)
    joined = near.index[:, :k2]
    value = (weight / total[row] * (WHOLE / joined.shape[1])).round().int()
    single = SparseRows.of(len(near.index), row, column, value)
    return single if k2 == 1 else _sums(single, joined)


def _expanded_sets(index: Tensor, k1: int) -> tuple[Tensor, Tensor]:
    """Return the members of R*, equation (4), of all rows: int64 (E,), the row and the member."""
    size = len(index)
    whole = _reciprocal(index[:, : k1 + 1])
    half = _reciprocal(index[:, : round(k1 / 2) + 1])
    # A place without a member points to a row without members.
    half = torch.cat([half, half.new_full((1, half.shape[1]), size)])
    found = []
    step = max(1, _BLOCK // (whole.shape[1] * half.shape[1]))
    for start, own in zip(range(0, size, step), torch.split(whole, step), strict=True):
        other = half[own]
        member = other < size
        flat = other.flatten(1)
        own = own.sort(1).values
        place = torch.searchsorted(own, flat).clamp_(max=own.shape[1] - 1)
        shared = (own.gather(1, place) == flat).view_as(other) & member
        joins = 3 * shared.sum(2, keepdim=True) > 2 * member.sum(2, keepdim=True)
        both = torch.cat([own, other.masked_fill(~joins, size).flatten(1)], 1).sort(1).values
        first = both.diff(dim=1, prepend=both.new_full((len(both), 1), -1)) != 0
        row, place = (first & (both < size)).nonzero(as_tuple=True)
        found.append((row + start, both[row, place]))
    rows, members = zip(*found, strict=True)
    return torch.cat(rows), torch.cat(members)


def _reciprocal(near: Tensor) -> Tensor:
    """Return R, equation (3): int64 (N, K), with N in place of neighbours that are not mutual."""
    rows = torch.arange(len(near), device=near.device)
    step = max(1, _BLOCK // near.shape[1] ** 2)
    mutual = [
        (near[some] == row[:, None, None]).any(2)
        for some, row in zip(torch.split(near, step), torch.split(rows, step), strict=True)
    ]
    return near.where(torch.cat(mutual), torch.full_like(near, len(near)))


def _distances(squares: Squares, row: Tensor, column: Tensor) -> Tensor:
    """Return `Squares.pairs`; most pairs come both ways around and are measured once."""
    size = len(squares)
    pairs = torch.minimum(row, column) * size + torch.maximum(row, column)
    pairs, place = torch.unique(pairs, return_inverse=True)
    return squares.pairs(pairs // size, pairs % size)[place]


def _sums(single: SparseRows, joined: Tensor) -> SparseRows:
    """Return, for each row, the sum over its nearest rows, int64 (N, K): equation (11)."""
    size, width = joined.shape
    flat = joined.flatten()
    found = []
    for some in single.pieces(flat):
        place, column, value = single.take(flat[some])
        found.append(((place + some.start) // width * size + column, value))
    keys, values = (torch.cat(parts) for parts in zip(*found, strict=True))
    keys, group = torch.unique(keys, return_inverse=True)
    sums = values.new_zeros(len(keys)).index_add_(0, group, values)
    return SparseRows.of(size, keys // size, keys % size, sums)

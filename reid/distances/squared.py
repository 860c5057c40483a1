"""Squared distances of all pairs from one float32 product, and exact ones of a few."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from reid.distances.alike import UNIT, first_equal, require_one_width
from reid.distances.comparison import Comparison
from reid.distances.pairs import rows_at_once, square_distances, to_unit

_MANY = 2**17
"""Pairs of one block from which on looking for equal rows pays."""


class Squared(Comparison):
    """Compares squared Euclidean distances; a value is |g|^2 / 2 - q.g.

    That is half the squared distance less |q|^2 / 2. For numbers around their centre, the
    rounding of a sum of D products is about u |q||g| where signs vary, and about
    u sqrt(D) |q.g| where the sum grows steadily (u = 2^-24; Higham and Mary 2019). What is
    assumed, u ((1.5 + 32 / sqrt(D)) (|q||g| + |g|^2) + (16 + sqrt(D) / 2) |q.g|), is about twice
    the most that was found with random, positive, sparse, correlated and nearly constant numbers.
    Dimensions are shuffled first, so that no sum grows over some of them to shrink over others.

    Args:
        query: floating, shape (Q, D), checked.
        items: floating, shape (G, D), checked, on the same device.
        unit: compare directions: rows are scaled to length one.

    Raises:
        InputError: the two have different dimensions.
    """

    def __init__(self, query: Tensor, items: Tensor, unit: bool = False) -> None:
        require_one_width(query, items)
        self.shape = (len(query), len(items))
        self.device = items.device
        self._given = (query, items)
        self._unit = unit
        centre = _mean(items, unit)
        order = torch.randperm(items.shape[1], generator=torch.Generator().manual_seed(0))
        order = order.to(self.device)
        self._query, self._items = (
            _rows_from(centre, side, order, unit) for side in (query, items)
        )
        squares = [square_norms(side[:, :-1]) for side in (self._query, self._items)]
        # A power of two changes no digit, and keeps the squares of small numbers from vanishing.
        largest = torch.stack([some.max() for some in squares]).max().sqrt()
        scale = torch.exp2(-largest.clamp(min=torch.finfo(torch.float32).tiny).log2().ceil())
        if scale != 1:
            self._query *= scale
            self._items *= scale
        squares = [some * scale.square() for some in squares]
        self._query_norm, self._item_norm = (some.sqrt().float() for some in squares)
        self._half_squares = squares[1].float() / 2
        self._query[:, -1] = -1
        self._items[:, -1] = self._half_squares
        root = items.shape[1] ** 0.5
        self._varied, self._steady = 1.5 + 32 / root, 16 + root / 2
        self._vanished = (items.shape[1] + 32) * torch.finfo(torch.float32).tiny

    def values(self, query: Tensor) -> Tensor:
        """See `Comparison.values`."""
        return (self._query[query] @ self._items.T).neg_()

    def error(self, query: Tensor, value: Tensor, item: Tensor | None = None) -> Tensor:
        """See `Comparison.error`."""
        if item is None:
            norm = self._item_norm.max()
            squares = self._half_squares
            product = torch.maximum((squares.max() - value).abs(), (squares.min() - value).abs())
        else:
            norm = self._item_norm[item]
            product = (self._half_squares[item] - value).abs()
        scale = norm * (self._query_norm[query] + norm)
        error: Tensor = (self._varied * scale + self._steady * product) * UNIT
        return error + self._vanished

    def exact(self, query: Tensor, item: Tensor) -> Tensor:
        """See `Comparison.exact`: the squared distance of the numbers as they were given."""
        if len(query) < _MANY:
            return self._distances(query, item)
        # Equal rows, as of a network that has collapsed, are looked at once.
        query, item = self._alike[0][query], self._alike[1][item]
        codes, place = torch.unique(query * self.shape[1] + item, return_inverse=True)
        return self._distances(codes // self.shape[1], codes % self.shape[1])[place]

    @cached_property
    def _alike(self) -> tuple[Tensor, Tensor]:
        """For each row the first row that equals it, of queries and of items."""
        return first_equal(self._given[0]), first_equal(self._given[1])

    def _distances(self, query: Tensor, item: Tensor) -> Tensor:
        return square_distances(*self._given, query, item, unit=self._unit)


def _mean(items: Tensor, unit: bool) -> Tensor:
    if not unit:
        return items.mean(0, dtype=torch.promote_types(items.dtype, torch.float32))
    step = rows_at_once(items)
    sums = [_double(items[at : at + step], unit).sum(0) for at in range(0, len(items), step)]
    return torch.stack(sums).sum(0) / len(items)


def _rows_from(centre: Tensor, rows: Tensor, order: Tensor, unit: bool) -> Tensor:
    """Return ``rows - centre`` in float32, dimensions in ``order``, with one more, to be filled."""
    made = rows.new_empty((len(rows), rows.shape[1] + 1), dtype=torch.float32)
    made[:, -1] = 0
    step = rows_at_once(rows)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        given = _double(some, True) if unit else some.to(centre.dtype)
        made[start : start + step, :-1] = (given - centre).index_select(1, order)
    return made


def square_norms(rows: Tensor) -> Tensor:
    """Return |row|^2 of rows (N, D) as float64 (N,)."""
    step = rows_at_once(rows)
    found = rows.new_empty(len(rows), dtype=torch.float64)
    for start in range(0, len(rows), step):
        found[start : start + step] = rows[start : start + step].double().square().sum(1)
    return found


def _double(rows: Tensor, unit: bool) -> Tensor:
    return to_unit(rows.double()) if unit else rows.double()

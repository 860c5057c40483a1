"""CPDM of all pairs from one product of each view, and exact ones of a few."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from reid.device import has_fast_bf16
from reid.distances.alike import UNIT
from reid.distances.comparison import Sliceable
from reid.distances.pairs import square_distances
from reid.distances.screen import Screen
from reid.distances.squared import square_norms
from reid.distances.viewed import View

_TILE = 2**21
"""Values worked on at once."""
_NEXT_TO_NOTHING = 1e-12
"""More than `CoOccurring.values` makes of views that are equal or not seen."""


class CoOccurring(Sliceable):
    """Compares by SPAN, equation (5); a value is the distance.

    Where two views are alike, the root of a squared distance of nearly 0 makes much of its
    rounding: of single precision some thousandths of the features' length. An evaluation, which
    looks again at every pair that rounding leaves open, therefore has products in double
    precision; a search for the first few, for which few are left open, has them in single, and
    where bf16 is quick sees by a `Screen` which pairs need not be looked at. Items are widened a
    tile at a time, so that embeddings are held once, as they were given. The weight of a view is
    in its product already: AR_a AR_b |f_a - f_b| is the root of (AR_a AR_b)^2 |f_a - f_b|^2.

    Args:
        query: the views of Q queries.
        items: those of G items, on the same device; the same views in the same order.
        dtype: of products, float64 or float32.
        screened: whether stretches of items have a screen; by default where it is quick.
    """

    def __init__(
        self,
        query: Sequence[View],
        items: Sequence[View],
        dtype: torch.dtype = torch.float64,
        screened: bool | None = None,
    ) -> None:
        self._query, self._items = list(query), list(items)
        self._dtype = dtype
        self.shape = (len(query[0].ratios), len(items[0].ratios))
        self.device = items[0].ratios.device
        if screened is None:
            # On other devices nobody has looked at how they sum.
            screened = self.device.type == "cpu" and has_fast_bf16(self.device)
        self._screened = screened

    def among(self, start: int, stop: int) -> Stretch:
        """See `Sliceable.among`."""
        items = [_rows(view, slice(start, stop)) for view in self._items]
        return Stretch(self._query, items, torch.float32, self._screened)

    def values(self, query: Tensor) -> Tensor:
        """See `Comparison.values`."""
        ratios = self._ratios(self._query, query)
        sides = [
            _left(_rows(view, query), squares[query], self._dtype)
            for view, squares in zip(self._query, self._squares[0], strict=True)
        ]
        found = torch.empty((len(query), self.shape[1]), dtype=torch.float32, device=self.device)
        step = max(1, _TILE // max(1, len(query)))
        for start in range(0, self.shape[1], step):
            tile = slice(start, start + step)
            total: Tensor | None = None
            for mine, view, squares in zip(sides, self._items, self._squares[1], strict=True):
                product = mine @ _right(_rows(view, tile), squares[tile], self._dtype).T
                # The root of 0 takes many times as long.
                weighted = product.clamp_(min=torch.finfo(self._dtype).tiny).sqrt_()
                total = weighted if total is None else total.add_(weighted)
            assert total is not None
            found[:, tile] = total.div_(ratios @ self._ratios(self._items, tile).T)
        return found

    def error(self, query: Tensor, value: Tensor, item: Tensor | None = None) -> Tensor:
        """See `Comparison.error`."""
        error: Tensor = self._rounding[query] + 16 * UNIT * value.abs()
        return error

    @cached_property
    def _rounding(self) -> Tensor:
        lengths = [[squares.sqrt().float() * 1.001 for squares in side] for side in self._squares]
        reach = [mine + theirs.max() for mine, theirs in zip(*lengths, strict=True)]
        width = max(view.features.shape[1] for view in self._items)
        # A sum of n products is off by (n + 8) u at most, and the root of that is left at 0.
        unit = torch.finfo(self._dtype).eps / 2
        rounding: Tensor = ((width + 8) * unit) ** 0.5 * torch.stack(reach).amax(0)
        return rounding + _NEXT_TO_NOTHING

    @cached_property
    def _squares(self) -> list[list[Tensor]]:
        """Squared lengths of features, float64 (N,), of each view of queries and of items."""
        return [
            [square_norms(view.features) for view in side] for side in (self._query, self._items)
        ]

    def _ratios(self, views: Sequence[View], rows: Tensor | slice) -> Tensor:
        """Return the area ratios of all views, (rows, V)."""
        return torch.stack([view.ratios[rows].to(self._dtype) for view in views], 1)

    def exact(self, query: Tensor, item: Tensor) -> Tensor:
        """See `Comparison.exact`: the distance of the numbers as they were given."""
        total = torch.zeros(len(query), dtype=torch.float64, device=self.device)
        weights = torch.zeros_like(total)
        for mine, theirs in zip(self._query, self._items, strict=True):
            squares = square_distances(mine.features, theirs.features, query, item)
            weight = mine.ratios[query].double() * theirs.ratios[item].double()
            total += weight * squares.sqrt()
            weights += weight
        exact: Tensor = total / weights
        return exact


class Stretch(CoOccurring):
    """Compares with some of the items, most of which a screen rules out."""

    def within(self, query: Tensor, most: Tensor) -> tuple[Tensor, Tensor]:
        """See `Comparison.within`."""
        found = self._screen.within(query, most) if self._screened else None
        return super().within(query, most) if found is None else found

    @cached_property
    def _screen(self) -> Screen:
        return Screen(self._query, self._items)


def _rows(view: View, rows: Tensor | slice) -> View:
    return View(view.features[rows], view.ratios[rows])


def _left(view: View, squares: Tensor, dtype: torch.dtype) -> Tensor:
    """Return queries such that a product with `_right` is a weighted squared distance."""
    made = _widened(view, dtype)
    made[:, :-2] *= -2
    made[:, -2], made[:, -1] = squares, 1
    return made.mul_(view.ratios.to(dtype).square()[:, None])


def _right(view: View, squares: Tensor, dtype: torch.dtype) -> Tensor:
    made = _widened(view, dtype)
    made[:, -2], made[:, -1] = 1, squares
    return made.mul_(view.ratios.to(dtype).square()[:, None])


def _widened(view: View, dtype: torch.dtype) -> Tensor:
    rows, columns = view.features.shape
    made = torch.empty((rows, columns + 2), dtype=dtype, device=view.features.device)
    made[:, :-2] = view.features
    return made

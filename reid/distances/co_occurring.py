"""CPDM of all pairs from one product of each view, and exact ones of a few."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reid.distances.alike import UNIT
from reid.distances.comparison import Sliceable
from reid.distances.pairs import square_distances
from reid.distances.viewed import View

_TILE = 2**21
"""Values worked on at once."""


class CoOccurring(Sliceable):
    """Compares by SPAN, equation (5); a value is the distance.

    Where two views are alike, the root of a squared distance of nearly 0 makes much of its
    rounding: of single precision some thousandths of the features' length. An evaluation, which
    looks again at every pair that rounding leaves open, therefore has products in double
    precision; a search for the first few, for which few are left open, has them in single. Items
    are widened a tile at a time, so that embeddings are held once, as they were given. The weight
    of a view is in its product already: AR_a AR_b |f_a - f_b| is the root of (AR_a AR_b)^2
    |f_a - f_b|^2.

    Args:
        query: the views of Q queries.
        items: those of G items, on the same device; the same views in the same order.
        dtype: of products, float64 or float32.
    """

    def __init__(
        self, query: Sequence[View], items: Sequence[View], dtype: torch.dtype = torch.float64
    ) -> None:
        self._query, self._items = list(query), list(items)
        self._dtype = dtype
        self.shape = (len(query[0].ratios), len(items[0].ratios))
        self.device = items[0].ratios.device
        reach = [_length(mine) + _length(theirs).max() for mine, theirs in self._pairs()]
        width = max(view.features.shape[1] for view in items)
        # A sum of n products is off by (n + 8) u at most, and the root of that is left at 0.
        unit = torch.finfo(dtype).eps / 2
        self._rounding = ((width + 8) * unit) ** 0.5 * torch.stack(reach).amax(0)

    def _pairs(self) -> list[tuple[View, View]]:
        return list(zip(self._query, self._items, strict=True))

    def among(self, start: int, stop: int) -> CoOccurring:
        """See `Sliceable.among`; its products are in single precision."""
        items = [View(view.features[start:stop], view.ratios[start:stop]) for view in self._items]
        return CoOccurring(self._query, items, torch.float32)

    def values(self, query: Tensor) -> Tensor:
        """See `Comparison.values`."""
        sides = [_left(View(*(part[query] for part in view)), self._dtype) for view in self._query]
        ratios = self._ratios(self._query, query)
        found = torch.empty((len(query), self.shape[1]), dtype=torch.float32, device=self.device)
        step = max(1, _TILE // max(1, len(query)))
        for start in range(0, self.shape[1], step):
            tile = slice(start, start + step)
            total: Tensor | None = None
            for mine, theirs in zip(sides, self._items, strict=True):
                product = mine @ _right(View(*(part[tile] for part in theirs)), self._dtype).T
                weighted = product.clamp_(min=0).sqrt_()
                total = weighted if total is None else total.add_(weighted)
            assert total is not None
            found[:, tile] = total.div_(ratios @ self._ratios(self._items, tile).T)
        return found

    def error(self, query: Tensor, value: Tensor, item: Tensor | None = None) -> Tensor:
        """See `Comparison.error`."""
        error: Tensor = self._rounding[query] + 16 * UNIT * value.abs()
        return error

    def _ratios(self, views: Sequence[View], rows: Tensor | slice) -> Tensor:
        """Return the area ratios of all views, (rows, V)."""
        return torch.stack([view.ratios[rows].to(self._dtype) for view in views], 1)

    def exact(self, query: Tensor, item: Tensor) -> Tensor:
        """See `Comparison.exact`: the distance of the numbers as they were given."""
        total = torch.zeros(len(query), dtype=torch.float64, device=self.device)
        weights = torch.zeros_like(total)
        for mine, theirs in self._pairs():
            squares = square_distances(mine.features, theirs.features, query, item)
            weight = mine.ratios[query].double() * theirs.ratios[item].double()
            total += weight * squares.sqrt()
            weights += weight
        exact: Tensor = total / weights
        return exact


def _length(view: View) -> Tensor:
    """Return the lengths of features, or a little more, float32 (N,)."""
    exact = torch.promote_types(view.features.dtype, torch.float32)
    length: Tensor = torch.linalg.vector_norm(view.features, dim=1, dtype=exact)
    return length.float() * 1.001


def _left(view: View, dtype: torch.dtype) -> Tensor:
    """Return queries such that a product with `_right` is a weighted squared distance."""
    made = _widened(view, dtype)
    made[:, -2], made[:, -1] = made[:, :-2].square().sum(1), 1
    made[:, :-2] *= -2
    return made.mul_(view.ratios.to(dtype).square()[:, None])


def _right(view: View, dtype: torch.dtype) -> Tensor:
    made = _widened(view, dtype)
    made[:, -2], made[:, -1] = 1, made[:, :-2].square().sum(1)
    return made.mul_(view.ratios.to(dtype).square()[:, None])


def _widened(view: View, dtype: torch.dtype) -> Tensor:
    rows, columns = view.features.shape
    made = torch.empty((rows, columns + 2), dtype=dtype, device=view.features.device)
    made[:, :-2] = view.features
    return made

"""The cosine distance over the parts that both images show (EIA-Net, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from reid.distances.alike import UNIT, sum_alike
from reid.distances.comparison import Comparison, Sliceable
from reid.distances.cosine import SHORT
from reid.distances.distance import Embeddings, refuse
from reid.distances.pairs import rows_at_once
from reid.distances.viewed import Joined, ViewedDistance


class SharedCosine(ViewedDistance):
    """One minus the cosine of the angle between two embeddings, over the views that both show.

    EIA-Net, section 3.2, compares "only co-detected parts" in its losses, and an embedding that was
    learned so has to be compared so: a part that was not found is zeros, which are far from any
    part. Where all views are shown, it is the cosine distance; where none is common, it is 1.
    """

    kind = "shared"
    words = "cosine distance over shared parts"

    def pairwise(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.pairwise`."""
        return self._over_views(a, b, lambda one, other: one @ other.T, torch.outer)

    def between(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.between`."""
        return self._over_views(a, b, lambda one, other: (one * other).sum(1), torch.mul)

    def _over_views(self, a: Tensor, b: Tensor, dot: Joined, product: Joined) -> Tensor:
        """Return the distance, given how features and how numbers of views are multiplied."""
        sums = []
        for one, other in zip(self.views(a), self.views(b), strict=True):
            mine, theirs = ((view.ratios > 0).to(a.dtype) for view in (one, other))
            squares = [view.features.square().sum(1) for view in (one, other)]
            dots = dot(one.features, other.features) * product(mine, theirs)
            lengths = product(squares[0] * mine, theirs), product(mine, squares[1] * theirs)
            sums.append(torch.stack([dots, *lengths]))
        return _apart(*torch.stack(sums).sum(0))

    def check(
        self, embeddings: Embeddings, name: str = "embeddings", rows: Sequence[str] | None = None
    ) -> Tensor:
        """Check as `ViewedDistance.check` does, and that what is not shown is zeros."""
        given = super().check(embeddings, name, rows)
        filled = [view.features.any(1) & (view.ratios <= 0) for view in self.views(given)]
        refuse(
            torch.stack(filled).any(0), f"{name}: row {{}} has numbers of a view not shown", rows
        )
        short = torch.linalg.vector_norm(self.features(given).float(), dim=1) <= SHORT
        refuse(short, f"{name}: row {{}} is all zeros, or nearly, which has no direction", rows)
        return given

    def compare(self, query: Embeddings, gallery: Embeddings) -> Comparison:
        """See `Distance.compare`."""
        queries = self.check(query, "query")
        items = self.check(gallery, "gallery").to(queries.device)
        return Shared(self, queries, items)


class Shared(Sliceable):
    """Compares by `SharedCosine`; a value is the distance.

    What is not shown is zero, so that one product has the dot products over what both show; their
    lengths over it are products of the views' squares with what the other side shows. The dot
    product's rounding is that of `reid.distances.squared.Squared`, and its sum has no share of
    what only one side shows, so that it is as small in the units of those lengths.

    Args:
        distance: its views.
        query: (Q, D) floating, checked.
        items: (G, D) floating, checked, on the same device.
    """

    def __init__(self, distance: SharedCosine, query: Tensor, items: Tensor) -> None:
        self._distance = distance
        self._query, self._items = query, items
        self.shape = (len(query), len(items))
        self.device = items.device
        root = sum(distance.widths) ** 0.5
        self._rounding = 2 * (20 + len(distance.widths) + 32 / root + root / 2) * UNIT

    def among(self, start: int, stop: int) -> Shared:
        """See `Sliceable.among`."""
        return Shared(self._distance, self._query, self._items[start:stop])

    def values(self, query: Tensor) -> Tensor:
        """See `Comparison.values`."""
        asked, kept = self._query[query], self._items
        squares, shown = _squares(self._distance, asked)
        dots = self._distance.features(asked).float() @ self._distance.features(kept).float().T
        mine = squares @ self._of_items[1].T
        theirs = shown @ self._of_items[0].T
        none = (mine <= 0) | (theirs <= 0)
        tiny = torch.finfo(torch.float32).tiny
        for lengths in (mine, theirs):
            dots.mul_(lengths.clamp_(min=tiny).rsqrt_())
        return dots.neg_().add_(1).masked_fill_(none, 1)

    @cached_property
    def _of_items(self) -> tuple[Tensor, Tensor]:
        return _squares(self._distance, self._items)

    def error(self, query: Tensor, value: Tensor, item: Tensor | None = None) -> Tensor:
        """See `Comparison.error`."""
        return torch.full_like(value, self._rounding)

    def exact(self, query: Tensor, item: Tensor) -> Tensor:
        """See `Comparison.exact`: the distance of the numbers as they were given."""
        found = torch.empty(len(query), dtype=torch.float64, device=self.device)
        step = rows_at_once(self._items)
        widths = torch.tensor(self._distance.widths, device=self.device)
        for start in range(0, len(query), step):
            places = slice(start, start + step)
            one, other = self._query[query[places]].double(), self._items[item[places]].double()
            both = (one[:, -len(widths) :] > 0) & (other[:, -len(widths) :] > 0)
            weights = both.repeat_interleave(widths, 1)
            one, other = (side[:, : weights.shape[1]] * weights for side in (one, other))
            sums = [
                sum_alike(left * right)
                for left, right in ((one, other), (one, one), (other, other))
            ]
            found[places] = _apart(*sums)
        return found


def _squares(distance: SharedCosine, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return the squared length of each view, and 1 where it is shown, float32 (N, V) both."""
    views = distance.views(rows.float())
    squares = torch.stack([view.features.square().sum(1) for view in views], 1)
    return squares, torch.stack([(view.ratios > 0).float() for view in views], 1)


def _apart(dots: Tensor, mine: Tensor, theirs: Tensor) -> Tensor:
    """Return 1 - dots / sqrt(mine * theirs), at least 0; 1 where one of the lengths is 0."""
    # The root of a square is exact, so that equal rows are exactly at 0; a product of squares may
    # be too small for a single.
    squares = mine.double() * theirs.double()
    lengths = squares.clamp(min=torch.finfo(torch.float64).tiny).sqrt()
    apart = (1 - dots.double() / lengths).clamp(min=0)
    return torch.where(squares > 0, apart, torch.ones_like(apart)).to(dots.dtype)

"""The distance to a group of items: that to the nearest of them."""

from __future__ import annotations

import torch
from torch import Tensor

from reid.distances.comparison import Comparison


class ToGroups(Comparison):
    """Compares queries with groups, such as the images of a track (Liu et al. 2016, VeRi-776).

    The similarity of an image and a track is the greatest of those to the track's images.

    Args:
        single: the comparison with single items.
        groups: int64 (G,), each item's group, from 0 to T - 1; every group has an item.
    """

    def __init__(self, single: Comparison, groups: Tensor) -> None:
        self._single = single
        self._groups = groups.to(single.device)
        self._order = self._groups.sort(stable=True).indices
        self._sizes = torch.bincount(self._groups)
        self._starts = self._sizes.cumsum(0) - self._sizes
        self.shape = (single.shape[0], len(self._sizes))
        self.device = single.device

    def values(self, query: Tensor) -> Tensor:
        """See `Comparison.values`."""
        values = self._single.values(query)
        nearest = values.new_full((len(query), self.shape[1]), torch.inf)
        return nearest.scatter_reduce_(1, self._groups.expand_as(values), values, "amin")

    def error(self, query: Tensor, value: Tensor, item: Tensor | None = None) -> Tensor:
        """See `Comparison.error`; a group's nearest item may be any."""
        return self._single.error(query, value)

    def exact(self, query: Tensor, item: Tensor) -> Tensor:
        """See `Comparison.exact`."""
        sizes = self._sizes[item]
        pair = torch.repeat_interleave(sizes)
        within = torch.arange(len(pair), device=self.device) - (sizes.cumsum(0) - sizes)[pair]
        members = self._order[self._starts[item][pair] + within]
        values = self._single.exact(query[pair], members)
        nearest = values.new_full((len(query),), torch.inf)
        return nearest.scatter_reduce_(0, pair, values, "amin")

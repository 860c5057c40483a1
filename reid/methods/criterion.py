"""What the losses of every method are made of."""

from __future__ import annotations

from pytorch_metric_learning.distances import BaseDistance
from torch import Tensor, nn

from reid.methods.whole import WholeLosses
from reid.recipe import Recipe


class Criterion(nn.Module):
    """A method's losses: from the output of its network and a batch to terms by name.

    The loss is the sum of the terms, each a scalar.

    Args:
        recipe: the numbers.
        width: D, the length of the vector that VAL judges; for recipes with VAL alone.
        shown: (C, V) bool, which identities have images of which viewpoint; likewise.
    """

    def __init__(self, recipe: Recipe, width: int, shown: Tensor | None) -> None:
        super().__init__()
        self.recipe = recipe
        self._judged = (width, shown)

    def whole_losses(self, distance: BaseDistance) -> WholeLosses:
        """Return the losses of the whole image's vector, by a distance."""
        return WholeLosses(self.recipe, distance, *self._judged)

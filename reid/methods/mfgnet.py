"""MFG-Net as a method."""

from __future__ import annotations

from pytorch_metric_learning.distances import LpDistance
from torch import Tensor

from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.losses.part_regularised import PartRegularisedLoss
from reid.methods.criterion import Criterion
from reid.models.mfgnet import MFGNet, MFGNetOutput
from reid.recipe import Recipe


def build(recipe: Recipe, backbone: Backbone, labels: int) -> MFGNet:
    """Build the network."""
    return MFGNet(backbone, labels, recipe.dimension, recipe.stripes, recipe.attention)


class MFGNetCriterion(Criterion):
    """Equation (3) of MFG-Net on the global branch, and equation (1) on every stripe."""

    def __init__(self, recipe: Recipe, width: int, shown: Tensor | None) -> None:
        super().__init__(recipe, width, shown)
        loss = recipe.loss
        self.alpha = loss.global_weight
        # A stripe is a part that every image shows.
        stripes = [loss.stripes] * recipe.stripes
        self.identities = PartRegularisedLoss(stripes, loss.label_smoothing)
        by = LpDistance(normalize_embeddings=recipe.distance == "cosine")
        self.whole = self.whole_losses(by)

    def forward(self, output: MFGNetOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum."""
        shown = output.stripe_scores.new_ones(output.stripe_scores.shape[:2]).bool()
        whole, stripes = self.identities(output.scores, output.stripe_scores, shown, batch.labels)
        terms = {"global": self.alpha * whole} if self.alpha else {}
        if shown.shape[1]:
            terms["stripes"] = stripes
        return {**terms, **self.whole(output.whole, output.whole, batch)}

"""Networks put together from a recipe, as a method."""

from __future__ import annotations

import torch
from pytorch_metric_learning.distances import BaseDistance, LpDistance
from torch import Tensor
from torch.nn import functional as F

from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.distances import CoOccurrence
from reid.losses.measured import Measured
from reid.losses.part_regularised import PartRegularisedLoss
from reid.methods.criterion import Criterion
from reid.methods.eianet import alignment_loss, cluster_labels, cluster_loss
from reid.models.composed import Composed, ComposedOutput
from reid.models.views import as_views
from reid.recipe import Recipe


def build(recipe: Recipe, backbone: Backbone, labels: int) -> Composed:
    """Build the network."""
    return Composed(backbone, labels, recipe)


class ComposedCriterion(Criterion):
    """Every loss that the recipe gives a weight.

    Identities are classified from the global vector and from each part and stripe (PRN, equation
    3). Triplets, circles and clusters are of what is compared, with the global vector before the
    neck (Luo et al. 2019); VAL is of the global vector behind it.
    """

    def __init__(self, recipe: Recipe, width: int, shown: Tensor | None) -> None:
        super().__init__(recipe, width, shown)
        loss = recipe.loss
        weights = [*recipe.parts.weights, *[loss.stripes] * recipe.stripes]
        self.regularised = PartRegularisedLoss(weights, loss.label_smoothing)
        self.classifies_branches = any(weights)
        self.normalised = recipe.distance in ("cosine", "shared")
        self.cluster, self.alignment = cluster_loss(recipe), alignment_loss(recipe)
        self.whole = self.whole_losses(self._distance())

    def _distance(self) -> BaseDistance:
        recipe = self.recipe
        if recipe.join == "views":
            views = [recipe.view_dimension] * len(recipe.parts.use)
            return Measured(CoOccurrence([recipe.dimension, *views]))
        # Before the neck lengths are compared, whatever the distance behind it is.
        return LpDistance(normalize_embeddings=self.normalised and not recipe.neck)

    def forward(self, output: ComposedOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum."""
        loss, labels = self.recipe.loss, batch.labels
        _, parts, visible = output.vectors
        stripes = visible.new_ones(len(visible), self.recipe.stripes)
        seen = torch.cat([visible, stripes], 1)
        terms = {}
        if loss.global_weight:
            whole = F.cross_entropy(
                output.scores.float(), labels, label_smoothing=loss.label_smoothing
            )
            terms["global"] = loss.global_weight * whole
        if self.classifies_branches:
            terms["branches"] = self.regularised.of_parts(output.branch_scores, seen, labels)
        if loss.cluster.weight:
            terms["cluster"] = loss.cluster.weight * self._clustered(output, batch)
        if loss.alignment.weight:
            aligned = self.alignment(F.normalize(parts.float(), dim=2), visible, labels)
            terms["alignment"] = loss.alignment.weight * aligned
        compared = output.compared
        if self.recipe.join == "views":
            compared, _ = as_views(output.vectors, output.areas, scaled=False)
        return {**terms, **self.whole(compared, output.necked, batch)}

    def _clustered(self, output: ComposedOutput, batch: Batch) -> Tensor:
        """Return the coupled cluster loss over what both sides show (EIA-Net, section 3.2)."""
        rows = output.compared.float()
        rows = F.normalize(rows) if self.normalised else rows
        seen = torch.ones_like(rows, dtype=torch.bool)
        if self.recipe.join == "concat":
            shown = output.vectors.visible.repeat_interleave(self.recipe.view_dimension, 1)
            seen[:, : shown.shape[1]] = shown
        found: Tensor = self.cluster(rows, *cluster_labels(self.recipe, batch), seen=seen)
        return found

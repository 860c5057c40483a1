"""PRN as a method."""

from __future__ import annotations

from pytorch_metric_learning.distances import LpDistance
from torch import Tensor

from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.losses.part_regularised import PartRegularisedLoss
from reid.methods.criterion import Criterion
from reid.models.prn import PRN, PRNOutput
from reid.recipe import Recipe


def build(recipe: Recipe, backbone: Backbone, labels: int) -> PRN:
    """Build the network."""
    return PRN(backbone, len(recipe.parts.use), labels, recipe.dimension)


class PRNCriterion(Criterion):
    """Equation (3) of PRN and, where the recipe asks for them, losses of the global vector."""

    def __init__(self, recipe: Recipe, width: int, shown: Tensor | None) -> None:
        super().__init__(recipe, width, shown)
        self.part_regularised = PartRegularisedLoss(
            recipe.parts.weights, recipe.loss.label_smoothing
        )
        self.global_weight = recipe.loss.global_weight
        # As the embedding is compared at test.
        by = LpDistance(normalize_embeddings=recipe.distance == "cosine")
        self.whole = self.whole_losses(by)

    def forward(self, output: PRNOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum."""
        whole, parts = self.part_regularised(
            output.global_scores, output.part_scores, output.vectors.visible, batch.labels
        )
        terms = {"global": self.global_weight * whole} if self.global_weight else {}
        if output.part_scores.shape[1]:
            terms["parts"] = parts
        vectors = output.vectors.embedding
        return {**terms, **self.whole(vectors, vectors, batch)}

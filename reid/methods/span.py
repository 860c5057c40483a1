"""SPAN as a method."""

from __future__ import annotations

from torch import Tensor, nn

from annotations.errors import InputError
from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.distances import CoOccurrence, distance_named
from reid.distances.distance import Distance
from reid.losses.measured import Measured
from reid.methods.criterion import Criterion
from reid.models.span import SPAN, SPANOutput
from reid.models.views import as_views
from reid.recipe import Recipe


def build(recipe: Recipe, backbone: Backbone, labels: int) -> SPAN:
    """Build the network.

    Raises:
        InputError: the backbone cannot be divided.
    """
    if backbone.patch > 1:
        raise InputError(
            f"backbone '{recipe.backbone.name}' is a transformer, which has no conv5 to divide; "
            "take a convolutional one, or the method composed with parts.pool: mask"
        )
    return SPAN(
        backbone,
        recipe.backbone.name,
        len(recipe.parts.use),
        labels,
        recipe.dimension,
        recipe.view_dimension,
        recipe.join,
    )


class SPANCriterion(Criterion):
    """Equation (7) of SPAN: identities of f, and batch-hard triplets by what is compared.

    The paper names a triplet loss (section 3.4) and batches of P vehicles with K images (4.2), but
    not how the triplets of a batch become one number. Ours is the mean over the violated ones,
    those whose loss is above zero, and not over all anchors.
    """

    def __init__(self, recipe: Recipe, width: int, shown: Tensor | None) -> None:
        super().__init__(recipe, width, shown)
        self.identity = nn.CrossEntropyLoss(label_smoothing=recipe.loss.label_smoothing)
        self.global_weight = recipe.loss.global_weight
        views = [recipe.view_dimension] * len(recipe.parts.use)
        self.distance: Distance = (
            CoOccurrence([recipe.dimension, *views])
            if recipe.join == "views"
            else distance_named(recipe.distance)
        )
        self.whole = self.whole_losses(Measured(self.distance))

    def forward(self, output: SPANOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum."""
        terms = {}
        if self.global_weight:
            found = self.identity(output.scores, batch.labels)
            terms["identity"] = self.global_weight * found
        whole = output.vectors.embedding
        compared = whole.float()
        if isinstance(self.distance, CoOccurrence):
            compared, _ = as_views(output.vectors, output.areas, scaled=False)
        return {**terms, **self.whole(compared, whole, batch)}

"""Losses of the vector of a whole image, which every method can have."""

from __future__ import annotations

from pytorch_metric_learning.distances import BaseDistance
from pytorch_metric_learning.losses import CircleLoss
from torch import Tensor, nn

from reid.data.dataset import Batch
from reid.device import full_precision
from reid.losses.batch_hard import BatchHardTripletLoss
from reid.losses.viewpoint_aware import ViewpointAwareLoss
from reid.recipe import Recipe


class WholeLosses(nn.Module):
    """Batch-hard triplets, the circle loss and VAL, each where the recipe gives it a weight.

    Args:
        recipe: the weights and numbers.
        distance: by which triplets are mined and measured.
        width: D, the length of the vector that VAL judges.
        shown: (C, V) bool, which identities have images of which viewpoint; for VAL alone.
    """

    def __init__(
        self, recipe: Recipe, distance: BaseDistance, width: int = 0, shown: Tensor | None = None
    ) -> None:
        super().__init__()
        loss = recipe.loss
        self.weights = {
            "triplet": loss.triplet,
            "circle": loss.circle.weight,
            "viewpoint": loss.viewpoint.weight,
        }
        # Equation (2) of MFG-Net is a sum over anchors, as its equation (1) is over images.
        every_anchor = recipe.method == "mfgnet"
        self.triplet = BatchHardTripletLoss(distance, loss.margin, every_anchor=every_anchor)
        self.circle = CircleLoss(loss.circle.margin, loss.circle.scale)
        self.viewpoint = None
        if loss.viewpoint.weight:
            if shown is None:
                raise ValueError("loss.viewpoint: say which identities have which viewpoints")
            about = loss.viewpoint
            self.viewpoint = ViewpointAwareLoss(
                width,
                shown,
                scale=about.scale,
                margin=about.margin,
                reunion=about.reunion,
                boundary=about.boundary,
            )

    def forward(self, compared: Tensor, judged: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum.

        Args:
            compared: (B, D') floating, what triplets and circles measure.
            judged: (B, D) floating, what VAL classifies.
            batch: the labels and viewpoints.
        """
        terms, weight = {}, self.weights
        if weight["triplet"]:
            terms["triplet"] = weight["triplet"] * self.triplet(compared.float(), batch.labels)
        if weight["circle"]:
            with full_precision(compared.device):  # its scale would multiply what bf16 rounds
                terms["circle"] = weight["circle"] * self.circle(compared.float(), batch.labels)
        if self.viewpoint is not None:
            assert batch.viewpoints is not None
            parted, joined = self.viewpoint(judged, batch.labels, batch.viewpoints)
            terms["partition"] = weight["viewpoint"] * parted
            terms["reunion"] = weight["viewpoint"] * joined
        return terms

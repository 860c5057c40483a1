"""EIA-Net as a method."""

from __future__ import annotations

import torch
from pytorch_metric_learning.distances import LpDistance
from torch import Tensor

from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.losses.coupled_cluster import CoupledClusterLoss
from reid.losses.intra_class_alignment import IntraClassAlignmentLoss
from reid.losses.modified_coupled_cluster import ModifiedCoupledClusterLoss
from reid.methods.criterion import Criterion
from reid.models.eianet import EIANet, EIANetOutput
from reid.recipe import Recipe


def build(recipe: Recipe, backbone: Backbone, labels: int) -> EIANet:
    """Build the network."""
    size = (recipe.image.height, recipe.image.width) if recipe.part_based else None
    return EIANet(backbone, len(recipe.parts.use), recipe.dimension, size)


def cluster_loss(recipe: Recipe) -> CoupledClusterLoss | ModifiedCoupledClusterLoss:
    """Return equation (4), or with a margin between years equations (5) and (6)."""
    cluster = recipe.loss.cluster
    if cluster.year_margin:
        return ModifiedCoupledClusterLoss(cluster.margin, cluster.year_margin)
    return CoupledClusterLoss(cluster.margin)


def cluster_labels(recipe: Recipe, batch: Batch) -> tuple[Tensor, ...]:
    """Return the labels that `cluster_loss` takes."""
    by_model = bool(recipe.loss.cluster.year_margin)
    return (batch.labels, batch.models) if by_model else (batch.labels,)


def alignment_loss(recipe: Recipe) -> IntraClassAlignmentLoss:
    """Return equation (7)."""
    aligned, used = recipe.loss.alignment, recipe.parts.use
    numbers = None if aligned.parts is None else [used.index(part) for part in aligned.parts]
    return IntraClassAlignmentLoss(aligned.pairs, numbers)


class EIANetCriterion(Criterion):
    """Coupled clusters of the joined branches and of each (EIA-Net, section 4.2); alignment."""

    def __init__(self, recipe: Recipe, width: int, shown: Tensor | None) -> None:
        super().__init__(recipe, width, shown)
        weight = recipe.loss.cluster.weight
        self.weight = 1.0 if weight is None else weight
        self.branches = self.weight * recipe.loss.cluster.branches
        self.cluster = cluster_loss(recipe)
        self.normalised = recipe.distance == "cosine"  # as the embedding is compared at test
        self.aligned = recipe.loss.alignment.weight
        self.alignment = alignment_loss(recipe)
        self.whole = self.whole_losses(LpDistance())

    def forward(self, output: EIANetOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum."""
        labels = cluster_labels(self.recipe, batch)
        whole, vectors, visible = output.vectors
        upper, lower = _seen(output)
        both = torch.cat([upper, lower], 1)
        terms = {"cluster": self.weight * self.cluster(self._compared(whole), *labels, seen=both)}
        if self.branches and output.lower.shape[1]:
            branches = {"upper": (output.upper, upper), "lower": (output.lower, lower)}
            for name, (branch, seen) in branches.items():
                apart = self.cluster(self._compared(branch), *labels, seen=seen)
                terms[name] = self.branches * apart
        if self.aligned:
            if self.normalised:
                # What a part adds to the distance of embeddings that are compared by direction.
                vectors = vectors.float() / _length(whole)[:, :, None]
            terms["alignment"] = self.aligned * self.alignment(vectors, visible, batch.labels)
        return {**terms, **self.whole(whole, whole, batch)}

    def _compared(self, vectors: Tensor) -> Tensor:
        return vectors.float() / _length(vectors) if self.normalised else vectors.float()


def _seen(output: EIANetOutput) -> tuple[Tensor, Tensor]:
    """Return which numbers of the two branches are of what was found: as they are, bool."""
    parts, visible = output.vectors.parts, output.vectors.visible
    upper = torch.ones_like(output.upper, dtype=torch.bool)
    if visible.shape[1]:
        upper = visible[:, :, None].expand_as(parts).flatten(1)
    return upper, torch.ones_like(output.lower, dtype=torch.bool)


def _length(vectors: Tensor) -> Tensor:
    """Return the lengths of rows (B, D) as (B, 1), never 0."""
    length: Tensor = torch.linalg.vector_norm(vectors.float(), dim=1, keepdim=True)
    return length.clamp(min=1e-12)

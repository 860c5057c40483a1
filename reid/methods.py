"""From a recipe's method to its network, its losses and its embedding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from torch import Tensor, nn
from torch.nn import functional as F

from annotations.boxes import Boxes
from annotations.errors import InputError, suggest
from annotations.masks import Masks
from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.distances import CoOccurrence, distance_named
from reid.distances.distance import Distance
from reid.losses.coupled_cluster import CoupledClusterLoss
from reid.losses.intra_class_alignment import IntraClassAlignmentLoss
from reid.losses.measured import Measured
from reid.losses.modified_coupled_cluster import ModifiedCoupledClusterLoss
from reid.losses.part_regularised import PartRegularisedLoss
from reid.models.eianet import EIANet, EIANetOutput
from reid.models.prn import PRN, PRNOutput
from reid.models.span import SPAN, SPANOutput
from reid.models.vectors import Vectors
from reid.models.views import as_views
from reid.recipe import Recipe

Branches = Literal["global", "global+parts", "parts", "views"]
BRANCHES: tuple[Branches, ...] = get_args(Branches)


class PRNCriterion(nn.Module):
    """Equation (3) of PRN and, where the recipe asks for it, a batch-hard triplet loss."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.part_regularised = PartRegularisedLoss(
            recipe.parts.weights, recipe.loss.label_smoothing
        )
        self.global_weight = recipe.loss.global_weight
        self.triplet_weight = recipe.loss.triplet
        # Hermans et al. 2017: the farthest positive and the nearest negative of each anchor.
        self.miner = BatchHardMiner()
        self.triplet = TripletMarginLoss(margin=recipe.loss.margin)
        for standard in (self.miner, self.triplet):
            # As the embedding is compared at test.
            standard.distance.normalize_embeddings = recipe.distance == "cosine"

    def forward(self, output: PRNOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum."""
        labels = batch.labels
        whole, parts = self.part_regularised(
            output.global_scores, output.part_scores, output.vectors.visible, labels
        )
        terms = {"global": self.global_weight * whole} if self.global_weight else {}
        if output.part_scores.shape[1]:
            terms["parts"] = parts
        if self.triplet_weight:
            vectors = output.vectors.embedding.float()
            mined = self.miner(vectors, labels)
            terms["triplet"] = self.triplet_weight * self.triplet(vectors, labels, mined)
        return terms


class SPANCriterion(nn.Module):
    """Equation (7) of SPAN: identities of f, and batch-hard triplets by what is compared."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.identity = nn.CrossEntropyLoss(label_smoothing=recipe.loss.label_smoothing)
        self.loss = recipe.loss
        self.distance: Distance = distance_named(
            recipe.distance if recipe.join != "views" else _views_of(recipe).name
        )
        measured = Measured(self.distance)
        self.miner = BatchHardMiner(distance=measured)
        self.triplet = TripletMarginLoss(margin=recipe.loss.margin, distance=measured)

    def forward(self, output: SPANOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum."""
        terms = {}
        if self.loss.global_weight:
            found = self.identity(output.scores, batch.labels)
            terms["identity"] = self.loss.global_weight * found
        if self.loss.triplet:
            vectors = output.vectors.embedding.float()
            if isinstance(self.distance, CoOccurrence):
                vectors, _ = as_views(output.vectors, output.areas, scaled=False)
            mined = self.miner(vectors, batch.labels)
            terms["triplet"] = self.loss.triplet * self.triplet(vectors, batch.labels, mined)
        return terms


def _views_of(recipe: Recipe) -> CoOccurrence:
    return CoOccurrence([recipe.dimension, *[recipe.view_dimension] * len(recipe.parts.use)])


class EIANetCriterion(nn.Module):
    """Coupled clusters of the joined branches and of each (EIA-Net, section 4.2); alignment."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        cluster, aligned = recipe.loss.cluster, recipe.loss.alignment
        self.branches = cluster.branches
        self.cluster: nn.Module = (
            ModifiedCoupledClusterLoss(cluster.margin, cluster.year_margin)
            if cluster.year_margin
            else CoupledClusterLoss(cluster.margin)
        )
        self.by_model = bool(cluster.year_margin)
        self.normalised = recipe.distance == "cosine"  # as the embedding is compared at test
        self.aligned = aligned.weight
        numbers = (
            None if aligned.parts is None else [recipe.parts.use.index(p) for p in aligned.parts]
        )
        self.alignment = IntraClassAlignmentLoss(aligned.pairs, numbers)

    def forward(self, output: EIANetOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum."""
        labels = (batch.labels, batch.models) if self.by_model else (batch.labels,)
        whole, vectors, visible = output.vectors
        upper, lower = _seen(output)
        both = torch.cat([upper, lower], 1)
        terms = {"cluster": self.cluster(self._compared(whole), *labels, seen=both)}
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
        return terms

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


def embedding_of(vectors: Vectors, branches: Branches) -> Tensor:
    """Turn the branches' vectors into the one that is compared.

    PRN, section 4.2 uses the global vector alone; Table 4 needs the others. Where branches
    are joined, each is scaled to length one first, so that the longer part vectors do not
    drown the global one; a part that is not visible stays zero. ``views`` are not one vector, see
    `reid.models.views.as_views`.

    Args:
        vectors: of B images.
        branches: which branches.

    Returns:
        (B, D) for ``global``, (B, P * C) for ``parts``, (B, D + P * C) for both; float32.

    Raises:
        InputError: parts are asked of a network that has none.
    """
    if branches == "global":
        return vectors.embedding.float()
    if not vectors.parts.shape[1]:
        raise InputError(f"branches '{branches}': this network was trained without part branches")
    parts = F.normalize(vectors.parts.float(), dim=2).flatten(1)
    if branches == "parts":
        return parts
    return torch.cat([F.normalize(vectors.embedding.float()), parts], dim=1)


Network: TypeAlias = PRN | EIANet | SPAN
Criterion: TypeAlias = PRNCriterion | EIANetCriterion | SPANCriterion


def _prn(recipe: Recipe, backbone: Backbone, labels: int) -> PRN:
    return PRN(backbone, len(recipe.parts.use), labels, recipe.dimension)


def _eianet(recipe: Recipe, backbone: Backbone, labels: int) -> EIANet:
    size = (recipe.image.height, recipe.image.width) if recipe.part_based else None
    return EIANet(backbone, len(recipe.parts.use), recipe.dimension, size)


def _span(recipe: Recipe, backbone: Backbone, labels: int) -> SPAN:
    return SPAN(
        backbone,
        recipe.backbone.name,
        len(recipe.parts.use),
        labels,
        recipe.dimension,
        recipe.view_dimension,
        recipe.join,
    )


@dataclass(frozen=True)
class Method:
    """One of the systems that this toolkit knows.

    Attributes:
        build: from a recipe, its backbone and the number of labels to the network.
        criterion: from a recipe to its losses.
        looks_at_parts: whether the embedding is made of parts, so that they must be known whenever
            something is embedded; PRN needs none at test.
        by: what tells it where parts are.
    """

    build: Callable[[Recipe, Backbone, int], Network]
    criterion: Callable[[Recipe], Criterion]
    looks_at_parts: bool
    by: Literal["boxes", "masks"] = "boxes"


METHODS = {
    "prn": Method(_prn, PRNCriterion, looks_at_parts=False),
    "eianet": Method(_eianet, EIANetCriterion, looks_at_parts=True),
    "span": Method(_span, SPANCriterion, looks_at_parts=True, by="masks"),
}


def build_model(recipe: Recipe, labels: int, *, start: bool) -> Network:
    """Build the recipe's network.

    Args:
        recipe: the recipe.
        labels: N, the number of training identities, or of whatever the recipe's label is.
        start: whether to load the recipe's start weights; not when trained ones follow.
    """
    weights = recipe.backbone.weights if start else None
    backbone = Backbone(recipe.backbone.name, weights, recipe.backbone.output_stride)
    return METHODS[recipe.method].build(recipe, backbone, labels)


def build_criterion(recipe: Recipe) -> Criterion:
    """Build the recipe's losses."""
    return METHODS[recipe.method].criterion(recipe)


def compares_shared(recipe: Recipe, branches: Branches) -> bool:
    """Return whether embeddings are compared over the parts that both images show.

    EIA-Net's are, section 3.2, where directions are compared.
    """
    of_parts = recipe.method == "eianet" and bool(recipe.parts.use)
    return of_parts and branches == "global" and recipe.distance == "cosine"


def compares_views(recipe: Recipe, branches: Branches) -> bool:
    """Return whether embeddings are compared view by view, by CPDM (SPAN, section 3.3)."""
    return branches == "views" or (branches == "global" and recipe.distance == "cpdm")


def require_found(recipe: Recipe, found: Boxes | Masks | None, who: str, instead: str = "") -> None:
    """Demand that what was found is what a recipe's method locates parts by.

    Args:
        recipe: whose method.
        found: boxes or masks.
        who: what an error says looks at parts.
        instead: what else it says could be done.

    Raises:
        InputError: nothing was found, or boxes where masks are needed, or the other way round.
    """
    by = METHODS[recipe.method].by
    if isinstance(found, Boxes if by == "boxes" else Masks):
        return
    made = {"boxes": "'partreid parts detect'", "masks": "'partreid views find'"}[by]
    other = f"; {found.source} has no {by}" if found is not None else ""
    raise InputError(f"{who} looks at parts: give --{by}, made by {made}{instead}{other}")


def needs_boxes(recipe: Recipe, branches: Branches) -> bool:
    """Return whether embedding by some branches of the recipe's network takes part boxes."""
    of_parts = METHODS[recipe.method].looks_at_parts and bool(recipe.parts.use)
    return of_parts or branches != "global"


def check_branches_of(recipe: Recipe, branches: Branches) -> None:
    """Demand that some branches can make an embedding of a recipe's network.

    Raises:
        InputError: parts would be in it twice, or there are none to be views.
    """
    if branches == "views" and not recipe.parts.use:
        raise InputError("branches 'views': this network was trained without parts to compare")
    if METHODS[recipe.method].looks_at_parts and branches == "global+parts":
        raise InputError(
            f"branches '{branches}': the embedding of the method {recipe.method} has its parts "
            "already; use 'global' for the whole of it, or 'parts'"
        )


def check_branches(branches: str) -> Branches:
    """Return ``branches`` if there is such a choice.

    Raises:
        InputError: there is not.
    """
    for known in BRANCHES:
        if branches == known:
            return known
    raise InputError(f"branches '{branches}': {suggest(branches, BRANCHES)}")

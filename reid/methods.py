"""From a recipe's method to its network, its losses and its embedding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from torch import Tensor, nn
from torch.nn import functional as F

from annotations.errors import InputError, suggest
from reid.backbones import Backbone
from reid.losses.part_regularised import PartRegularisedLoss
from reid.models.prn import PRN, PRNOutput, PRNVectors
from reid.recipe import Recipe

Branches = Literal["global", "global+parts", "parts"]
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

    def forward(self, output: PRNOutput, identities: Tensor) -> dict[str, Tensor]:
        """Return the terms by name; the loss is their sum."""
        whole, parts = self.part_regularised(
            output.global_scores, output.part_scores, output.vectors.visible, identities
        )
        terms = {"global": self.global_weight * whole} if self.global_weight else {}
        if output.part_scores.shape[1]:
            terms["parts"] = parts
        if self.triplet_weight:
            vectors = output.vectors.embedding.float()
            mined = self.miner(vectors, identities)
            terms["triplet"] = self.triplet_weight * self.triplet(vectors, identities, mined)
        return terms


def embedding_of(vectors: PRNVectors, branches: Branches) -> Tensor:
    """Turn the branches' vectors into the one that is compared.

    PRN, section 4.2 uses the global vector alone; Table 4 needs the others. Where branches
    are joined, each is scaled to length one first, so that the longer part vectors do not
    drown the global one; a part that is not visible stays zero.

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


def _prn(recipe: Recipe, identities: int, weights: str | None) -> PRN:
    backbone = Backbone(recipe.backbone.name, weights, recipe.backbone.output_stride)
    return PRN(backbone, len(recipe.parts.use), identities, recipe.dimension)


METHODS: dict[str, tuple[Callable[[Recipe, int, str | None], PRN], type[PRNCriterion]]] = {
    "prn": (_prn, PRNCriterion),
}


def build_model(recipe: Recipe, identities: int, *, start: bool) -> PRN:
    """Build the recipe's network.

    Args:
        recipe: the recipe.
        identities: N, the number of training identities.
        start: whether to load the recipe's start weights; not when trained ones follow.
    """
    build, _ = METHODS[recipe.method]
    return build(recipe, identities, recipe.backbone.weights if start else None)


def build_criterion(recipe: Recipe) -> PRNCriterion:
    """Build the recipe's losses."""
    return METHODS[recipe.method][1](recipe)


def check_branches(branches: str) -> Branches:
    """Return ``branches`` if there is such a choice.

    Raises:
        InputError: there is not.
    """
    for known in BRANCHES:
        if branches == known:
            return known
    raise InputError(f"branches '{branches}': {suggest(branches, BRANCHES)}")

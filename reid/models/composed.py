"""A network put together from a recipe: any backbone with any branches."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid.backbones import Backbone
from reid.models.each_classified import EachClassified
from reid.models.pooling import POOLINGS
from reid.models.vectors import Vectors
from reid.parts.areas import part_areas
from reid.parts.located import Located
from reid.parts.masked import average_under_masks
from reid.parts.maximum import maximum_over_parts
from reid.parts.pooling import average_over_parts
from reid.parts.projection import mark_cells
from reid.parts.stripes import average_over_stripes
from reid.recipe import Recipe


class ComposedOutput(NamedTuple):
    """What training needs.

    Attributes:
        vectors: the global vector before the neck, and those of the parts.
        compared: (B, D'), what single vectors are compared by, see `Composed.joined`, before the
            neck.
        necked: (B, D), the global vector behind the neck.
        scores: (B, N), its identity scores, before softmax; (B, 0) where loss.global_weight is 0.
        branch_scores: (B, P + n, N), those of each part, then of each stripe.
        areas: (B, P), of the parts, as shares of the image.
    """

    vectors: Vectors
    compared: Tensor
    necked: Tensor
    scores: Tensor
    branch_scores: Tensor
    areas: Tensor


class Composed(nn.Module):
    """A global branch, and branches of parts and stripes, over one backbone.

    The global vector is pooled from the feature map and, unless it is to have as many numbers as
    the map has channels, shortened by a linear layer. A neck is the batch normalisation of Luo et
    al. (Bag of Tricks, CVPRW 2019). A part is averaged over its cells (PRN, equation 2), is their
    maximum (EIA-Net, equation 2), or is averaged under its mask (SPAN); a stripe is averaged over
    its rows (MFG-Net). Each is shortened by a linear layer and classified by one of its own.

    What is compared at test is the global vector (``join: global``), all branches in one vector,
    each scaled to length one and those of parts first (``concat``), or the global vector and the
    parts as the views that CPDM compares (``views``).

    Args:
        backbone: gives the feature map.
        num_identities: N.
        recipe: the branches, poolings and lengths.
    """

    def __init__(self, backbone: Backbone, num_identities: int, recipe: Recipe) -> None:
        super().__init__()
        self.backbone = backbone
        self.num_parts, self.stripes = len(recipe.parts.use), recipe.stripes
        self.pool_parts, self.join = recipe.parts.pool, recipe.join
        self.width, maps = recipe.dimension, backbone.channels
        self.pool = POOLINGS[recipe.pooling]()
        self.reduce = nn.Identity() if self.width == maps else nn.Linear(maps, self.width)
        self.neck = nn.BatchNorm1d(self.width) if recipe.neck else nn.Identity()
        if recipe.neck:
            # As published: a shift would move the centre that cosines are taken from.
            self.neck.bias.requires_grad_(False)
        classified = bool(recipe.loss.global_weight)
        self.classifier = nn.Linear(self.width, num_identities, bias=False) if classified else None
        branches, length = self.num_parts + self.stripes, recipe.view_dimension
        self.reduce_each = EachClassified(branches, maps, length, bias=True)
        self.classify_each = EachClassified(branches, length, num_identities)

    def _parts(self, features: Tensor, where: Located) -> tuple[Tensor, Tensor]:
        """Return the parts' vectors (B, P, C) and which are visible, (B, P) bool.

        Without boxes and masks, as where the global vector alone is compared, none is.
        """
        if where.masks.shape[1]:
            return average_under_masks(features, where.masks)
        if self.pool_parts == "max":
            return maximum_over_parts(features, where.boxes, where.parts, self.num_parts)
        grid = (features.shape[2], features.shape[3])
        return average_over_parts(
            features, mark_cells(where.boxes, where.parts, self.num_parts, grid)
        )

    def _branches(self, features: Tensor, where: Located) -> tuple[Vectors, Tensor]:
        """Return the global vector with the parts' shortened ones, and the stripes'."""
        whole = self.reduce(self.pool(features))
        parts, visible = self._parts(features, where)
        stripes = average_over_stripes(features, self.stripes)
        each = self.reduce_each(torch.cat([parts, stripes], 1))
        parts, stripes = each.split([self.num_parts, self.stripes], 1)
        return Vectors(whole, parts * visible[:, :, None], visible), stripes

    def joined(self, whole: Tensor, parts: Tensor, stripes: Tensor) -> Tensor:
        """Return what single vectors are compared by, for `join` ``concat`` all branches in one.

        Args:
            whole: (B, D).
            parts: (B, P, C).
            stripes: (B, n, C).
        """
        if self.join != "concat" or not (self.num_parts or self.stripes):
            return whole
        each = F.normalize(torch.cat([parts, stripes], 1).float(), dim=2).flatten(1)
        return torch.cat([each, F.normalize(whole.float())], 1)

    def forward(self, images: Tensor, where: Located) -> ComposedOutput:
        """Return the vectors and the identity scores of every branch.

        Args:
            images: (B, 3, H, W) uint8, RGB.
            where: their parts, by boxes or, for parts that are pooled by masks, by masks.
        """
        vectors, stripes = self._branches(self.backbone(images), where)
        necked = self.neck(vectors.embedding)
        return ComposedOutput(
            vectors,
            self.joined(vectors.embedding, vectors.parts, stripes),
            necked,
            necked[:, :0] if self.classifier is None else self.classifier(necked),
            self.classify_each(torch.cat([vectors.parts, stripes], 1)),
            part_areas(where, self.num_parts),
        )

    def describe(self, images: Tensor, where: Located) -> Vectors:
        """Return what is compared, and the vectors of the parts; see `forward`."""
        (whole, parts, visible), stripes = self._branches(self.backbone(images), where)
        return Vectors(self.joined(self.neck(whole), parts, stripes), parts, visible)

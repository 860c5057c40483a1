"""SPAN's part feature extraction: Chen et al., ECCV 2020, section 3.2 and Figure 2 (b)."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid.backbones import Backbone
from reid.models.vectors import Vectors
from reid.parts.areas import part_areas
from reid.parts.located import Located
from reid.recipe import Join
from reid.stages import divide


class SPANOutput(NamedTuple):
    """What training needs.

    Attributes:
        vectors: of every branch.
        areas: (B, V), of the views, as shares of the image.
        scores: (B, N), the identity scores, before softmax.
    """

    vectors: Vectors
    areas: Tensor
    scores: Tensor


class SPAN(nn.Module):
    """Global and view features of Figure 2 (b).

    conv1 to conv4 are shared. The global branch has a conv5 of its own on their feature map, and
    each view one on the map times the view's mask. Of each the mean and a fully-connected layer
    make a vector f_i. All of them behind each other are f, which a batch normalisation and a
    fully-connected layer classify (section 4.2).

    Without views this is the paper's baseline.

    Args:
        backbone: the whole network; it is divided.
        name: timm's name of it.
        num_views: V, may be 0.
        num_identities: N.
        dimension: of f_0, and of what a fully-connected layer joins.
        view_dimension: of f_1 to f_V.
        join: what the embedding is: f (``concat``), a fully-connected layer's vector of f (``fc``),
            which is then classified in place of f, or f_0, the first of the views that CPDM
            compares (``views``): the rows of Table 2.
    """

    def __init__(
        self,
        backbone: Backbone,
        name: str,
        num_views: int,
        num_identities: int,
        dimension: int = 1024,
        view_dimension: int = 512,
        join: Join = "concat",
    ) -> None:
        super().__init__()
        first, second, channels = divide(backbone, name)
        self.first = first
        self.seconds = nn.ModuleList(copy.deepcopy(second) for _ in range(1 + num_views))
        widths = [dimension, *[view_dimension] * num_views]
        self.reduce = nn.ModuleList(nn.Linear(channels, width) for width in widths)
        self.num_views, self.join = num_views, join
        self.width = sum(widths) if join == "concat" else dimension
        self.fc = nn.Linear(sum(widths), dimension) if join == "fc" else nn.Identity()
        classified = dimension if join == "fc" else sum(widths)
        self.normalise = nn.BatchNorm1d(classified)
        self.classifier = nn.Linear(classified, num_identities, bias=False)

    def _features(self, images: Tensor, where: Located) -> tuple[list[Tensor], Tensor]:
        """Return f_0 to f_V, and the views' areas (B, V)."""
        features = self.first(images)
        maps = [features]
        if self.num_views:
            masks = where.masks.to(features.dtype) / 255
            masks = F.interpolate(masks, features.shape[2:], mode="area")
            maps += [features * masks[:, view, None] for view in range(self.num_views)]
        found = [
            reduce(second(each).mean((2, 3)))
            for each, second, reduce in zip(maps, self.seconds, self.reduce, strict=True)
        ]
        return found, part_areas(where, self.num_views)

    def _vectors(self, found: list[Tensor], areas: Tensor) -> tuple[Vectors, Tensor]:
        """Return what is compared, and what is classified."""
        joined: Tensor = self.fc(torch.cat(found, 1))
        views = torch.stack(found[1:], 1) if self.num_views else found[0][:, None][:, :0]
        embedding = found[0] if self.join == "views" else joined
        return Vectors(embedding, views, areas > 0), joined

    def describe(self, images: Tensor, where: Located) -> Vectors:
        """Return the vectors of every branch.

        Args:
            images: (B, 3, H, W) uint8, RGB.
            where: their views, by masks of V views.
        """
        return self._vectors(*self._features(images, where))[0]

    def forward(self, images: Tensor, where: Located) -> SPANOutput:
        """Return the vectors and the identity scores; see `describe`."""
        found, areas = self._features(images, where)
        vectors, joined = self._vectors(found, areas)
        return SPANOutput(vectors, areas, self.classifier(self.normalise(joined)))

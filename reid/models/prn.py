"""PRN: He et al., Part-regularized Near-duplicate Vehicle Re-identification, CVPR 2019."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from reid.backbones import Backbone
from reid.models.vectors import Vectors
from reid.parts.located import Located
from reid.parts.pooling import average_over_parts
from reid.parts.projection import mark_cells


class PRNOutput(NamedTuple):
    """What training needs.

    Attributes:
        vectors: of every branch.
        global_scores: (B, N), the identity scores of the global branch, before softmax.
        part_scores: (B, P, N), those of each part branch.
    """

    vectors: Vectors
    global_scores: Tensor
    part_scores: Tensor


class PRN(nn.Module):
    """The two modules of PRN's Figure 2 over one backbone.

    The global branch averages the feature map and reduces it by a 1 x 1 convolution to a
    256-d vector (section 4.2). Each part branch averages the feature map over the cells
    that the part's boxes overlap (section 3.2). Every vector is classified by identity. With
    no part this is the paper's "Baseline (w/o parts)".

    Args:
        backbone: gives the feature map.
        num_parts: P, may be 0.
        num_identities: N.
        dimension: D, the length of the global vector.
    """

    def __init__(
        self, backbone: Backbone, num_parts: int, num_identities: int, dimension: int = 256
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.num_parts, self.width = num_parts, dimension
        self.reduce = nn.Conv2d(backbone.channels, dimension, kernel_size=1)
        self.global_classifier = nn.Linear(dimension, num_identities, bias=False)
        # The parts' classifiers (w_l) stand in one tensor, so that one product serves them all.
        self.part_classifiers = nn.Parameter(
            torch.empty(num_parts, backbone.channels, num_identities)
        )
        bound = 1 / math.sqrt(backbone.channels)
        nn.init.uniform_(self.part_classifiers, -bound, bound)

    def describe(self, images: Tensor, where: Located) -> Vectors:
        """Return the vectors of every branch.

        Args:
            images: (B, 3, H, W) uint8, RGB.
            where: their parts, by boxes; masks are not looked at.
        """
        features = self.backbone(images)
        embedding = self.reduce(features.mean((2, 3), keepdim=True)).flatten(1)
        rows, columns = features.shape[2:]
        cells = mark_cells(where.boxes, where.parts, self.num_parts, (rows, columns))
        return Vectors(embedding, *average_over_parts(features, cells))

    def forward(self, images: Tensor, where: Located) -> PRNOutput:
        """Return the vectors and the identity scores of every branch; see `describe`."""
        vectors = self.describe(images, where)
        part_scores = torch.bmm(vectors.parts.transpose(0, 1), self.part_classifiers)
        return PRNOutput(
            vectors, self.global_classifier(vectors.embedding), part_scores.transpose(0, 1)
        )

"""EIA-Net, of Seeing Crucial Parts: Vehicle Model Verification.

The title goes on: via A Discriminative Representation Model.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from reid.backbones import Backbone
from reid.models.part_based import PartBasedCNN
from reid.models.vectors import Vectors
from reid.parts.located import Located
from reid.parts.maximum import maximum_over_parts


class EIANetOutput(NamedTuple):
    """What training needs.

    Attributes:
        vectors: of every branch.
        upper: (B, P * K), the upper branch's vector; (B, K) without parts.
        lower: (B, C), the lower branch's; (B, 0) without it.
    """

    vectors: Vectors
    upper: Tensor
    lower: Tensor


class EIANet(nn.Module):
    """The feature extraction of EIA-Net's Figure 2: CR-MAC, R-MAC of parts beside a part-based CNN.

    The upper branch takes the strongest activations over each part's boxes, on K maps that a 3 x 3
    convolution makes of the backbone's last ones, as the head of the paper's region proposal
    network does (section 3.2: K is 256). The lower branch is a small network of its own on the
    same pixels. Joined they are the embedding, of P * K + C numbers. Boxes come from the cache
    where the paper proposes them itself. A part that was not found is zeros (section 3.2), which
    nothing is compared with: neither losses nor `reid.distances.shared.SharedCosine`. An image
    without any part has the lower branch; where there is no lower branch either, which leaves
    nothing to compare, every part is taken to be anywhere in the image, equation (1), though none
    counts as seen.

    Without parts the upper branch is the mean of the K maps, and without the lower branch, too,
    it is the paper's plain network.

    Args:
        backbone: gives the feature map.
        num_parts: P, may be 0.
        dimension: K.
        size: (height, width) of the input of the part-based CNN; None to leave it out.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_parts: int,
        dimension: int = 256,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.num_parts = num_parts
        self.part_based = PartBasedCNN(size) if size else None
        lower = 0 if self.part_based is None else self.part_based.dimension
        self.width = max(1, num_parts) * dimension + lower
        self.local = nn.Sequential(nn.Conv2d(backbone.channels, dimension, 3, padding=1), nn.ReLU())

    def forward(self, images: Tensor, where: Located) -> EIANetOutput:
        """Return the embedding and what it is made of.

        Args:
            images: (B, 3, H, W) uint8, RGB.
            where: their parts, by boxes; masks are not looked at.
        """
        maps = self.local(self.backbone(images))
        vectors, visible = maximum_over_parts(maps, where.boxes, where.parts, self.num_parts)
        upper = vectors.flatten(1) if self.num_parts else maps.mean((2, 3))
        if self.part_based is not None:
            lower = self.part_based(self.backbone.normalise(images))
        else:
            lower = upper.new_zeros(len(upper), 0)
            if self.num_parts:
                anywhere = maps.amax((2, 3)).repeat(1, self.num_parts)
                upper = torch.where(visible.any(1, keepdim=True), upper, anywhere)
        return EIANetOutput(Vectors(torch.cat([upper, lower], 1), vectors, visible), upper, lower)

    def describe(self, images: Tensor, where: Located) -> Vectors:
        """Return the vectors of every branch; see `forward`."""
        output: EIANetOutput = self(images, where)
        return output.vectors

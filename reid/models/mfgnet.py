"""MFG-Net: Xu et al., Joint Multiple Fine-grained feature for Vehicle Re-Identification."""

from __future__ import annotations

from typing import NamedTuple

import torch
from timm.layers.cbam import ChannelAttn
from torch import Tensor, nn
from torch.nn import functional as F

from reid.backbones import Backbone
from reid.models.each_classified import EachClassified
from reid.models.vectors import Vectors
from reid.parts.located import Located
from reid.parts.stripes import average_over_stripes


class MFGNetOutput(NamedTuple):
    """What training needs.

    Attributes:
        vectors: what is compared: both branches in one vector, and no parts.
        whole: (B, D), the global branch's vector.
        scores: (B, N), the identity scores of the global branch, before softmax.
        stripe_scores: (B, n, N), those of each stripe.
    """

    vectors: Vectors
    whole: Tensor
    scores: Tensor
    stripe_scores: Tensor


class MFGNet(nn.Module):
    """The two branches of MFG-Net's Figure 1 (b) over one backbone.

    The global branch has a 1 x 1 convolution before its average pooling, which keeps the map's
    size, and one behind it, whose vector is classified. The local branch cuts the map into n
    stripes and classifies the average of each. In either the map first goes through channel
    attention of its own. At test the vectors of all branches are one.

    The paper names the attention "CAM" and shows it in a figure alone; taken here is the module of
    that name of Woo et al. (CBAM, ECCV 2018). It does not say what stands behind a convolution
    (here a batch normalisation, and before the pooling a ReLU), how long the global vector is, or
    how branches are joined: each is scaled to length one, as in the other methods.

    Section 2.2 says that in training the branches "do not share the weight and train separately".
    Here what stands behind the backbone, attention too, is each branch's own, but the backbone is
    shared and learns from both at once: the same section builds both branches behind one Conv_5,
    and section 2.3 weighs their losses into one total, neither of which two networks that are
    trained apart have. They would also cost two backbones at test.

    Args:
        backbone: gives the feature map.
        num_identities: N.
        dimension: D.
        stripes: n; 0 for the global branch alone.
        attention: whether there is channel attention.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_identities: int,
        dimension: int = 512,
        stripes: int = 4,
        attention: bool = True,
    ) -> None:
        super().__init__()
        self.backbone, self.stripes, self.width = backbone, stripes, dimension
        maps = backbone.channels
        self.attend = nn.ModuleList(
            ChannelAttn(maps) if attention else nn.Identity() for _ in range(2 if stripes else 1)
        )
        self.before = nn.Sequential(
            nn.Conv2d(maps, maps, 1, bias=False), nn.BatchNorm2d(maps), nn.ReLU()
        )
        self.behind = nn.Sequential(
            nn.Conv2d(maps, dimension, 1, bias=False), nn.BatchNorm2d(dimension), nn.Flatten()
        )
        self.classifier = nn.Linear(dimension, num_identities, bias=False)
        self.stripe_classifiers = EachClassified(stripes, maps, num_identities)

    def _vectors(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the vector of the global branch, (B, D), and those of stripes, (B, n, C)."""
        features = self.backbone(images)
        whole = self.before(self.attend[0](features)).mean((2, 3), keepdim=True)
        whole = self.behind(whole)
        if not self.stripes:
            return whole, features.new_zeros(len(whole), 0, features.shape[1])
        return whole, average_over_stripes(self.attend[1](features), self.stripes)

    def _joined(self, whole: Tensor, stripes: Tensor) -> Vectors:
        """Return what is compared, of what `_vectors` returns."""
        joined = whole
        if self.stripes:
            each = F.normalize(stripes.float(), dim=2).flatten(1)
            joined = torch.cat([F.normalize(whole.float()), each], 1)
        none = stripes[:, :0]
        return Vectors(joined, none, torch.zeros_like(none[..., 0], dtype=torch.bool))

    def describe(self, images: Tensor, where: Located) -> Vectors:
        """Return what is compared: both branches in one vector.

        Args:
            images: (B, 3, H, W) uint8, RGB.
            where: not looked at.
        """
        return self._joined(*self._vectors(images))

    def forward(self, images: Tensor, where: Located) -> MFGNetOutput:
        """Return the vectors and the identity scores of every branch; see `describe`."""
        whole, stripes = self._vectors(images)
        return MFGNetOutput(
            self._joined(whole, stripes),
            whole,
            self.classifier(whole),
            self.stripe_classifiers(stripes),
        )

"""The network of SPAN's Figure 2 (a): shared features, and a generator for each mask."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from reid.backbones import Backbone
from reid.stages import divide

_WIDTH = 64


class MaskNetwork(nn.Module):
    """Predicts masks of an image.

    conv1 to conv4 of a network are shared (section 4.2). The paper describes its generators in a
    supplement that we do not have; here each is a 3 x 3 convolution, then doubles the map's sides
    and convolves again until a cell is as small as asked.

    Args:
        backbone: timm's name; ResNet-34 in the paper.
        weights: see `reid.backbones.Backbone`.
        count: V, the number of masks.
        cell: pixels of the input per cell of a mask.
    """

    def __init__(self, backbone: str, weights: str | None, count: int, cell: int) -> None:
        super().__init__()
        self.extractor = divide(Backbone(backbone, weights), backbone).first
        doublings = round(math.log2(self.extractor.stride / cell))
        self.generators = nn.ModuleList(
            _generator(self.extractor.channels, doublings) for _ in range(count)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the masks' log-odds.

        Args:
            images: (B, 3, H, W) uint8, RGB.

        Returns:
            (B, V, H / cell, W / cell) float32.
        """
        features = self.extractor(images)
        return torch.cat([generator(features) for generator in self.generators], 1).float()


def _generator(channels: int, doublings: int) -> nn.Sequential:
    layers = _convolved(channels, _WIDTH)
    width = _WIDTH
    for _ in range(doublings):
        layers += [
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            *_convolved(width, width // 2),
        ]
        width //= 2
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 1))


def _convolved(channels: int, width: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    ]

"""A backbone divided before its last stage: conv1 to conv4, and conv5, in a ResNet's words."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from annotations.errors import InputError
from reid.backbones import Backbone, normalised
from reid.steps import last_stage, steps_of


class FirstStage(nn.Module):
    """Everything before the last stage, fed with raw pixels.

    Args:
        backbone: whose mean and deviation pixels are normalised by.
        layers: in order.

    Attributes:
        channels: C, the depth of its feature map.
        stride: pixels of the input per cell of it.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: Backbone, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers
        self.register_buffer("mean", backbone.mean.clone(), persistent=False)
        self.register_buffer("std", backbone.std.clone(), persistent=False)
        side = 64
        with torch.no_grad():
            shape = layers.eval()(torch.zeros(1, 3, side, side)).shape
        layers.train()
        self.channels, self.stride = int(shape[1]), side // int(shape[2])

    def forward(self, images: Tensor) -> Tensor:
        """Return the feature map (B, C, H / stride, W / stride) of images (B, 3, H, W) uint8."""
        features: Tensor = self.layers(normalised(images, self.mean, self.std))
        return features


class Stages(NamedTuple):
    """A backbone in two, which share its layers.

    Attributes:
        first: all but the last stage.
        second: the last stage, and what follows it.
        channels: C, the depth of the second's feature map.
    """

    first: FirstStage
    second: nn.Sequential
    channels: int


def divide(backbone: Backbone, name: str) -> Stages:
    """Divide a backbone before its last stage, which halves the feature map once more.

    Args:
        backbone: the whole.
        name: timm's, for errors.

    Raises:
        InputError: its layers do not simply follow each other.
    """
    network = backbone.network
    steps = steps_of(network)
    cut = last_stage(network, steps)
    layers = [layer for _, layer in steps]
    learns = any(True for layer in layers[cut:] for _ in layer.parameters())
    if not cut or not learns or not _same(backbone, nn.Sequential(*layers)):
        raise InputError(
            f"backbone '{name}' cannot be divided before its last stage; resnet18, resnet50 and "
            "tf_efficientnet_lite0 can"
        )
    first, second = nn.Sequential(*layers[:cut]), nn.Sequential(*layers[cut:])
    return Stages(FirstStage(backbone, first), second, backbone.channels)


def _same(backbone: Backbone, layers: nn.Sequential) -> bool:
    """Return whether ``layers`` compute the backbone's map, which has its channels first."""
    pixels = torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64)
    backbone.network.eval()
    try:
        with torch.no_grad():
            return torch.equal(layers(pixels), backbone.maps(pixels))
    except Exception:  # layers that do not follow each other fail in many ways
        return False
    finally:
        backbone.network.train()

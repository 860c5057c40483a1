"""The network up to its last feature map, from timm, fed with raw pixels."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from annotations.errors import InputError
from reid.start_weights import load_from_file

_KNOWN = ("resnet50", "tf_efficientnet_lite0")


class Backbone(nn.Module):
    """A timm network without its pooling and classifier.

    Args:
        name: timm's name of the network, such as ``resnet50``. One that timm lacks, such as
            ResNet-50-IBN (Pan et al., ECCV 2018), can be had by a module of one's own whose builder
            `timm.models.register_model` decorates, imported before ``pipelines.cli.main.main()``;
            its weights come from a file.
        weights: ``imagenet`` for timm's own (needs the network or timm's cache), the path
            of a state dict saved by torch or safetensors, a run folder of this toolkit, whose
            backbone it then starts from, or None to start at random.
        output_stride: pixels per cell of the feature map, 8, 16 or 32; below 32 the last
            stages do not shrink the map (the "last stride" of Luo et al. 2019). Of a transformer
            it is the side of its patches, and the map is made of its patches' tokens.
        partial: whether a file that lacks some of the tensors is taken all the same; what it lacks
            is logged, and starts at random.

    Attributes:
        channels: C, the depth of the feature map.
        patch: side of a transformer's patches, in pixels, which its input is made of; else 1.

    Raises:
        InputError: no such network, no such stride for it, or weights that do not fit.
    """

    network: Any
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        name: str,
        weights: str | None = None,
        output_stride: int = 32,
        *,
        partial: bool = False,
    ) -> None:
        super().__init__()
        if not timm.is_model(name):
            raise InputError(f"backbone '{name}': timm has no such network; {_near(name)}")
        self.network = _create(name)
        prefix = getattr(self.network, "num_prefix_tokens", None)
        self.patch = output_stride if prefix is not None else 1
        # Tokens before the patches' own, such as a class token, are no cell of a map.
        self._prefix = prefix or 0
        self.channels = _keep_resolution(self, output_stride)
        if not self.channels:
            raise InputError(
                f"backbone '{name}' gives no feature map with output_stride {output_stride}; "
                f"{_strides(self.network)}"
            )
        if weights == "imagenet":
            _load_from_timm(self.network, name)
        elif weights is not None:
            load_from_file(self.network, Path(weights), partial)
        if hasattr(self.network, "pre_logits"):  # VGG's, behind its feature map
            self.network.pre_logits = nn.Identity()
        about = self.network.pretrained_cfg
        for buffer in ("mean", "std"):
            values = torch.tensor(about[buffer]).view(1, 3, 1, 1) * 255
            self.register_buffer(buffer, values, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the feature map.

        Args:
            images: (B, 3, H, W) uint8, RGB.

        Returns:
            (B, C, H / output_stride, W / output_stride), floating.
        """
        return self.maps(self.normalise(images))

    def maps(self, pixels: Tensor) -> Tensor:
        """Return the feature map of normalised pixels (B, 3, H, W) floating; see `forward`."""
        features: Tensor = self.network.forward_features(pixels)
        if features.ndim == 4:
            return features
        cells = features[:, self._prefix :].transpose(1, 2)
        return cells.reshape(*cells.shape[:2], *(side // self.patch for side in pixels.shape[2:]))

    def normalise(self, images: Tensor) -> Tensor:
        """Scale pixels as the weights were trained with: (B, 3, H, W) uint8 to floating."""
        return normalised(images, self.mean, self.std)


def normalised(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Scale pixels (B, 3, H, W) uint8 by ``mean`` and ``std`` (1, 3, 1, 1), channels last."""
    pixels = (images.float() - mean) / std
    return pixels.contiguous(memory_format=torch.channels_last)


def _create(name: str) -> Any:
    """Build timm's network without a classifier, for images of any size where it can."""
    try:
        return timm.create_model(name, num_classes=0, global_pool="", dynamic_img_size=True)
    except TypeError:  # others than transformers take any size, and do not know the word
        return timm.create_model(name, num_classes=0, global_pool="")


def _strides(network: Any) -> str:
    """Say which strides a network can have."""
    known = {int(stage["reduction"]) for stage in getattr(network, "feature_info", [])}
    if hasattr(network, "num_prefix_tokens"):
        return f"it is a transformer, whose patches are of {max(known, default=0)} pixels"
    return "32 suits every convolutional network"


def _keep_resolution(backbone: Backbone, output_stride: int) -> int:
    """Undo the strides behind the stage that reaches ``output_stride``.

    Returns:
        The depth of the feature map; 0 where that stride was not reached.
    """
    network = backbone.network
    reached = [s["module"] for s in network.feature_info if s["reduction"] == output_stride]
    inside = behind = False
    for name, module in network.named_modules() if backbone.patch == 1 else ():
        was, inside = inside, bool(reached) and f"{name}.".startswith(f"{reached[-1]}.")
        behind = behind or (was and not inside)
        if behind and getattr(module, "stride", None) in (2, (2, 2)):
            module.stride = 1 if module.stride == 2 else (1, 1)
            if isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
                module.kernel_size = 1
    try:
        with torch.no_grad():
            side = 4 * output_stride
            network.eval()
            shape = backbone.maps(torch.zeros(1, 3, side, side)).shape
    except (AssertionError, RuntimeError, ValueError):
        return 0
    finally:
        network.train()
    return int(shape[1]) if tuple(shape[2:]) == (4, 4) else 0


def _near(name: str) -> str:
    """Suggest names: timm has more than a thousand, and a list of them helps nobody."""
    near = difflib.get_close_matches(name.lower(), timm.list_models(), n=3)
    guess = f"did you mean {_either(near)}?" if near else f"take {_either(_KNOWN)}, for example;"
    return f"{guess} timm.list_models() tells them all"


def _either(names: Sequence[str]) -> str:
    *others, last = (f"'{name}'" for name in names)
    return f"{', '.join(others)} or {last}" if others else last


def _load_from_timm(network: nn.Module, name: str) -> None:
    try:
        timm.models.load_pretrained(network, num_classes=0)
    except Exception as error:  # the hub's client raises many kinds, all meaning the same here
        raise InputError(
            f"backbone '{name}': its ImageNet weights could not be fetched "
            f"({type(error).__name__}); give 'weights' the path of a state dict, or null"
        ) from None

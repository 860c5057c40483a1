"""The network up to its last feature map, from timm, fed with raw pixels."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn

from annotations.errors import InputError
from reid.start_weights import load_from_file

_KNOWN = ("resnet50", "tf_efficientnet_lite0")
_STRIDES = (8, 14, 16, 32)
_CELLS = 4
"""Cells of a map, along each side, by which a network is tried."""


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
            stages do not shrink the map (the "last stride" of Luo et al. 2019). Of a plain
            transformer it is the side of its patches, and the map is made of their tokens.
        partial: whether a file that lacks some of the tensors is taken all the same; what it lacks
            is logged, and starts at random.

    Attributes:
        channels: C, the depth of the feature map.
        patch: side of a transformer's patches, in pixels, which its input is made of; else 1.

    Raises:
        InputError: no such network, one that timm cannot build or that gives no map of images of
            any size, no such stride for it, or weights that do not fit.
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
        self.channels, why = _keep_resolution(self.network, output_stride)
        if why:
            raise InputError(
                f"backbone '{name}' gives no feature map with output_stride {output_stride}: "
                f"{why}{_others(name, self.network, output_stride)}"
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
        return _map_of(self.network, pixels, self._prefix, self.patch)

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Return the rows and columns of the feature map of images of this size.

        One is passed through: of an odd side some networks round the half up, and others down.

        Raises:
            InputError: the network cannot take images of this size.
        """
        shape, why = _tried(self.network, height, width, self._prefix, self.patch)
        if why or 0 in shape:
            raise InputError(
                f"image.height {height} and image.width {width}: the backbone cannot take images "
                f"of this size ({why or 'they are too small'}); try whole multiples of 32"
            )
        return shape[2], shape[3]

    def normalise(self, images: Tensor) -> Tensor:
        """Scale pixels as the weights were trained with: (B, 3, H, W) uint8 to floating."""
        return normalised(images, self.mean, self.std)


def normalised(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Scale pixels (B, 3, H, W) uint8 by ``mean`` and ``std`` (1, 3, 1, 1), channels last."""
    pixels = (images.float() - mean) / std
    return pixels.contiguous(memory_format=torch.channels_last)


def _create(name: str) -> Any:
    """Build timm's network without a classifier, for images of any size where it can.

    Raises:
        InputError: timm cannot build it.
    """
    # Most do not know the last word, and the classifiers of some cannot be without their pooling.
    for words in ({"global_pool": "", "dynamic_img_size": True}, {"global_pool": ""}, {}):
        try:
            network = timm.create_model(name, num_classes=0, **words)
        except Exception as error:  # whatever its builder does
            why = _told(error)
            continue
        if not words:
            network.head = nn.Identity()  # behind the feature map, so it would never learn
        return network
    raise InputError(f"backbone '{name}': timm cannot build it ({why})")


def _told(error: Exception) -> str:
    """Return an error of timm's or torch's in one line."""
    first = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _map_of(network: Any, pixels: Tensor, prefix: int, patch: int) -> Tensor:
    """Return a network's feature map, channels first.

    Args:
        network: timm's.
        pixels: (B, 3, H, W) floating.
        prefix: a transformer's tokens before those of its patches.
        patch: see `Backbone`.

    Raises:
        TypeError: what it gives is no map.
    """
    features: Tensor = network.forward_features(pixels)
    if not isinstance(features, Tensor) or (features.ndim < 4 and patch == 1):
        raise TypeError("what it gives is no map")
    if features.ndim == 4:
        last = getattr(network, "output_fmt", None) == "NHWC"
        return features.permute(0, 3, 1, 2) if last else features
    cells = features[:, prefix:].transpose(1, 2)
    return cells.reshape(*cells.shape[:2], *(side // patch for side in pixels.shape[2:]))


def _tried(
    network: Any, height: int, width: int, prefix: int, patch: int
) -> tuple[tuple[int, ...], str]:
    """Return the shape of the feature map of one image, and why there is none."""
    training = network.training
    try:
        with torch.no_grad():
            pixels = torch.zeros(1, 3, height, width)
            return tuple(_map_of(network.eval(), pixels, prefix, patch).shape), ""
    except Exception as error:  # each network has its own way to refuse a size
        return (), _told(error)
    finally:
        network.train(training)


def _others(name: str, network: Any, output_stride: int) -> str:
    """Say which other strides a network has, which is found by trying those that may be."""
    known = _reductions(network) - {output_stride}
    tried = [stride for stride in _STRIDES if stride in known]
    if found := [n for n in tried if not _keep_resolution(_create(name), n)[1]]:
        return f"; it has one with {_either(found)}"
    return f"; nor has it one with {_either(tried)}" if tried else ""


def _keep_resolution(network: Any, output_stride: int) -> tuple[int, str]:
    """Undo the strides behind the stage that reaches ``output_stride``, unless none must be.

    Returns:
        The depth of the feature map; and why there is none, where that stride was not reached.
    """
    prefix = getattr(network, "num_prefix_tokens", None)
    patch = 1 if prefix is None else output_stride
    known = _reductions(network)
    if known and output_stride not in known:
        which = ", ".join(map(str, sorted(known)))
        if prefix is not None:
            return 0, f"it is a transformer, whose patches are of {which} pixels"
        return 0, f"its stages have cells of {which} pixels"
    side = _CELLS * output_stride
    shape, why = _tried(network, side, side, prefix or 0, patch)
    if shape[2:] != (_CELLS, _CELLS) and prefix is None and known:
        narrow = _drop_strides(network, output_stride)
        shape, why = _tried(network, side, side, 0, patch)
        if shape[2:] != (_CELLS, _CELLS) and narrow:
            for place, conv in narrow.items():
                network.set_submodule(place, _padded(conv))
            shape, why = _tried(network, side, side, 0, patch)
    if why:
        return 0, f"on {side} x {side} pixels it ends in {why}"
    if shape[2:] != (_CELLS, _CELLS):
        rows, columns = shape[2:]
        return 0, f"of {side} x {side} pixels it makes {rows} x {columns} cells"
    return shape[1], ""


def _reductions(network: Any) -> set[int]:
    """Return the pixels per cell of every stage that timm tells of."""
    return {int(stage["reduction"]) for stage in getattr(network, "feature_info", [])}


def _drop_strides(network: Any, output_stride: int) -> dict[str, nn.Conv2d]:
    """Let the stages behind the one that reaches ``output_stride`` keep the map's size.

    Returns:
        By their places, the convolutions by 2 x 2 cells, which may lose a row and a column now.
    """
    narrow = {}
    reached = [s["module"] for s in network.feature_info if s["reduction"] == output_stride][-1]
    inside = behind = False
    for name, module in network.named_modules():
        was, inside = inside, f"{name}.".startswith(f"{reached}.")
        behind = behind or (was and not inside)
        if behind and getattr(module, "stride", None) in (2, (2, 2)):
            module.stride = 1 if module.stride == 2 else (1, 1)
            if isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
                # One that is padded keeps the size as it is.
                module.kernel_size = module.kernel_size if any(_pair(module.padding)) else 1
            elif type(module) is nn.Conv2d and 2 in module.kernel_size:
                narrow[name] = module
    return narrow


def _padded(conv: nn.Conv2d) -> nn.Conv2d:
    """Return a convolution with the same weights and no stride that keeps the map's size."""
    kernel: Any = conv.kernel_size  # timm's types know no pair from torch's
    same = Conv2dSame(conv.in_channels, conv.out_channels, kernel, groups=conv.groups)
    same.weight, same.bias = conv.weight, conv.bias
    return same


def _pair(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value, value)


def _near(name: str) -> str:
    """Suggest names: timm has more than a thousand, and a list of them helps nobody."""
    near = difflib.get_close_matches(name.lower(), timm.list_models(), n=3)
    guess = f"did you mean {_either(near)}?" if near else f"take {_either(_KNOWN)}, for example;"
    return f"{guess} timm.list_models() tells them all"


def _either(names: Sequence[object]) -> str:
    *others, last = (f"'{name}'" if isinstance(name, str) else str(name) for name in names)
    return f"{', '.join(others)} or {last}" if others else last


def _load_from_timm(network: nn.Module, name: str) -> None:
    try:
        timm.models.load_pretrained(network, num_classes=0)
    except Exception as error:  # the hub's client raises many kinds, all meaning the same here
        raise InputError(
            f"backbone '{name}': its ImageNet weights could not be fetched "
            f"({type(error).__name__}); give 'weights' the path of a state dict, or null"
        ) from None

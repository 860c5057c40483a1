"""The network up to its last feature map, from timm, fed with raw pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from annotations.errors import InputError, suggest


class Backbone(nn.Module):
    """A timm network without its pooling and classifier.

    Args:
        name: timm's name of the network, such as ``resnet50``.
        weights: ``imagenet`` for timm's own (needs the network or timm's cache), the path
            of a state dict saved by torch or safetensors, a run folder of this toolkit, whose
            backbone it then starts from, or None to start at random.
        output_stride: pixels per cell of the feature map, 8, 16 or 32; below 32 the last
            stages do not shrink the map (the "last stride" of Luo et al. 2019).

    Attributes:
        channels: C, the depth of the feature map.

    Raises:
        InputError: no such network, no such stride for it, or weights that do not fit.
    """

    network: Any
    mean: Tensor
    std: Tensor

    def __init__(self, name: str, weights: str | None = None, output_stride: int = 32) -> None:
        super().__init__()
        if not timm.is_model(name):
            raise InputError(f"backbone '{name}': timm has no such network; {_near(name)}")
        self.network = timm.create_model(name, num_classes=0, global_pool="")
        self.channels = _keep_resolution(self.network, output_stride)
        if not self.channels:
            raise InputError(
                f"backbone '{name}' gives no feature map with output_stride {output_stride}; "
                f"32 suits every convolutional network"
            )
        if weights == "imagenet":
            _load_from_timm(self.network, name)
        elif weights is not None:
            _load_from_file(self.network, Path(weights))
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
        features: Tensor = self.network.forward_features(self.normalise(images))
        return features

    def normalise(self, images: Tensor) -> Tensor:
        """Scale pixels as the weights were trained with: (B, 3, H, W) uint8 to floating."""
        return normalised(images, self.mean, self.std)


def normalised(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Scale pixels (B, 3, H, W) uint8 by ``mean`` and ``std`` (1, 3, 1, 1), channels last."""
    pixels = (images.float() - mean) / std
    return pixels.contiguous(memory_format=torch.channels_last)


def _keep_resolution(network: Any, output_stride: int) -> int:
    """Undo the strides behind the stage that reaches ``output_stride``.

    Returns:
        The depth of the feature map; 0 where that stride was not reached.
    """
    reached = [s["module"] for s in network.feature_info if s["reduction"] == output_stride]
    inside = behind = False
    for name, module in network.named_modules():
        was, inside = inside, bool(reached) and f"{name}.".startswith(f"{reached[-1]}.")
        behind = behind or (was and not inside)
        if behind and getattr(module, "stride", None) in (2, (2, 2)):
            module.stride = 1 if module.stride == 2 else (1, 1)
            if isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
                module.kernel_size = 1
    try:
        with torch.no_grad():
            side = 4 * output_stride
            shape = network.eval().forward_features(torch.zeros(1, 3, side, side)).shape
    except (AssertionError, RuntimeError, ValueError):
        return 0
    finally:
        network.train()
    return int(shape[1]) if tuple(shape[2:]) == (4, 4) else 0


def _near(name: str) -> str:
    families = [model for model in timm.list_models() if model[:4] == name[:4]]
    return suggest(name, families or ["resnet18", "resnet50", "tf_efficientnet_lite0"])


def _load_from_timm(network: nn.Module, name: str) -> None:
    try:
        timm.models.load_pretrained(network, num_classes=0)
    except Exception as error:  # the hub's client raises many kinds, all meaning the same here
        raise InputError(
            f"backbone '{name}': its ImageNet weights could not be fetched "
            f"({type(error).__name__}); give 'weights' the path of a state dict, or null"
        ) from None


def _of_a_run(path: Path) -> dict[str, Tensor]:
    """Return the backbone in a run's model file; nothing where it is another file."""
    if path.suffix != ".pt":
        return {}
    stored = torch.load(path, map_location="cpu", weights_only=True)
    weights = stored.get("weights") if isinstance(stored, dict) else None
    start = "backbone.network."
    return {
        name.removeprefix(start): values
        for name, values in (weights if isinstance(weights, dict) else {}).items()
        if name.startswith(start)
    }


def _load_from_file(network: nn.Module, path: Path) -> None:
    if path.is_dir():
        path = path / "model.pt"
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    try:
        given = _of_a_run(path) or timm.models.load_state_dict(str(path), use_ema=False)
    except Exception as error:  # torch and safetensors raise many kinds for a foreign file
        raise InputError(f"{path}: not a state dict ({type(error).__name__}: {error})") from None
    wanted = network.state_dict()
    fitting = {k: v for k, v in given.items() if k in wanted and v.shape == wanted[k].shape}
    needless = ("num_batches_tracked", "pre_logits.fc1", "pre_logits.fc2")  # these are VGG's
    missing = [k for k in wanted if k not in fitting and not any(each in k for each in needless)]
    if missing:
        raise InputError(
            f"{path}: {len(missing)} of {len(wanted)} tensors of the backbone are missing or of "
            f"another shape; the first is '{missing[0]}'"
        )
    network.load_state_dict(fitting, strict=False)

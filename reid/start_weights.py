"""Start weights of a backbone from a file, nothing left out in silence."""

from __future__ import annotations

import logging
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from annotations.errors import InputError

_log = logging.getLogger(__name__)
_NEEDLESS = ("num_batches_tracked", "pre_logits.fc1", "pre_logits.fc2")
"""Tensors that no feature map depends on; the last two are VGG's."""


def load_from_file(network: nn.Module, path: Path, partial: bool = False) -> None:
    """Load a state dict saved by torch or safetensors, or the backbone of a run of this toolkit.

    What of the file is not used, such as a classifier, is logged.

    Args:
        network: timm's.
        path: the file, or a run folder.
        partial: whether tensors may be lacking.

    Raises:
        InputError: there is no such file, it is no state dict, or it lacks tensors of the network;
            every one is named.
    """
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
    missing = [k for k in wanted if k not in fitting and not any(each in k for each in _NEEDLESS)]
    unused = [k for k in given if k not in fitting]
    if missing:
        told = (
            f"{path}: {len(missing)} of {len(wanted)} tensors of the backbone are missing or of "
            f"another shape: {', '.join(missing)}; in the file and not used: "
            f"{', '.join(unused) or 'none'}"
        )
        if not partial or not fitting:
            raise InputError(f"{told}; set backbone.partial to true to start without them")
        _log.warning("%s", told)
    elif unused:
        _log.info("%s: not used: %s", path, ", ".join(unused))
    network.load_state_dict(fitting, strict=False)


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

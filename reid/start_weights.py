"""Start weights of a backbone from a file, nothing left out in silence."""

from __future__ import annotations

import logging
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from annotations.errors import InputError
from reid.steps import last_stage, steps_of

_log = logging.getLogger(__name__)
_WHOLE, _DIVIDED = "backbone.network.", ("first.layers.", "seconds.0.")
"""What names of the backbone's tensors begin with in a run, and in one of SPAN."""
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
        InputError: there is no such file, it is no state dict, it is a run of SPAN over another
            network, or it lacks tensors of the network; every one is named.
    """
    if path.is_dir():
        path = path / "model.pt"
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    try:
        stored = _of_a_run(path)
        given = None if stored else timm.models.load_state_dict(str(path), use_ema=False)
    except Exception as error:  # torch and safetensors raise many kinds for a foreign file
        raise InputError(f"{path}: not a state dict ({type(error).__name__}: {error})") from None
    if given is None:
        given = _backbone_in(stored, network, path)
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
            todo = (
                "set backbone.partial to true to start without them"
                if fitting
                else "it holds another network: give weights of this one"
            )
            raise InputError(f"{told}; {todo}")
        _log.warning("%s", told)
    elif unused:
        _log.info("%s: not used: %s", path, ", ".join(unused))
    network.load_state_dict(fitting, strict=False)


def _of_a_run(path: Path) -> dict[str, Tensor]:
    """Return the network in a run's model file; nothing where it is another file."""
    if path.suffix != ".pt":
        return {}
    stored = torch.load(path, map_location="cpu", weights_only=True)
    weights = stored.get("weights") if isinstance(stored, dict) else None
    found: dict[str, Tensor] = weights if isinstance(weights, dict) else {}
    return found if any(name.startswith((_WHOLE, *_DIVIDED)) for name in found) else {}


def _backbone_in(stored: dict[str, Tensor], network: nn.Module, path: Path) -> dict[str, Tensor]:
    """Return the backbone of a run's network, by its names in ``network``.

    SPAN has it in pieces (see `reid.models.span.SPAN`): the layers before the last stage, and the
    last stage once for each branch. Those of the global branch make it whole again.

    Raises:
        InputError: the pieces are not those of ``network``.
    """
    if whole := {k.removeprefix(_WHOLE): v for k, v in stored.items() if k.startswith(_WHOLE)}:
        return whole
    steps = steps_of(network)
    cut = last_stage(network, steps)
    names: dict[str, str] = {}
    for place, (step, layer) in enumerate(steps):
        piece = f"{_DIVIDED[0]}{place}" if place < cut else f"{_DIVIDED[1]}{place - cut}"
        names |= {f"{piece}.{key}": f"{step}.{key}" for key in layer.state_dict()}
    pieces = {k: v for k, v in stored.items() if k.startswith(_DIVIDED)}
    wanted = network.state_dict()
    # Numbers are all that tells layers apart: of another network, one would pass for another.
    if names.keys() != pieces.keys() or any(
        pieces[k].shape != wanted[name].shape for k, name in names.items()
    ):
        raise InputError(
            f"{path}: a run of SPAN has no whole backbone, and its pieces are those of another "
            "network; start from a run over this one, or from a file of its weights"
        )
    return {name: pieces[k] for k, name in names.items()}

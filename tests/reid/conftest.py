from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.boxes import Boxes
from annotations.images import Images
from reid.recipe import parse_recipe


@pytest.fixture
def crops(tmp_path) -> Images:
    """Six identities, told apart by colour, each seen twice by two cameras."""
    random = np.random.default_rng(0)
    root = tmp_path / "crops"
    root.mkdir()
    rows = []
    for identity in range(6):
        paint = random.integers(0, 255, 3)
        for camera in (1, 2):
            for shot in range(2):
                name = f"{identity}_c{camera}_{shot}.png"
                noisy = paint + random.normal(0, 12, (40, 48, 3))
                Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(root / name)
                split = "train" if identity < 4 else ("query", "gallery")[camera - 1]
                rows.append(
                    {
                        "image": name,
                        "identity": str(identity),
                        "camera": str(camera),
                        "split": split,
                    }
                )
    return Images(pd.DataFrame(rows), root, "crops")


@pytest.fixture
def part_boxes(crops) -> Boxes:
    """A window on every image, lights on every image but one, brand on half."""
    rows = []
    for number, name in enumerate(crops.frame["image"]):
        rows.append((name, "window", 0.2, 0.1, 0.8, 0.4))
        if number:
            rows += [(name, "light", 0.1, 0.6, 0.3, 1.0), (name, "light", 0.7, 0.6, 0.9, 1.0)]
        if number % 2:
            rows.append((name, "brand", 0.3, 0.6, 0.7, 1.0))
    frame = pd.DataFrame(rows, columns=["image", "part", "x1", "y1", "x2", "y2"])
    return Boxes(frame.assign(score=0.9, source="detector"))


@pytest.fixture
def tiny_recipe():
    return parse_recipe(
        {
            "backbone": {"name": "resnet18", "weights": None, "output_stride": 16},
            "image": {"height": 32, "width": 32},
            "loss": {"triplet": 1.0},
            "augment": {"flip": 0.5, "pad": 2, "erase": 0.2},
            "batch": {"size": 8, "per_identity": 2},
            "optimiser": {"lr": 0.003},
            "precision": "float32",
            "dimension": 16,
            "epochs": 3,
        },
        "tiny",
    )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not there")
    return folder

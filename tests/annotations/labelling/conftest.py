from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.images import Images
from annotations.labelling.project import Project
from annotations.vocabulary import load_vocabulary


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """Twelve small images of four vehicles."""
    root = tmp_path / "data"
    root.mkdir()
    rows = []
    for number in range(12):
        name = f"{number:02d}.jpg"
        pixels = np.full((60, 80, 3), 20 * number, np.uint8)
        Image.fromarray(pixels).save(root / name)
        rows.append({"image": name, "identity": f"v{number % 4}", "camera": f"c{number % 3}"})
    return Images(pd.DataFrame(rows), root, "data")


@pytest.fixture
def project(images: Images, tmp_path: Path) -> Project:
    return Project.create(tmp_path / "labels", load_vocabulary("prn"), images.root)

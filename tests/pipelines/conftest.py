from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.fleet.make import make_fleet
from pipelines.recipes import load_recipe
from reid.methods import build_model
from reid.run import Run, save_model


@pytest.fixture(scope="session")
def fleet(tmp_path_factory) -> Path:
    """A fleet of six training and four test identities, two cameras, two images of each pass."""
    root = tmp_path_factory.mktemp("fleet") / "data"
    make_fleet(root, "tiny", progress=False)
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An untrained network."""
    torch.manual_seed(0)
    changes = ["image.height=32", "image.width=32", "parts.use=[]", "precision=float32"]
    recipe = load_recipe("prn-demo", changes)
    place = tmp_path_factory.mktemp("run")
    save_model(place / "model.pt", build_model(recipe, 2, start=False), recipe, ("0", "1"))
    return Run.load(place)


def paint(path, seed, size=(32, 32)):
    """Write a picture of its own for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path):
    """Six pictures: three vehicles, before two cameras."""
    for number in range(6):
        paint(tmp_path / "photos" / f"v{number % 3}" / f"c{number % 2}" / f"{number}.png", number)
    return tmp_path / "photos"

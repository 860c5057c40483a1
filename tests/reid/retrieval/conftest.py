from pathlib import Path

# As pytorch-metric-learning does, wherever a network is loaded: it replaces methods of faiss.
import faiss.contrib.torch_utils  # noqa: F401
import numpy as np
import pandas as pd
import pytest

from annotations.images import Images
from reid.retrieval.about import GalleryAbout
from reid.retrieval.manifest import Manifest
from reid.retrieval.segment import ROOT, as_table
from reid.retrieval.writer import GalleryWriter

ABOUT = GalleryAbout(model="abc123", run="runs/prn")


def images(root: Path, count: int, first: int = 0, **columns: list) -> Images:
    rows = {"image": [f"{number}.jpg" for number in range(first, first + count)], **columns}
    return Images(pd.DataFrame(rows), root, "table")


def vectors(count: int, seed: int = 0, width: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


class Made:
    """A gallery that is written piece by piece, in single precision."""

    def __init__(self, folder: Path, root: Path, about: GalleryAbout = ABOUT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.root = root
        empty = Manifest(**about.model_dump(), dimension=6, half=False)
        self.writer = GalleryWriter(folder, empty)

    def append(self, table: Images, made: np.ndarray, thumbnails=None, instead_of=None) -> None:
        frame = table.frame.assign(**{ROOT: self.writer.root_number(table.root)})
        self.writer.append(made, as_table(frame), thumbnails, instead_of)


@pytest.fixture
def made(tmp_path):
    return Made(tmp_path / "gallery", tmp_path / "photos")

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.images import Images
from annotations.masks import Masks

PAINT = {"front": (230, 40, 40), "rear": (40, 220, 40), "side": (50, 60, 235)}
SHOWN = {
    "front": ("front",),
    "rear": ("rear",),
    "left": ("side",),
    "front-left": ("front", "side"),
    "front-right": ("side", "front"),
    "rear-left": ("side", "rear"),
    "rear-right": ("rear", "side"),
}
SIDE = 64


def draw(viewpoint, random):
    """A vehicle of one colour a view, side by side on a grey street; and its true mask."""
    pixels = random.normal(120, 6, (SIDE, SIDE, 3))
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
    left, top = random.integers(6, 12, 2)
    right, bottom = SIDE - random.integers(6, 12, 2)
    views = SHOWN[viewpoint]
    edges = np.linspace(left, right, len(views) + 1).astype(int)
    for view, start, stop in zip(views, edges, edges[1:], strict=False):
        pixels[top:bottom, start:stop] = random.normal(
            PAINT[view], 6, (bottom - top, stop - start, 3)
        )
        mask[top:bottom, start:stop] = list(PAINT).index(view) + 1
    return pixels.clip(0, 255).astype(np.uint8), mask


@pytest.fixture(scope="session")
def street(tmp_path_factory):
    """56 vehicles, eight of each viewpoint, and their true masks (N, 64, 64)."""
    root = tmp_path_factory.mktemp("street")
    random = np.random.default_rng(0)
    rows, masks = [], []
    for number in range(56):
        viewpoint = list(SHOWN)[number % 7]
        pixels, mask = draw(viewpoint, random)
        name = f"{number:03d}.png"
        Image.fromarray(pixels).save(root / name)
        rows.append({"image": name, "identity": str(number // 14), "camera": str(number % 2),
                     "viewpoint": viewpoint})  # fmt: skip
        masks.append(mask)
    return Images(pd.DataFrame(rows), root, "street"), np.stack(masks)


@pytest.fixture(scope="session")
def foreground(street):
    """The true foregrounds, at half the images' size."""
    images, true = street
    whole = ((true > 0) * 255).astype(np.uint8)[:, None, ::2, ::2]
    return Masks.from_values(list(images.frame["image"]), whole, ("foreground",), {"kind": "x"})

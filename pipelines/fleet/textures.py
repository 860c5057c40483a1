"""Tiles of smooth noise, made once, that every surface, leaf and sensor takes its grain from."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

SIDE = 512
"""Pixels a side of a tile; a power of two, so that a coordinate wraps by masking bits."""


def _spread(values: Pixels) -> Pixels:
    """Give grey levels equal shares, in integers: a threshold then leaves a known share."""
    below = np.cumsum(np.bincount(values.ravel(), minlength=256))
    spread = (below * 255 // below[-1]).astype(np.uint8)
    return np.asarray(spread[values])


def blurred(picture: Pixels, sigma: float) -> Pixels:
    """Blur by a Gaussian of `sigma` pixels; OpenCV does it in fixed point for uint8."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def resized(picture: Pixels, width: int, height: int) -> Pixels:
    """Resize by averaging whole blocks of pixels, or else linearly.

    OpenCV does both in integers; its average over parts of pixels is in floats.
    """
    whole = picture.shape[0] % height == 0 and picture.shape[1] % width == 0
    how = cv2.INTER_AREA if whole else cv2.INTER_LINEAR_EXACT
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


@lru_cache(maxsize=32)
def noise(blob: int, seed: int = 0) -> Pixels:
    """Return a tile that joins itself at its edges.

    Args:
        blob: pixels across a patch of one brightness; 1 is independent pixels, else a power of 2.
        seed: of the pattern.

    Returns:
        (SIDE, SIDE) uint8, read-only, every grey level about as often as any other.
    """
    cells = SIDE // blob
    grid = np.random.default_rng([blob, seed]).integers(0, 256, (cells, cells), np.uint8)
    if blob > 1:
        border = 4
        grid = np.pad(grid, border, mode="wrap")
        side = grid.shape[0] * blob
        large = blurred(resized(grid, side, side), 0.45 * blob)
        cut = border * blob
        grid = _spread(large[cut:-cut, cut:-cut])
    grid.setflags(write=False)
    return grid


Tile = TypeVar("Tile", bound=np.generic)


def window(
    tile: npt.NDArray[Tile], shape: tuple[int, int], random: np.random.Generator
) -> npt.NDArray[Tile]:
    """Cut (height, width, ...) out of a tile at a random place; a larger one repeats the tile."""
    if shape[0] > SIDE or shape[1] > SIDE:
        ones = (1,) * (tile.ndim - 2)
        tile = np.tile(tile, (1 + shape[0] // SIDE, 1 + shape[1] // SIDE, *ones))
    top = int(random.integers(tile.shape[0] - shape[0] + 1))
    left = int(random.integers(tile.shape[1] - shape[1] + 1))
    return tile[top : top + shape[0], left : left + shape[1]]

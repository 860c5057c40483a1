"""A sheet of images with their masks, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from annotations.files import whole_file
from annotations.images import Images
from annotations.masks import Masks
from annotations.pixels import ImageError, read_image

_TILE = 112
_HEAD = 16
_WIDE = 12
_DARK = 0.15


def _strip(path: Path, masks: npt.NDArray[np.uint8]) -> Image.Image:
    """Return an image, then it once more under each mask: what is not of the view is dark."""
    strip = Image.new("RGB", ((1 + len(masks)) * _TILE, _TILE), "white")
    try:
        photograph = Image.fromarray(read_image(path)).resize((_TILE, _TILE))
    except ImageError:
        ImageDraw.Draw(strip).text((2, 2), "unreadable", fill="red")
        return strip
    strip.paste(photograph, (0, 0))
    pixels = np.asarray(photograph, dtype=np.float32)
    for place, mask in enumerate(masks, 1):
        light = np.asarray(Image.fromarray(mask).resize((_TILE, _TILE)), dtype=np.float32) / 255
        lit = pixels * (_DARK + (1 - _DARK) * light[..., None])
        strip.paste(Image.fromarray(lit.astype(np.uint8)), (place * _TILE, 0))
    return strip


def make_mask_sheet(
    images: Images, masks: npt.NDArray[np.uint8], views: Sequence[str]
) -> Image.Image:
    """Draw every image beside what each mask leaves of it, a few images a row.

    Args:
        images: N images.
        masks: (N, V, h, w) uint8.
        views: the V names.
    """
    wide = (1 + len(views)) * _TILE + _WIDE
    columns = max(1, 1400 // wide)
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * wide, _HEAD + rows * (_TILE + 4)), "white")
    pen = ImageDraw.Draw(sheet)
    for column in range(columns):
        for place, word in enumerate(("image", *views)):
            pen.text((column * wide + place * _TILE + 2, 2), word, fill="black")
    for place, (path, mask) in enumerate(zip(images.paths, masks, strict=True)):
        row, column = divmod(place, columns)
        sheet.paste(_strip(path, mask), (column * wide, _HEAD + row * (_TILE + 4)))
    return sheet


def write_mask_sheet(images: Images, masks: Masks, out: Path, count: int, seed: int) -> None:
    """Draw the masks of ``count`` images chosen at random, as a PNG."""
    there = images.where(images.frame["image"].isin(masks.names))
    chosen = there.frame["image"].sample(min(count, len(there)), random_state=seed)
    there = there.where(there.frame["image"].isin(chosen))
    sheet = make_mask_sheet(there, masks.of(there), masks.views)
    with whole_file(out) as aside:
        sheet.save(aside)

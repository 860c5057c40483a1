"""Image files for the page: those of the data set and no other, small enough for a browser."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from annotations.errors import InputError
from annotations.images import Images
from annotations.pixels import read_image, read_size

LARGEST = 3000
"""Pixels of the longer side that a browser is given; of larger images it sees a smaller copy, and
the region that it zooms into at full size."""
_PLAIN = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
_KEPT = 2
_QUALITY = 92


class Picture(NamedTuple):
    """What a browser is sent.

    Attributes:
        content: the file's bytes.
        kind: its media type.
    """

    content: bytes
    kind: str


class Pictures:
    """Reads image files, and remembers the largest of the last ones.

    Args:
        images: those that may be shown.
    """

    def __init__(self, images: Images) -> None:
        self._names, self._root = set(images.frame["image"]), images.root
        self._large: OrderedDict[str, npt.NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()

    def path(self, image: str) -> Path:
        """Return the file of an image.

        Raises:
            InputError: it is none of the data set's, or a link that leads out of its folder.
        """
        if image not in self._names:
            raise InputError(f"no image '{image}' here")
        path = self._root / image
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise InputError(f"'{image}' leads to a file outside the data set's folder")
        return path

    def size(self, image: str) -> tuple[int, int]:
        """Return an image's width and height as it is shown, having decoded all of it.

        A browser shows half an image for half a file, and says nothing.

        Raises:
            InputError: it cannot be read.
        """
        height, width = self._pixels(image).shape[:2]
        return width, height

    def whole(self, image: str) -> Picture:
        """Return an image as its file is, or as a smaller copy where it is large or turned.

        Raises:
            InputError: it cannot be read.
        """
        path = self.path(image)
        width, height = read_size(path)
        plain = _PLAIN.get(path.suffix.lower())
        if max(width, height) <= LARGEST and plain is not None:
            return Picture(path.read_bytes(), plain)
        scale = min(1.0, LARGEST / max(width, height))
        small = Image.fromarray(self._pixels(image)).resize(
            (max(1, round(width * scale)), max(1, round(height * scale))), reducing_gap=2.0
        )
        return _jpeg(small)

    def region(self, image: str, corners: tuple[float, float, float, float]) -> Picture:
        """Return a region of an image at full size, or as large as a browser is given.

        Args:
            image: its name.
            corners: ``x1 y1 x2 y2``, fractions.

        Raises:
            InputError: it cannot be read, or the region is empty.
        """
        pixels = self._pixels(image)
        height, width = pixels.shape[:2]
        x1, y1, x2, y2 = (min(max(corner, 0.0), 1.0) for corner in corners)
        left, right = int(x1 * width), int(np.ceil(x2 * width))
        top, bottom = int(y1 * height), int(np.ceil(y2 * height))
        if left >= right or top >= bottom:
            raise InputError(f"'{image}': an empty region")
        cut = Image.fromarray(pixels[top:bottom, left:right])
        cut.thumbnail((LARGEST, LARGEST))
        return _jpeg(cut)

    def _pixels(self, image: str) -> npt.NDArray[np.uint8]:
        with self._lock:
            if image in self._large:
                self._large.move_to_end(image)
                return self._large[image]
            pixels = read_image(self.path(image))
            self._large[image] = pixels
            while len(self._large) > _KEPT:
                self._large.popitem(last=False)
            return pixels


def _jpeg(picture: Image.Image) -> Picture:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=_QUALITY)
    return Picture(content.getvalue(), "image/jpeg")

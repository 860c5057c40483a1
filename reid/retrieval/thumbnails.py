"""Thumbnails that a page carries within itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from annotations.pixels import ImageError, read_image

SIDE = 160
"""Pixels: the longer side of a thumbnail."""


@dataclass(frozen=True)
class Thumbnail:
    """A JPEG data URI and its size in pixels, or one line on why there is none."""

    data: str = ""
    width: int = 0
    height: int = 0
    problem: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


def make_thumbnails(paths: Iterable[Path], side: int = SIDE) -> dict[Path, Thumbnail]:
    """Return a thumbnail for each path, no side longer than ``side``; each file is read once."""
    unique = list(dict.fromkeys(paths))
    with ThreadPoolExecutor() as pool:
        made = pool.map(partial(_thumbnail, side=side), unique)
        return dict(zip(unique, made, strict=True))


def thumbnail_file(path: Path, side: int = SIDE) -> bytes | None:
    """Return a thumbnail as a JPEG file; None where the image cannot be read."""
    try:
        return _small(path, side)[0]
    except ImageError:
        return None


def from_file(jpeg: bytes) -> Thumbnail:
    """Return what `thumbnail_file` made, ready for a page."""
    with Image.open(io.BytesIO(jpeg)) as opened:
        return Thumbnail(_uri(jpeg), *opened.size)


def _thumbnail(path: Path, side: int) -> Thumbnail:
    try:
        jpeg, size = _small(path, side)
    except ImageError as error:
        return Thumbnail(problem=str(error))
    return Thumbnail(_uri(jpeg), *size)


def _small(path: Path, side: int) -> tuple[bytes, tuple[int, int]]:
    image = Image.fromarray(read_image(path, (side, side)))
    image.thumbnail((side, side))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80, optimize=True)
    return stream.getvalue(), image.size


def _uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"

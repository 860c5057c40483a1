"""Query images that were sent, kept by their content."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from annotations.errors import InputError
from annotations.files import whole_file
from annotations.pixels import ImageError, read_image, read_size

_SUFFIXES = {
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tif",
}
_NAME = re.compile(r"[0-9a-f]{32}")
_PLACES = 4
"""Decimal places of a region's corners, which are fractions: a pixel of a very large image."""
_SWEEP = 64
"""So many images are kept between two looks at what all take."""

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Upload:
    """A query image.

    Attributes:
        name: stands for its content.
        path: its file.
        width: in pixels, as its EXIF data turns it.
        height: likewise.
    """

    name: str
    path: Path
    width: int
    height: int


class Uploads:
    """A folder of query images, of which those last used are kept.

    Args:
        folder: made when it is first needed.
        held: returns the files that are never let go, absolute paths: those that marks name.
        room: bytes that the others may take, about.
    """

    def __init__(
        self, folder: Path, held: Callable[[], Collection[str]] = frozenset, room: int = 2**31
    ) -> None:
        self.folder = folder
        self._held, self._room, self._kept = held, room, 0

    def take(self, content: bytes) -> Upload:
        """Keep an image.

        Raises:
            InputError: it is no image that can be used.
        """
        try:
            with Image.open(io.BytesIO(content)) as opened:
                suffix = _SUFFIXES.get(opened.format or "")
        except Exception:  # Pillow raises many kinds for a damaged file
            raise InputError(_unreadable(content)) from None
        if suffix is None:
            raise InputError("an image is to be a JPEG, PNG, WebP, BMP or TIFF file")
        name = hashlib.blake2b(content, digest_size=16).hexdigest()
        path = self.folder / f"{name}{suffix}"
        if not path.is_file():
            with whole_file(path) as aside:
                aside.write_bytes(content)
                try:
                    read_image(aside)  # whatever has its place can be used
                except ImageError as error:
                    raise InputError(_without(aside, error)) from None
            self._count()
        return self._seen(name, path)

    def get(self, name: str) -> Upload:
        """Return an image that was kept.

        Raises:
            InputError: there is none of that name.
        """
        if _NAME.fullmatch(name):
            for suffix in _SUFFIXES.values():
                path = self.folder / f"{name}{suffix}"
                if path.is_file():
                    return self._seen(name, path)
        raise InputError(f"no query image '{name}'; send it again")

    def region(self, upload: Upload, corners: Corners) -> Path:
        """Return the file of a part of an image.

        Args:
            upload: the image.
            corners: left, top, right and bottom as fractions of the image.

        Raises:
            InputError: the corners are no region, or one too small to show a vehicle.
        """
        x1, y1, x2, y2 = (round(value, _PLACES) for value in corners)
        if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
            raise InputError(
                "a region is x1, y1, x2, y2 as fractions of the image, 0 <= x1 < x2 <= 1 and "
                "0 <= y1 < y2 <= 1"
            )
        words = "-".join(f"{round(value * 10**_PLACES)}" for value in (x1, y1, x2, y2))
        path = self.folder / f"{upload.name}-{words}.png"
        if not path.is_file():
            try:
                pixels = read_image(upload.path)
            except ImageError as error:
                raise InputError(_without(upload.path, error)) from None
            left, right = round(x1 * upload.width), round(x2 * upload.width)
            top, bottom = round(y1 * upload.height), round(y2 * upload.height)
            if min(right - left, bottom - top) < 8:
                raise InputError("the region is smaller than 8 pixels, which show no vehicle")
            with whole_file(path) as aside:
                Image.fromarray(pixels[top:bottom, left:right]).save(aside, "PNG")
            self._count()
        return path

    def _count(self) -> None:
        """Let go of the images used longest ago, now and then, where all take too much."""
        self._kept += 1
        if self._kept % _SWEEP:
            return
        there = [(file.stat(), file) for file in self.folder.iterdir() if file.is_file()]
        over = sum(stat.st_size for stat, _ in there) - self._room
        held = set(self._held()) if over > 0 else set()
        for stat, file in sorted(there, key=lambda one: one[0].st_mtime):
            if over <= 0:
                return
            if str(file.resolve()) not in held:
                file.unlink(missing_ok=True)
                over -= stat.st_size

    @staticmethod
    def _seen(name: str, path: Path) -> Upload:
        with suppress(FileNotFoundError):
            os.utime(path)  # it is among those used last
        try:
            return Upload(name, path, *read_size(path))
        except ImageError as error:
            raise InputError(_without(path, error)) from None


def _unreadable(content: bytes) -> str:
    """Return what the command line says of a file that cannot be opened."""
    if not content:
        return "the file is empty"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image"
        path.write_bytes(content)
        try:
            read_image(path)
        except ImageError as error:
            return _without(path, error)
    return "not a readable image"


def _without(path: Path, error: ImageError) -> str:
    """Return an error without the path of the file, which whoever sent it does not know."""
    return str(error).removeprefix(f"{path}: ").replace(f" '{path}'", "")

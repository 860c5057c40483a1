"""Reading an image file into pixels, or saying in one line why that cannot be done."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from annotations.errors import InputError
from annotations.spelling import RENAME
from annotations.walking import files_below

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
MIN_SIDE = 8
"""Pixels; a smaller crop shows no vehicle, and detectors and augmentations divide by its size."""


# Up to twice this many pixels are read, and beyond it `ImageError` says so: no need to warn.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class ImageError(InputError):
    """An image file that cannot be used; the message is one line for a report."""


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as opened:
            yield opened
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{path}: too many pixels to be a photograph") from None
    except (OSError, SyntaxError, ValueError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ImageError(f"{path}: not a readable image ({why})") from None


def read_image(path: Path, at_least: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Decode an image as RGB, uint8, shape (height, width, 3), turned as its EXIF data says.

    Args:
        path: the file.
        at_least: (height, width) that will be needed; a much larger JPEG is decoded at half,
            a quarter or an eighth of its size, never below this, which is several times faster.

    Raises:
        ImageError: the file is missing, not an image, truncated, or smaller than
            `MIN_SIDE` pixels on a side.
    """
    with _opened(path) as opened:
        width, height = opened.size
        if min(width, height) < MIN_SIDE:
            raise ImageError(
                f"{path}: {width} x {height} pixels; at least {MIN_SIDE} a side needed"
            )
        if at_least is not None:
            side = max(at_least)  # EXIF data may yet swap height and width
            opened.draft("RGB", (side, side))
        turned = opened.getexif().get(ExifTags.Base.Orientation, 1) != 1
        reduced = opened.size != (width, height)
        if opened.format == "JPEG" and opened.mode == "RGB" and not turned and not reduced:
            pixels = _decode_whole_jpeg(path)
            if pixels is not None:
                return pixels
        return _as_rgb(ImageOps.exif_transpose(opened), path)


def _as_rgb(image: Image.Image, path: Path) -> npt.NDArray[np.uint8]:
    """Return 8 bits a colour; of an animation the first picture, of transparency what is behind."""
    if image.mode == "F":
        raise ImageError(f"{path}: its pixels are fractions, of no known range; save it in 8 bits")
    if image.mode.startswith("I"):  # Pillow would cut off what is above 255
        deep = np.asarray(image).astype(np.int64)
        if deep.min() < 0 or deep.max() > 65535:
            raise ImageError(f"{path}: its pixels have more than 16 bits; save it in 8 bits")
        grey = ((deep + 128) // 257).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    return np.array(image.convert("RGB"))


def _decode_whole_jpeg(path: Path) -> npt.NDArray[np.uint8] | None:
    """Decode the same pixels as Pillow in half the time, and without holding Python's lock.

    A file without its end is left to Pillow: OpenCV may fill in what is missing.
    """
    content = path.read_bytes()
    if not content.endswith(b"\xff\xd9"):
        return None
    how = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), how)
    return None if decoded is None else np.asarray(decoded, np.uint8)


def read_size(path: Path) -> tuple[int, int]:
    """Read the width and height that `read_image` would give, from the file's header alone.

    Raises:
        ImageError: the file is missing or not an image.
    """
    with _opened(path) as opened:
        width, height = opened.size
        quarter_turned = opened.getexif().get(ExifTags.Base.Orientation, 1) >= 5
    return (height, width) if quarter_turned else (width, height)


def find_images(folder: Path, closed: list[str] | None = None) -> list[Path]:
    """Return every image file under ``folder``, sorted by path, judged by the suffix.

    Links to folders are followed, see `annotations.walking`.

    Args:
        folder: where to look.
        closed: takes a line for each folder below that the system does not let be listed, and each
            file that it does not let be looked at or whose name is not UTF-8; whoever gives none
            passes over them.

    Raises:
        InputError: the folder is missing, is a file, cannot be listed, or holds no image.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what}")
    refused: list[str] = []
    found = sorted(files_below(str(folder), _is_image, refused), key=_steps)
    if closed is not None:
        closed += sorted(refused)
    if not found and refused:
        what = "" if refused[0].endswith(RENAME) else "; allow it to be read"
        raise InputError(f"{refused[0]}{what}: there is no other image")
    if not found:
        raise InputError(f"{folder}: no image in it (looked for {', '.join(sorted(SUFFIXES))})")
    return [Path(path) for path in found]


def _is_image(name: str) -> bool:
    return f".{name.rpartition('.')[2].lower()}" in SUFFIXES


def _steps(path: str) -> list[str]:
    return path.split(os.sep)  # noqa: PTH206 (of a hundred thousand, paths would take seconds)


def _problem(path: Path) -> str | None:
    try:
        read_image(path)
    except ImageError as error:
        return str(error)
    return None


def find_unreadable(paths: Iterable[Path], workers: int = 8) -> Iterator[str | None]:
    """Decode every image once; yield, in order, what is wrong with each, or None."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(_problem, paths)

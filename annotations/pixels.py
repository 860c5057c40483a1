"""Reading an image file into pixels, or saying in one line why that cannot be done."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from annotations.errors import InputError
from annotations.spelling import RENAME
from annotations.walking import files_below

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_JPEG_TOO = frozenset({".jfif", ".jif", ".jpe"})
_NOT_READ = _JPEG_TOO.union(
    (".gif", ".heic", ".heif", ".avif", ".jp2", ".j2k", ".jpf", ".jpx", ".jxl"),
    (".ppm", ".pgm", ".pnm", ".tga", ".dng", ".cr2", ".cr3", ".nef", ".arw"),
)
"""Pictures all the same, which a person would miss among those that are read."""
INSTEAD = ("rename to .jpg", "save as JPEG or PNG")
"""What to do with those that are JPEG files by another name, and with all others."""
MIN_SIDE = 8
"""Pixels; a smaller crop shows no vehicle, and detectors and augmentations divide by its size."""
MAX_PIXELS = 80_000_000
"""Of one image as it is decoded, width times height: that takes about ten bytes of memory for each,
in every thread that reads, and a small file can claim any number. Twice what Pillow warns of is too
many in any case."""
_ROWS = 512
"""Pixels: the height of the strips in which a decoded image is turned into RGB."""


# `MAX_PIXELS` is below what Pillow warns of.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class ImageError(InputError):
    """An image file that cannot be used; the message is one line for a report."""


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as opened:
            yield opened
    except ImageError:  # is a ValueError, too, and says already what is wrong
        raise
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except Image.DecompressionBombError as error:
        count = re.search(r"\((\d+) pixels\)", str(error))
        _require_few(path, int(count[1]) if count else None)
    except UnidentifiedImageError:  # whose words have the path in them
        raise ImageError(f"{path}: not a readable image (cannot identify image file)") from None
    except (OSError, SyntaxError, ValueError) as error:
        # What the system says has the path in it, too, beside this.
        said = getattr(error, "strerror", None) or str(error)
        why = said.splitlines()[0] if said else type(error).__name__
        raise ImageError(f"{path}: not a readable image ({why})") from None


def _require_few(path: Path, count: int | None) -> None:
    """Refuse an image by how many pixels its header says it has; None where Pillow refused it."""
    if count is not None and count <= MAX_PIXELS:
        return
    has = "" if count is None else f"{count:,}, "
    raise ImageError(
        f"{path}: too many pixels to be a photograph ({has}at most {MAX_PIXELS:,} are read); "
        "make it smaller"
    ) from None


def read_image(path: Path, at_least: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Decode an image as RGB, uint8, shape (height, width, 3), turned as its EXIF data says.

    Args:
        path: the file.
        at_least: (height, width) that will be needed; a much larger JPEG is decoded at half,
            a quarter or an eighth of its size, never below this, which is several times faster.

    Raises:
        ImageError: the file is missing, not an image, truncated, smaller than `MIN_SIDE` pixels
            on a side, or of more than `MAX_PIXELS`.
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
        _require_few(path, opened.width * opened.height)
        turned = opened.getexif().get(ExifTags.Base.Orientation, 1) != 1
        reduced = opened.size != (width, height)
        if opened.format == "JPEG" and opened.mode == "RGB" and not turned and not reduced:
            pixels = _decode_whole_jpeg(path)
            if pixels is not None:
                return pixels
        ImageOps.exif_transpose(opened, in_place=True)
        pixels = np.empty((opened.height, opened.width, 3), np.uint8)
        for top in range(0, opened.height, _ROWS):  # a whole one more would be as large again
            bottom = min(top + _ROWS, opened.height)
            strip = opened.crop((0, top, opened.width, bottom))
            pixels[top:bottom] = _as_rgb(strip, path)
        return pixels


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
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


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
    """Read the width and height that `read_image` would give, mostly from the header alone.

    Raises:
        ImageError: the file is missing, not an image, or one of more than `MAX_PIXELS` and no JPEG.
    """
    with _opened(path) as opened:
        width, height = opened.size
        if opened.format != "JPEG":  # a PNG is decoded for EXIF data that may follow its pixels
            _require_few(path, width * height)
        quarter_turned = opened.getexif().get(ExifTags.Base.Orientation, 1) >= 5
    return (height, width) if quarter_turned else (width, height)


def find_images(folder: Path, closed: list[str] | None = None) -> list[Path]:
    """Return every image file under ``folder``, sorted by path, judged by the suffix.

    Links to folders are followed, see `annotations.walking`.

    Args:
        folder: where to look.
        closed: takes a line for each folder below that the system does not let be listed, and each
            file that it does not let be looked at or whose name is not UTF-8, and one for all
            pictures of a folder that have another suffix than are read; whoever gives none passes
            over them.

    Raises:
        InputError: the folder is missing, is a file, cannot be listed, or holds no image.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what}")
    refused: list[str] = []
    pictures = sorted(files_below(str(folder), is_picture, refused), key=_steps)
    found = [path for path in pictures if _suffix(path) in SUFFIXES]
    others = _not_read(path for path in pictures if _suffix(path) not in SUFFIXES)
    if closed is not None:
        closed += [*sorted(refused), *others]
    if not found and refused:
        what = "" if refused[0].endswith(RENAME) else "; allow it to be read"
        raise InputError(f"{refused[0]}{what}: there is no other image")
    if not found:
        what = f"no image in it (looked for {', '.join(sorted(SUFFIXES))})"
        raise InputError("; ".join([f"{folder}: {what}", *others[:1]]))
    return [Path(path) for path in found]


def _not_read(paths: Iterable[str]) -> list[str]:
    """Return a line for all of a folder that have one suffix, sorted."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        groups.setdefault((path.rpartition(os.sep)[0], _suffix(path)), []).append(path)
    lines = []
    for (folder, suffix), files in groups.items():
        what = INSTEAD[suffix not in _JPEG_TOO]
        many = f"{folder}: {len(files):,} {suffix} files are not read"
        one = f"{files[0]}: {suffix} files are not read"
        lines.append(f"{one if len(files) == 1 else many}; {what}")
    return sorted(lines)


def is_picture(name: str) -> bool:
    """Return whether a file is a picture by its suffix, be it one that is read or not."""
    suffix = _suffix(name)
    return suffix in SUFFIXES or suffix in _NOT_READ


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}"


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

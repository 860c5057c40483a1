"""Labels as another tool wrote them: every format's reader returns this one shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from annotations.boxes import CORNERS, LABEL
from annotations.errors import InputError
from annotations.pixels import ImageError, read_size

Corners = tuple[float, float, float, float]

_IMAGE_COLUMNS = ["image", "width", "height"]
_IMAGE_FOLDERS = (".", "images", "JPEGImages", "../images", "../JPEGImages")


class ForeignBox(NamedTuple):
    """One row of the boxes; the fields are as `ForeignLabels` describes its columns."""

    image: str
    name: str
    x1: float
    y1: float
    x2: float
    y2: float
    pieces: list[Corners] | None
    where: str
    score: float = 1.0
    source: str = LABEL


_Plain = tuple[str, str, float, float, float, float, list[Corners] | None, str]


@dataclass(frozen=True)
class ForeignLabels:
    """Foreign boxes, with nothing checked but that the files could be parsed.

    Attributes:
        images: one row per image: ``image`` (path under ``root``), ``width`` and
            ``height`` (pixels, Int64; empty where the image cannot be read).
        boxes: one row per box: ``image``, ``name`` (the class as the file calls it),
            ``x1 y1 x2 y2`` (float64 pixels from the image's top left corner, not
            clipped; NaN where the format has fractions and the image cannot be read),
            ``pieces`` (the boxes of the annotation's polygons as a list of corner
            tuples where it has several, else None), ``where`` (the place in the
            file, for messages), ``score`` (float64, 0 to 1) and ``source`` (one of
            `annotations.boxes.SOURCES`): 1 and label where the file does not say.
        root: the folder that ``image`` is relative to.
        source: the file or folder that errors name.
    """

    images: pd.DataFrame
    boxes: pd.DataFrame
    root: Path
    source: str

    @classmethod
    def from_rows(
        cls,
        images: Iterable[tuple[str, int | None, int | None]],
        boxes: Iterable[ForeignBox | _Plain],
        root: Path,
        source: str,
    ) -> ForeignLabels:
        """Build the frames from rows in the order of the columns.

        Raises:
            InputError: no image, an image that is there twice, or a box of none of them.
        """
        image_frame = pd.DataFrame(list(images), columns=_IMAGE_COLUMNS)
        image_frame = image_frame.astype({"image": "string", "width": "Int64", "height": "Int64"})
        rows = [ForeignBox(*box) for box in boxes]
        box_frame = pd.DataFrame(rows, columns=list(ForeignBox._fields))
        numbers = dict.fromkeys([*CORNERS, "score"], "float64")
        texts = dict.fromkeys(["image", "name", "source"], "string")
        box_frame = box_frame.astype({**texts, "pieces": "object", **numbers})
        if image_frame.empty:
            raise InputError(f"{source}: no image in it")
        twice = image_frame["image"].duplicated()
        if twice.any():
            raise InputError(f"{source}: image '{image_frame['image'][twice].iloc[0]}' twice")
        stray = box_frame[~box_frame["image"].isin(image_frame["image"])]
        if len(stray):
            first = stray.iloc[0]
            raise InputError(f"{source}: {first['where']}: no such image '{first['image']}'")
        return cls(image_frame, box_frame, root, source)


def require_folder(path: Path) -> None:
    """Demand that ``path`` is a folder."""
    if not path.is_dir():
        what = "is a file, not a folder" if path.exists() else "no such folder"
        raise InputError(f"{path}: {what}")


def image_folder(given: Path | None, folder: Path, *examples: str) -> Path:
    """Find the folder that image names start from.

    Args:
        given: what the person said; taken as it is.
        folder: where the labels are; tried are it, ``images`` and ``JPEGImages`` in it,
            and those two beside it.
        examples: the name of an image, or the names that it may have.
    """
    if given is not None:
        require_folder(given)
        return given
    for name in _IMAGE_FOLDERS:
        if any((folder / name / example).is_file() for example in examples):
            return folder.parent / name[3:] if name.startswith("..") else folder / name
    return folder


def image_sizes(root: Path, names: Sequence[str]) -> list[tuple[str, int | None, int | None]]:
    """Read ``(image, width, height)`` from the files' headers; None where that fails."""

    def size(name: str) -> tuple[str, int | None, int | None]:
        try:
            return name, *read_size(root / name)
        except ImageError:
            return name, None, None

    with ThreadPoolExecutor() as pool:
        return list(pool.map(size, names))


def number(text: Any, source: str) -> float:
    """Parse a coordinate; ``source`` names its place in the error."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{source}: '{text}' is not a number")
    return value


def share(text: Any, source: str) -> float:
    """Parse a score, 0 to 1; nothing is 1. ``source`` names its place in the error."""
    value = 1.0 if text is None else number(text, source)
    if not 0.0 <= value <= 1.0:
        raise InputError(f"{source}: {text} is not a score from 0 to 1")
    return value

"""Labels as another tool wrote them: every format's reader returns this one shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from annotations.boxes import CORNERS
from annotations.errors import InputError
from annotations.labels import LabelledSet
from annotations.pixels import ImageError, read_size

Corners = tuple[float, float, float, float]

_IMAGE_COLUMNS = ["image", "width", "height"]
_BOX_COLUMNS = ["image", "name", *CORNERS, "pieces", "where"]
_IMAGE_FOLDERS = (".", "images", "JPEGImages", "../images", "../JPEGImages")


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
            tuples where it has several, else None) and ``where`` (the place in the
            file, for messages).
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
        boxes: Iterable[tuple[str, str, float, float, float, float, list[Corners] | None, str]],
        root: Path,
        source: str,
    ) -> ForeignLabels:
        """Build the frames from rows in the order of the columns.

        Raises:
            InputError: no image, an image that is there twice, or a box of none of them.
        """
        image_frame = pd.DataFrame(list(images), columns=_IMAGE_COLUMNS)
        image_frame = image_frame.astype({"image": "string", "width": "Int64", "height": "Int64"})
        box_frame = pd.DataFrame(list(boxes), columns=_BOX_COLUMNS)
        numbers = dict.fromkeys(CORNERS, "float64")
        box_frame = box_frame.astype(
            {"image": "string", "name": "string", "pieces": "object", **numbers}
        )
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


def image_folder(given: Path | None, folder: Path, example: str) -> Path:
    """Find the folder that image names start from.

    Args:
        given: what the person said; taken as it is.
        folder: where the labels are; tried are it, ``images`` and ``JPEGImages`` in it,
            and those two beside it.
        example: the name of an image.
    """
    if given is not None:
        require_folder(given)
        return given
    for name in _IMAGE_FOLDERS:
        if (folder / name / example).is_file():
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


def pixel_boxes(labels: LabelledSet) -> pd.DataFrame:
    """Return a labelled set's boxes in pixels, for a writer.

    Returns:
        One row per image and box, in the order of the images: ``image``, ``width``,
        ``height`` (int64), ``part`` and ``x1 y1 x2 y2`` (float64 pixels). An image
        without a box has one row, whose ``part`` is empty.

    Raises:
        ImageError: an image's size cannot be read.
    """
    names = list(labels.images.frame["image"])
    with ThreadPoolExecutor() as pool:
        sizes = list(pool.map(read_size, labels.images.paths))
    frame = pd.DataFrame(sizes, columns=["width", "height"]).assign(image=names)
    frame = frame.merge(labels.boxes.frame[["image", "part", *CORNERS]], on="image", how="left")
    frame[["x1", "x2"]] = frame[["x1", "x2"]].mul(frame["width"], axis=0)
    frame[["y1", "y2"]] = frame[["y1", "y2"]].mul(frame["height"], axis=0)
    return frame[["image", "width", "height", "part", *CORNERS]]


def labelled_names(labels: LabelledSet) -> list[str]:
    """Return the parts that the set labels, in the vocabulary's order: a format's class list."""
    return [name for name in labels.vocabulary.names if name in labels.labelled]


def one_file_each(labels: LabelledSet, suffix: str) -> dict[str, str]:
    """Name a label file for each image: the image's own name with ``suffix``.

    Raises:
        InputError: two images would share one (``a.jpg`` and ``a.png``).
    """
    images = list(labels.images.frame["image"])
    files = {image: str(PurePosixPath(image).with_suffix(suffix)) for image in images}
    shared, count = Counter(files.values()).most_common(1)[0]
    if count > 1:
        raise InputError(f"{labels.images.source}: {count} images would share '{shared}'")
    return files


def number(text: Any, source: str) -> float:
    """Parse a coordinate; ``source`` names its place in the error."""
    try:
        return float(text)
    except (TypeError, ValueError):
        raise InputError(f"{source}: '{text}' is not a number") from None

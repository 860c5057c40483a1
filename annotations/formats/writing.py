"""What the formats' writers share."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import pandas as pd

from annotations.boxes import CORNERS, LABEL
from annotations.errors import InputError
from annotations.labels import LabelledSet
from annotations.pixels import read_size

DIGITS = 6
"""Decimals of a pixel that are written: finer than a millionth of any image's side."""


def pixel_boxes(labels: LabelledSet) -> pd.DataFrame:
    """Return a labelled set's boxes in pixels, for a writer.

    Returns:
        One row per image and box, in the order of the images: ``image``, ``width``,
        ``height`` (int64), ``part``, ``x1 y1 x2 y2`` (float64 pixels), ``score`` and
        ``source``. An image without a box has one row, whose ``part`` is empty.

    Raises:
        ImageError: an image's size cannot be read.
    """
    names = list(labels.images.frame["image"])
    with ThreadPoolExecutor() as pool:
        sizes = list(pool.map(read_size, labels.images.paths))
    frame = pd.DataFrame(sizes, columns=["width", "height"]).assign(image=names)
    columns = ["part", *CORNERS, "score", "source"]
    frame = frame.merge(labels.boxes.frame[["image", *columns]], on="image", how="left")
    frame[["x1", "x2"]] = frame[["x1", "x2"]].mul(frame["width"], axis=0)
    frame[["y1", "y2"]] = frame[["y1", "y2"]].mul(frame["height"], axis=0)
    return frame[["image", "width", "height", *columns]]


def drawn_by_hand(score: float, source: str) -> bool:
    """Say whether score and source are what every box has that a person drew."""
    return score == 1.0 and source == LABEL


def plain(value: float, digits: int = DIGITS) -> str:
    """Write a number with up to ``digits`` decimals, a whole one without any."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


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

"""How much of a data set has been labelled: which identities, cameras and viewpoints."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError
from annotations.images import Images


def _files(images: Images) -> pd.Index[Any]:
    root = images.root.resolve()
    paths: pd.Index[Any] = pd.Index([os.path.normpath(root / i) for i in images.frame["image"]])
    return paths


def find_rows(images: Images, among: Images) -> tuple[npt.NDArray[np.int64], str]:
    """Find labelled images in a data set's table: by their files, or else by their names.

    Names are looked at only where not one file is the same: the labels may have been drawn on a
    copy of the images.

    Returns:
        int64, the row in ``among`` of each of ``images``, -1 where there is none; and ``file`` or
        ``name``, whichever told.

    Raises:
        InputError: none of the images is there.
    """
    found = _files(among).get_indexer_for(_files(images)), "file"
    if (found[0] < 0).all():
        there = pd.Index(among.frame["image"])
        found = there.get_indexer_for(pd.Index(images.frame["image"])), "name"
    if (found[0] < 0).all():
        raise InputError(
            f"{among.source}: none of the {len(images)} images of {images.source} is in it; it has "
            f"'{among.frame['image'].iloc[0]}' where the labelled images are like "
            f"'{images.frame['image'].iloc[0]}'"
        )
    return np.asarray(found[0], np.int64), found[1]


def _by_value(images: Images, rows: npt.NDArray[np.int64], column: str) -> pd.DataFrame:
    """Count, by value of a column, the images and those of them in ``rows``."""
    frame = pd.DataFrame({"value": images.frame[column].astype("string"), "labelled": False})
    frame.iloc[np.unique(rows[rows >= 0]), 1] = True
    counts = frame.groupby("value")["labelled"].agg(images="size", labelled="sum")
    return counts.astype(int).reset_index()


def coverage(images: Images, rows: npt.NDArray[np.int64], columns: list[str]) -> pd.DataFrame:
    """Say what share of a data set's values has at least one labelled image.

    Args:
        images: the data set.
        rows: its labelled rows, as `find_rows` gives them.
        columns: such as identity, camera and viewpoint; one that the table lacks, or that is
            empty in every row, is left out.

    Returns:
        Columns ``of`` (the column), ``there`` (values), ``covered`` (values with a labelled
        image) and ``share``.
    """
    found = []
    for column in columns:
        if column in images.frame and images.frame[column].notna().any():
            counts = _by_value(images, rows, column)
            covered = int((counts["labelled"] > 0).sum())
            found.append((column, len(counts), covered, covered / len(counts)))
    return pd.DataFrame(found, columns=["of", "there", "covered", "share"])


def not_covered(images: Images, rows: npt.NDArray[np.int64], columns: list[str]) -> pd.DataFrame:
    """List the values without a labelled image, those with the most images first.

    Args:
        images: the data set.
        rows: its labelled rows, as `find_rows` gives them.
        columns: as for `coverage`.

    Returns:
        Columns ``of`` (the column), ``value`` and ``images`` (that the data set has of it).
    """
    frames = [pd.DataFrame({"of": [], "value": [], "images": []}, dtype="object")]
    for column in coverage(images, rows, columns)["of"]:
        counts = _by_value(images, rows, column)
        missing = counts[counts["labelled"] == 0].sort_values(
            ["images", "value"], ascending=[False, True]
        )
        frames.append(missing.assign(of=column)[["of", "value", "images"]])
    return pd.concat(frames, ignore_index=True).astype({"of": str, "value": str, "images": int})

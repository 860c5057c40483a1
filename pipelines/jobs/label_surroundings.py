"""Where labelled images come from, and where what is found about them goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.coverage import find_rows
from annotations.datasets import read_images
from annotations.errors import InputError, suggest
from annotations.images import Images
from annotations.labels import LabelledSet

VIEWPOINT = "viewpoint"


@dataclass(frozen=True)
class Surroundings:
    """What is known of a labelled set's images beside their boxes.

    Attributes:
        viewpoints: of each image, in the set's order; NA where unknown.
        column: the column of viewpoints.
        data: the data set that the images are from, if one was given.
        rows: int64, the row of each image in ``data``, -1 where it is not there.
        notes: lines for the person.
    """

    viewpoints: pd.Series[str]
    column: str
    data: Images | None
    rows: npt.NDArray[np.int64]
    notes: tuple[str, ...]


def stats_folder(labels: Path, roots: Iterable[Path], out: Path | None) -> Path:
    """Choose the folder of the results: by default ``stats/NAME`` beside the labelled set NAME.

    A picture among the images of a data set would be taken for one of them, so where the labelled
    set lies among images the folder stands beside these.

    Args:
        labels: the labelled set's folder.
        roots: folders of images.
        out: what the person asked for.

    Raises:
        InputError: ``out`` is in a labelled set, which is replaced as a whole when it is written.
    """
    if out is None:
        beside = labels.resolve().parent
        for root in {root.resolve() for root in roots}:
            if beside.is_relative_to(root):
                beside = root.parent
        out = beside / "stats" / labels.resolve().name
    for folder in (out.resolve(), *out.resolve().parents):
        if LabelledSet.is_at(folder):
            raise InputError(
                f"{out}: is in the labelled set {folder}, which is replaced as a whole when labels "
                f"are written; give another folder with --out"
            )
    return out


def look_around(
    labels: LabelledSet, data: Path | None, dataset: str | None, column: str | None
) -> Surroundings:
    """Find the labelled images in a data set, and from where they show the vehicle.

    Args:
        labels: the labelled set.
        data: the data set's root or table; None for the set's own table alone.
        dataset: which reader; None to guess.
        column: of viewpoints; None for ``viewpoint``, where there is one.

    Raises:
        InputError: the column asked for is not there, or the images are not in the data set.
    """
    own, notes = labels.images, []
    images = None if data is None else read_images(data, dataset)
    rows = np.full(len(own), -1)
    if images is not None:
        rows, how = find_rows(own, images)
        if how == "name":
            notes.append(f"labelled images were found in {data} by their names, not as files")
        if (rows < 0).any():
            notes.append(f"{int((rows < 0).sum())} of {len(own)} labelled images are not in {data}")
    name = column or VIEWPOINT
    tables = [table for table in (images, own) if table is not None]
    chosen = next((table for table in tables if name in table.frame), None)
    viewpoints = pd.Series(pd.NA, index=range(len(own)), dtype="string")
    if chosen is not None:
        values = chosen.frame[name].astype("string")
        viewpoints = (values if chosen is own else values.reindex(rows)).reset_index(drop=True)
    elif column is not None:
        there = tables[0].frame.columns
        raise InputError(f"{tables[0].source}: no column '{column}'; {suggest(column, there)}")
    known = int(viewpoints.notna().sum())
    if not known:
        notes.append(
            "no viewpoint is known; give --data with a table that has them, or --viewpoint"
        )
    elif known < len(own):
        notes.append(f"{len(own) - known} of {len(own)} labelled images have no viewpoint")
    return Surroundings(viewpoints, name, images, rows, tuple(notes))

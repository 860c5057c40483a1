"""A plain table of boxes: ``image,part,x1,y1,x2,y2``, and ``score,source`` where there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from annotations.boxes import CORNERS, LABEL, SOURCES
from annotations.errors import InputError
from annotations.formats.foreign import ForeignBox, ForeignLabels, image_folder, image_sizes
from annotations.labels import LabelledSet
from annotations.table import Column, check_table, read_table, write_table

_COLUMNS = (
    Column("image", required=True),
    Column("part", required=True, nullable=True),
    *(Column(name, kind="number", required=True, nullable=True) for name in CORNERS),
    Column("score", kind="number", nullable=True, low=0.0, high=1.0),
    Column("source", nullable=True, choices=SOURCES),
)
_BY_HAND: dict[str, float | str] = {"score": 1.0, "source": LABEL}


def read(path: Path, images_root: Path | None = None) -> ForeignLabels:
    """Read a CSV or Parquet table with the columns ``image, part, x1, y1, x2, y2``.

    It may have the columns ``score`` (0 to 1) and ``source`` (label, detector or
    identity-mean); an empty cell is 1 and label.

    Corners are pixels, or fractions of the image: fractions if more than half of the boxes
    end within 1, which no real box in pixels does. A row with an image alone says that the
    image was looked at and shows nothing.

    Args:
        path: the file; further columns are ignored.
        images_root: the folder that the image names start from; looked for beside the
            file where None.

    Raises:
        InputError: a column or cell is missing or not a number, a score is not 0 to 1, or a
            source is another word.
    """
    frame, _ = read_table(path, ["image", "part", "source"])
    frame = check_table(frame, _COLUMNS, [], str(path))
    frame["where"] = [f"row {row + 2}" for row in range(len(frame))]
    given = frame[["part", *CORNERS]].notna()
    partial = given.any(axis=1) & ~given.all(axis=1)
    if partial.any():
        first = frame[partial].iloc[0]
        raise InputError(
            f"{path}: {first['where']} (image '{first['image']}'): part, x1, y1, x2 and y2 must "
            f"be all there, or all empty for an image without a part"
        )
    names = list(frame["image"].unique())
    root = image_folder(images_root, path.parent, names[0] if names else "")
    sizes = image_sizes(root, names)
    boxes = frame[given.all(axis=1)].rename(columns={"part": "name"}).assign(pieces=None)
    if len(boxes) and (boxes[["x2", "y2"]].max(axis=1) <= 1).mean() > 0.5:
        known = pd.DataFrame(sizes, columns=["image", "width", "height"]).set_index("image")
        scale = known.loc[boxes["image"], ["width", "height"]].to_numpy(dtype=np.float64)
        boxes[CORNERS] *= np.tile(scale, 2)
    known_of = {
        name: boxes[name].fillna(by_hand) if name in boxes else by_hand
        for name, by_hand in _BY_HAND.items()
    }
    boxes = boxes.assign(**known_of)[list(ForeignBox._fields)]
    rows = map(ForeignBox._make, boxes.itertuples(index=False, name=None))
    return ForeignLabels.from_rows(sizes, rows, root, str(path))


def write(labels: LabelledSet, path: Path) -> None:
    """Write the boxes as fractions, and a row with the name alone for an image without one.

    Columns ``score`` and ``source`` are written where a box has others than a hand-drawn one.

    Args:
        labels: the set; its images stay where they are.
        path: the CSV (or, by its suffix, Parquet) file.
    """
    frame = labels.boxes.frame
    by_hand = all(frame[name].eq(value).all() for name, value in _BY_HAND.items())
    boxes = frame[["image", "part", *CORNERS, *([] if by_hand else _BY_HAND)]]
    write_table(labels.images.frame[["image"]].merge(boxes, on="image", how="left"), path)

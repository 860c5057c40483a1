"""The boxes table: where the parts of each image are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from annotations.table import Column, check_table, read_table, write_table

LABEL, DETECTOR, IDENTITY_MEAN = SOURCES = ("label", "detector", "identity-mean")

CORNERS = ["x1", "y1", "x2", "y2"]
COLUMNS = (
    Column("image", required=True, trimmed=False),
    Column("part", required=True),
    *(Column(name, kind="number", required=True, low=0.0, high=1.0) for name in CORNERS),
    Column("score", kind="number", required=True, low=0.0, high=1.0),
    Column("source", required=True, choices=SOURCES),
    Column("visible", kind="number", nullable=True, low=0.0, high=1.0),
)
NAMES = [column.name for column in COLUMNS if column.required]
_KEPT = [column.name for column in COLUMNS]


@dataclass(frozen=True)
class Boxes:
    """A checked boxes table.

    Attributes:
        frame: columns ``image`` and ``part`` (text), ``x1 y1 x2 y2`` (float64, fractions
            of the image's width and height, ``x1 < x2`` and ``y1 < y2``), ``score``
            (float64, 0 to 1) and ``source`` (label, detector or identity-mean); where known
            ``visible`` (float64, 0 to 1), the share of the part that is neither hidden nor cut
            off. Several rows may share image and part: a car has two lights.
        about: what made the boxes (the detector's hash and settings, the vocabulary);
            kept in the metadata of a Parquet file.
        source: the file that errors name.

    Raises:
        InputError: from every constructor, where the table breaks these rules.
    """

    frame: pd.DataFrame
    about: dict[str, Any] = field(default_factory=dict)
    source: str = "boxes table"

    def __post_init__(self) -> None:
        frame = check_table(self.frame, COLUMNS, [], self.source)
        for low, high in (("x1", "x2"), ("y1", "y2")):
            empty = frame[low] >= frame[high]
            if empty.any():
                row = int(empty.to_numpy().argmax())
                raise InputError(
                    f"{self.source}: row {row + 2} (image '{frame['image'][row]}'): "
                    f"{low} must be smaller than {high}"
                )
        object.__setattr__(self, "frame", frame[[name for name in _KEPT if name in frame]])

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def none(cls) -> Boxes:
        """A table without a row."""
        return cls(pd.DataFrame({name: [] for name in NAMES}))

    @classmethod
    def read(cls, path: Path) -> Boxes:
        """Read a Parquet or CSV file; in a CSV, blanks around an image's name are no part of it."""
        frame, about = read_table(path, ["image", "part", "source"])
        if path.suffix != ".parquet" and "image" in frame:  # a person may have typed it
            frame["image"] = frame["image"].str.strip()
        return cls(frame, about, str(path))

    def write(self, path: Path) -> None:
        """Write a Parquet file (with ``about``) or a CSV."""
        write_table(self.frame, path, self.about)

    def of(self, images: Images) -> Boxes:
        """Keep the boxes of ``images``.

        Raises:
            InputError: there are boxes, and none is of one of the images: most likely they
                were made from another data set or with another root.
        """
        mine = self.among(images)
        if len(self) and not len(mine):
            raise InputError(
                f"{self.source}: no box of any of the {len(images)} images of {images.source}; it "
                f"has '{self.frame['image'].iloc[0]}' where the images are like "
                f"'{images.frame['image'].iloc[0]}': boxes of another data set or another root, "
                f"or nothing was found on these"
            )
        return mine

    def among(self, images: Images) -> Boxes:
        """Keep the boxes of ``images``, which may be a piece of a data set on which none is."""
        mine = self.frame["image"].isin(images.frame["image"])
        return Boxes(self.frame[mine], self.about, self.source)

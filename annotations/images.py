"""The images table: one row per image, with what is known of it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError
from annotations.table import Column, check_table, read_table, write_table

_log = logging.getLogger(__name__)

SPLITS = ("train", "query", "gallery", "test")
"""``test`` is a pool that a protocol divides into query and gallery, as VehicleID's does."""

COLUMNS = (
    Column("image", required=True, trimmed=False),
    Column("identity", nullable=True),
    Column("camera", nullable=True),
    Column("split", nullable=True, choices=SPLITS),
    Column("track", nullable=True),
    Column("time", kind="time", nullable=True),
    Column("viewpoint", nullable=True),
    Column("viewpoint_score", kind="number", nullable=True, low=0, high=1),
    Column("make", nullable=True),
    Column("model", nullable=True),
    Column("year", kind="integer", nullable=True),
    Column("type", nullable=True),
    Column("colour", nullable=True),
    Column("left", kind="number", nullable=True),
    Column("top", kind="number", nullable=True),
    Column("right", kind="number", nullable=True),
    Column("bottom", kind="number", nullable=True),
)
_ELSEWHERE = {"color": "colour"}
"""What columns are called by others."""
_TEXT = [column.name for column in COLUMNS if column.kind == "text"]


@dataclass(frozen=True)
class Images:
    """A checked images table and the folder that its paths start from.

    Attributes:
        frame: columns ``image`` (text, path under ``root``), ``identity`` and ``camera``
            (text, empty where unknown), and where known ``split`` (one of `SPLITS`), ``track``,
            ``time`` (seconds or frames, float64; dates become seconds
            from 1970, UTC), ``viewpoint``, ``viewpoint_score`` (float64 from 0 to 1: a classifier
            told the viewpoint and is so sure of it; NaN: a person gave it), ``make``,
            ``model``, ``year`` (Int64), ``type`` (such as suv), ``colour``, and ``left``, ``top``,
            ``right``, ``bottom`` (float64), the vehicle's box in a photograph that shows more than
            it, in pixels from the top left corner, right and bottom exclusive. Further columns
            are kept.
        root: the folder that ``image`` is relative to.
        source: the file or folder that errors name.
        closed: a line for each folder below that could not be listed, and each file that could not
            be looked at or whose name is not UTF-8, whose images are therefore not among these;
            only the reader's own table has them, not a part of it.
        rows: (N,) int64, the row of ``source`` that each image stands in, the first below the
            heading being 2; None where all of them are here.

    Raises:
        InputError: from every constructor, where the table breaks these rules.
    """

    frame: pd.DataFrame
    root: Path
    source: str = "images table"
    closed: tuple[str, ...] = ()
    rows: npt.NDArray[np.int64] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        frame = check_table(self.frame, COLUMNS, ["image"], self.source)
        # Added after the check, whose errors say which columns the file has.
        for name in ("identity", "camera"):
            if name not in frame:
                frame = frame.assign(**{name: pd.array([pd.NA] * len(frame), dtype="string")})
        if frame.empty:
            raise InputError(f"{self.source}: no image")
        object.__setattr__(self, "frame", frame)

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def from_rows(cls, rows: Iterable[dict[str, Any]], root: Path, source: str) -> Images:
        """Build the table from one dictionary per image."""
        return cls(pd.DataFrame(list(rows), columns=None), root, source)

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> Images:
        """Read a CSV or Parquet file.

        Blanks around the name of an image are not taken for a part of it, unless a file is there
        that is called so.

        Args:
            path: the file.
            root: the folder that the paths start from; without it the one stored in a
                Parquet file, else the file's own folder.

        Raises:
            InputError: it is no table, or breaks the rules; a column that is merely called nearly
                as one of `COLUMNS` is told in the log and kept as one of the user's own.
        """
        frame, about = read_table(path, _TEXT)
        _require_commas(frame, path)
        _tell_near_misses(frame, path)
        root = root or path.parent / about.get("root", "")
        return cls(_trimmed(frame, root), root, str(path))

    def write(self, path: Path) -> None:
        """Write a CSV or Parquet file; Parquet remembers the root.

        A root below or beside the file's folder is stored relative to it, so that the two can
        be moved together.
        """
        root, folder = self.root.resolve(), path.parent.resolve()
        if root.is_relative_to(folder.parent):
            root = Path(os.path.relpath(root, folder))
        write_table(self.frame, path, {"root": root.as_posix()})

    @property
    def paths(self) -> list[Path]:
        """The file of each row, in order."""
        return [self.root / image for image in self.frame["image"]]

    def where(self, keep: pd.Series[bool] | npt.NDArray[np.bool_]) -> Images:
        """Keep the rows for which ``keep`` (boolean, one per row) is true."""
        those = pd.Series(keep, dtype="boolean").to_numpy(bool, na_value=False)
        if not those.any():
            raise InputError(f"{self.source}: no image is left after selecting")
        rows = np.flatnonzero(those) + 2 if self.rows is None else self.rows[those]
        return Images(self.frame[those], self.root, self.source, rows=rows)

    def place(self, position: int) -> str:
        """Say where an image stands, for an error: ``images.csv: row 3 (image '1.jpg')``."""
        name = self.frame["image"].iloc[position]
        row = position + 2 if self.rows is None else self.rows[position]
        return f"{self.source}: row {row} (image '{name}')"

    def split(self, name: str) -> Images:
        """Keep one split.

        Raises:
            InputError: the table has no such split.
        """
        if "split" not in self.frame or not (self.frame["split"] == name).any():
            raise InputError(
                f"{self.source}: no image has split '{name}'; give the table a 'split' column "
                f"or the folder subfolders train/, query/ and gallery/"
            )
        return self.where(self.frame["split"] == name)

    def training(self) -> Images:
        """Keep the training split, or everything where no image has a split."""
        splits = "split" in self.frame and self.frame["split"].notna().any()
        return self.split("train") if splits else self

    def require(self, column: str, purpose: str) -> None:
        """Demand that every row has a value in ``column``; ``purpose`` says what for."""
        if column not in self.frame or self.frame[column].isna().any():
            missing = (
                self.frame if column not in self.frame else self.frame[self.frame[column].isna()]
            )
            raise InputError(
                f"{self.source}: {len(missing)} of {len(self)} images have no '{column}', which "
                f"{purpose} needs; the first is '{missing['image'].iloc[0]}'"
            )

    def require_files(self) -> None:
        """Demand that every image file is there."""
        missing = [path for path in self.paths if not path.is_file()]
        if missing:
            raise InputError(
                f"{self.source}: {len(missing)} of {len(self)} image files are missing under "
                f"{self.root}; the first is '{missing[0]}'"
            )


def _require_commas(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a file whose heading is one column for us, as its marks are others than commas."""
    if len(frame.columns) != 1:
        return
    name = str(frame.columns[0])
    shown = name.replace("\t", " ")
    for mark, words in ((";", "semicolons"), ("\t", "tabs")):
        if mark in name:
            raise InputError(
                f"{path}: its heading '{shown}' is separated by {words}; columns are separated by "
                "commas: save it so"
            )


def _tell_near_misses(frame: pd.DataFrame, path: Path) -> None:
    """Warn of columns that are probably meant to be one of `COLUMNS`, and are not."""
    known = {column.name for column in COLUMNS}
    for name in map(str, frame.columns):
        meant = _ELSEWHERE.get(name.strip().lower(), name.strip().lower())
        if name != meant and meant in known and meant not in frame:
            _log.warning(
                "%s: column '%s' is kept as one of your own; if it is the %s, call it '%s'",
                path, name, meant, meant,
            )  # fmt: skip


def _trimmed(frame: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Take the blanks around images' names away where they are no part of a file's name."""
    if "image" not in frame:
        return frame
    names = frame["image"].astype("string")
    trimmed = names.str.strip()
    for place in np.flatnonzero((names != trimmed).fillna(False)).tolist():
        if (root / names.iloc[place]).is_file():
            trimmed.iloc[place] = names.iloc[place]
    return frame.assign(image=trimmed)

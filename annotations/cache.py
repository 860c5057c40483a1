"""The folder in which what was found on images is kept, so that no image is looked at twice.

A table holds what was found, ``images.parquet`` the state of each image file when it was looked
at. While a run is under way, finished images go into small shards beside them; a run that is
killed leaves its shards, and the next one reads them.
"""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.files import whole_folder
from annotations.images import Images
from annotations.masks import FILE as MASKS
from annotations.masks import NAMES as MASK_COLUMNS
from annotations.masks import Masks
from annotations.table import read_table, write_table

BOXES, IMAGES, PROBLEMS, SHARDS = "boxes.parquet", "images.parquet", "problems.csv", ".shards"
STATE = ["image", "bytes", "mtime_ns"]


class _Table(Protocol):
    @property
    def frame(self) -> pd.DataFrame: ...

    @property
    def about(self) -> dict[str, Any]: ...

    def write(self, path: Path) -> None: ...


Table = TypeVar("Table", bound=_Table)


def file_states(images: Images) -> pd.DataFrame:
    """Return ``image``, ``bytes`` and ``mtime_ns`` (both int64, -1 for a missing file)."""
    rows = []
    for name, path in zip(images.frame["image"], images.paths, strict=True):
        try:
            stat = path.stat()
            rows.append((name, stat.st_size, stat.st_mtime_ns))
        except OSError:
            rows.append((name, -1, -1))
    frame = pd.DataFrame(rows, columns=STATE)
    return frame.astype({"image": "string", "bytes": "int64", "mtime_ns": "int64"})


@dataclass
class Cache(ABC, Generic[Table]):
    """What was found on images, on disk.

    Attributes:
        folder: where it is kept.
        about: what makes finds comparable: the hash of what found them, and the settings.
    """

    folder: Path
    about: dict[str, Any]

    file: ClassVar[str]
    what: ClassVar[str]

    @abstractmethod
    def table(self, frame: pd.DataFrame) -> Table:
        """Make the table of what was found."""

    @abstractmethod
    def load(self, path: Path) -> Table:
        """Read the table."""

    @abstractmethod
    def none(self) -> pd.DataFrame:
        """Return the frame of nothing found."""

    def clear(self) -> None:
        """Forget everything."""
        for name in (self.file, IMAGES, PROBLEMS):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / SHARDS, ignore_errors=True)

    def read(self) -> tuple[pd.DataFrame, Table]:
        """Return what is known: the states (`STATE` and ``problem``) and what was found.

        Raises:
            InputError: the folder holds finds of another network or other settings.
        """
        states = pd.DataFrame({name: [] for name in [*STATE, "problem"]})
        found = self.none()
        for folder in [self.folder, *self._shards()]:
            if not (folder / self.file).is_file():
                continue
            part = self.load(folder / self.file)
            self._demand_same(part.about)
            if not (folder / IMAGES).is_file():
                raise InputError(
                    f"{folder}: has {self.file} without {IMAGES}; use another folder, or redo"
                )
            looked_at, _ = read_table(folder / IMAGES, [])
            # A run killed while it merged its shards has left their finds in both places.
            fresh = set(looked_at["image"])
            states = _join(states[~states["image"].isin(fresh)], looked_at)
            found = _join(found[~found["image"].isin(fresh)], part.frame)
        states = states.drop(columns=self.what, errors="ignore")
        return states, self.table(found)

    def add(self, states: pd.DataFrame, found: pd.DataFrame) -> None:
        """Keep the images finished since the last call, until `write` merges them."""
        number = len(self._shards())
        with whole_folder(self.folder / SHARDS / f"{number:06d}") as aside:
            write_table(states, aside / IMAGES)
            self.table(found).write(aside / self.file)

    def write(self, states: pd.DataFrame, found: Table) -> None:
        """Write the finished tables and ``problems.csv``, and drop the shards."""
        counts = found.frame["image"].value_counts()
        number = states["image"].map(counts).fillna(0).astype("int64")
        # Finds last: without them a folder is no cache, and the shards still hold everything.
        write_table(states.assign(**{self.what: number}), self.folder / IMAGES, self.about)
        found.write(self.folder / self.file)
        problems = states.loc[states["problem"].notna(), ["image", "problem"]]
        write_table(problems, self.folder / PROBLEMS)
        shutil.rmtree(self.folder / SHARDS, ignore_errors=True)

    def _shards(self) -> list[Path]:
        shards = self.folder / SHARDS
        return sorted(shards.glob("[0-9]*")) if shards.is_dir() else []

    def _demand_same(self, there: dict[str, Any]) -> None:
        wanted = json.loads(json.dumps(self.about))
        differing = [
            f"{key} (there: {there.get(key, 'none')}; now: {wanted[key]})"
            for key in wanted
            if there.get(key) != wanted[key]
        ]
        if differing:
            raise InputError(
                f"{self.folder}: its {self.what} were made with another "
                f"{', another '.join(differing)}; "
                f"use another folder, or redo to look at every image again"
            )


class BoxCache(Cache[Boxes]):
    """Detected boxes, ``boxes.parquet``."""

    file, what = BOXES, "boxes"

    def table(self, frame: pd.DataFrame) -> Boxes:
        """See `Cache.table`."""
        return Boxes(frame, self.about, str(self.folder / BOXES))

    def load(self, path: Path) -> Boxes:
        """See `Cache.load`."""
        return Boxes.read(path)

    def none(self) -> pd.DataFrame:
        """See `Cache.none`."""
        return Boxes.none().frame


@dataclass
class MaskCache(Cache[Masks]):
    """Masks of views, ``masks.parquet``.

    Attributes:
        views: see `annotations.masks.Masks`.
        size: see there.
    """

    views: tuple[str, ...]
    size: tuple[int, int]

    file, what = MASKS, "masks"

    def table(self, frame: pd.DataFrame) -> Masks:
        """See `Cache.table`."""
        return Masks(frame, self.views, self.size, self.about, str(self.folder / MASKS))

    def load(self, path: Path) -> Masks:
        """See `Cache.load`."""
        return Masks.read(path)

    def none(self) -> pd.DataFrame:
        """See `Cache.none`."""
        return pd.DataFrame({name: [] for name in MASK_COLUMNS})


def _join(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    # pandas would take the column types of an empty table into account.
    return pd.concat([first, second], ignore_index=True) if len(first) else second


def changed(states: pd.DataFrame, known: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say of each row of ``states`` whether ``known`` has not the same file, boolean."""
    if known.empty:
        return np.ones(len(states), bool)
    same = states.merge(known[STATE], on=STATE, how="left", indicator=True)["_merge"] == "both"
    return ~same.to_numpy()


def sizes_beside(boxes: Path) -> dict[str, int]:
    """Return the size in bytes of each image of a cache; nothing for a boxes file that is alone.

    Args:
        boxes: the file of the boxes.
    """
    path = boxes.with_name(IMAGES)
    if boxes.name != BOXES or not path.is_file():
        return {}
    states, _ = read_table(path, [])
    if "bytes" not in states:  # the images of a data set, not of a cache
        return {}
    return dict(zip(states["image"], states["bytes"], strict=True))

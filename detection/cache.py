"""The folder in which detected boxes are kept, so that no image is looked at twice.

``boxes.parquet`` holds the boxes, ``images.parquet`` the state of each image file when it was
looked at. While detection runs, finished images go into small shards beside them; a run that
is killed leaves its shards, and the next one reads them.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.files import whole_folder
from annotations.images import Images
from annotations.table import read_table, write_table

BOXES, IMAGES, PROBLEMS, SHARDS = "boxes.parquet", "images.parquet", "problems.csv", ".shards"
STATE = ["image", "bytes", "mtime_ns"]


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
class BoxCache:
    """Detected boxes on disk.

    Attributes:
        folder: where they are kept.
        about: what makes boxes comparable: the detector's hash, its vocabulary and the
            settings.
    """

    folder: Path
    about: dict[str, Any]

    def clear(self) -> None:
        """Forget everything."""
        for name in (BOXES, IMAGES, PROBLEMS):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / SHARDS, ignore_errors=True)

    def read(self) -> tuple[pd.DataFrame, Boxes]:
        """Return what is known: the states (`STATE` and ``problem``) and the boxes.

        Raises:
            InputError: the folder holds boxes of another detector or other settings.
        """
        states = pd.DataFrame({name: [] for name in [*STATE, "problem"]})
        boxes = Boxes.none().frame
        for folder in [self.folder, *self._shards()]:
            if not (folder / BOXES).is_file():
                continue
            part = Boxes.read(folder / BOXES)
            self._demand_same(part.about)
            if not (folder / IMAGES).is_file():
                raise InputError(
                    f"{folder}: has {BOXES} without {IMAGES}; use another folder, or redo"
                )
            looked_at, _ = read_table(folder / IMAGES, [])
            # A run killed while it merged its shards has left their boxes in both places.
            fresh = set(looked_at["image"])
            states = _join(states[~states["image"].isin(fresh)], looked_at)
            boxes = _join(boxes[~boxes["image"].isin(fresh)], part.frame)
        states = states.drop(columns="boxes", errors="ignore")
        return states, Boxes(boxes, self.about, str(self.folder / BOXES))

    def add(self, states: pd.DataFrame, boxes: pd.DataFrame) -> None:
        """Keep the images finished since the last call, until `write` merges them."""
        number = len(self._shards())
        with whole_folder(self.folder / SHARDS / f"{number:06d}") as aside:
            write_table(states, aside / IMAGES)
            Boxes(boxes, self.about).write(aside / BOXES)

    def write(self, states: pd.DataFrame, boxes: Boxes) -> None:
        """Write the finished tables and ``problems.csv``, and drop the shards."""
        counts = boxes.frame["image"].value_counts()
        found = states["image"].map(counts).fillna(0).astype("int64")
        # Boxes last: without them a folder is no cache, and the shards still hold everything.
        write_table(states.assign(boxes=found), self.folder / IMAGES, self.about)
        boxes.write(self.folder / BOXES)
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
                f"{self.folder}: its boxes were made with another {', another '.join(differing)}; "
                f"use another folder, or redo to detect every image again"
            )


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

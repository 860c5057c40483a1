"""The pairs of images that a person asks about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from annotations.pairs import Pairs
from annotations.pixels import SUFFIXES
from annotations.table import Column, check_table, read_table

_COLUMNS = (
    Column("first", required=True),
    Column("second", required=True),
    Column("same", kind="integer", nullable=True, low=0, high=1),
)


@dataclass(frozen=True)
class PairsAsked:
    """Pairs, and their images as a table.

    Attributes:
        frame: ``first`` and ``second`` (text, as they were given) and, where the truth is known,
            ``same`` (boolean, may be empty).
        images: every image of a pair, once.
    """

    frame: pd.DataFrame
    images: Images

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def of_two(cls, first: Path, second: Path) -> PairsAsked:
        """Ask about two images.

        Raises:
            InputError: one of the files is not there.
        """
        for path in (first, second):
            if not path.is_file():
                raise InputError(f"{path}: no such image")
        names = {"first": [str(first)], "second": [str(second)]}
        frame = pd.DataFrame(names, dtype="string")
        return cls(frame, _images(frame, Path(), f"{first} and {second}"))

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> PairsAsked:
        """Read a file of pairs.

        Args:
            path: a CSV or Parquet file with ``first``, ``second`` and, where known, ``same`` (0 or
                1); or text, as `annotations.pairs.Pairs.read` has it.
            root: the folder that its paths start from; by default its own.

        Raises:
            InputError: it is no such file, breaks these rules, or names an image that is not
                there; its row is named.
        """
        if path.suffix.lower() in SUFFIXES:
            raise InputError(f"{path}: one image; give a second one, or a CSV of pairs")
        if path.suffix in (".csv", ".parquet"):
            frame = check_table(read_table(path, ["first", "second"])[0], _COLUMNS, [], str(path))
            lines = tuple(range(2, len(frame) + 2))
        else:
            pairs = Pairs.read(path)
            frame, lines = pairs.frame, pairs.lines
        if frame.empty:
            raise InputError(f"{path}: no pair")
        folder = path.parent if root is None else root
        there = {name: (folder / name).is_file() for name in {*frame["first"], *frame["second"]}}
        for row, first, second in zip(lines, frame["first"], frame["second"], strict=True):
            for name in (first, second):
                if not there[name]:
                    lost = sum(not found for found in there.values())
                    raise InputError(
                        f"{path}: row {row}: no image '{name}' in {folder} ({lost} of "
                        f"{len(there)} images are not there); give --root if paths start elsewhere"
                    )
        columns = [name for name in ("first", "second", "same") if name in frame]
        frame = frame[columns].astype(dict.fromkeys(columns[2:], "boolean"))
        return cls(frame.reset_index(drop=True), _images(frame, folder, str(path)))


def _images(frame: pd.DataFrame, root: Path, source: str) -> Images:
    names = pd.unique(pd.concat([frame["first"], frame["second"]]))
    return Images(pd.DataFrame({"image": pd.array(names, dtype="string")}), root, source)

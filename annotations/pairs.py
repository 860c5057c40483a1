"""Verification pairs: two images, and whether they show the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from annotations.datasets.listed import parse_lines, read_lines
from annotations.errors import InputError
from annotations.images import Images
from annotations.table import Column, check_table, read_table

COLUMNS = (
    Column("first", required=True),
    Column("second", required=True),
    Column("same", kind="integer", required=True, low=0, high=1),
)

_LINE = re.compile(r"(?P<first>\S+)\s+(?P<second>\S+)\s+(?P<same>[01])")


@dataclass(frozen=True)
class Pairs:
    """A checked table of pairs.

    Attributes:
        frame: columns ``first`` and ``second`` (text, paths as in the images table) and
            ``same`` (bool; 0 and 1 are read as such). Further columns are kept.
        source: the file or object that errors name.
        lines: where each pair is in ``source``, for the rows that errors name; by default one
            after the other below a header.

    Raises:
        InputError: from every constructor, where the table breaks these rules.
    """

    frame: pd.DataFrame
    source: str = "pairs table"
    lines: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        frame = check_table(self.frame, COLUMNS, [], self.source)
        if frame.empty:
            raise InputError(f"{self.source}: no pair")
        told = frame.groupby(["first", "second"])["same"].transform("nunique")
        if (told > 1).any():
            twice = frame[told > 1].iloc[0]
            raise InputError(
                f"{self.source}: '{twice['first']}' and '{twice['second']}' are said to be the "
                f"same and different"
            )
        object.__setattr__(self, "frame", frame.assign(same=frame["same"].astype(bool)))

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def read(cls, path: Path) -> Pairs:
        """Read pairs: CSV or Parquet by the suffix, else text.

        Text is ``image image 1`` or ``image image 0`` a line, as CompCars has it and as the
        fleet writes it.
        """
        if path.suffix in (".csv", ".parquet"):
            return cls(read_table(path, ["first", "second"])[0], str(path))
        lines = read_lines(path)
        frame = parse_lines(lines, _LINE, "two images and 0 or 1", str(path))
        return cls(frame, str(path), tuple(lines.index))

    def require_images(self, images: Images) -> None:
        """Demand that every image of a pair is in the images table.

        Raises:
            InputError: one is not; names its row.
        """
        known = images.frame["image"]
        for column in ("first", "second"):
            missing = ~self.frame[column].isin(known)
            if missing.any():
                place = missing.to_numpy().argmax()
                row = self.lines[place] if self.lines else place + 2
                raise InputError(
                    f"{self.source}: row {row}: {images.source} has no image "
                    f"'{self.frame[column].iloc[place]}' ({int(missing.sum())} of {len(self)} "
                    f"pairs name a '{column}' image that is not there)"
                )

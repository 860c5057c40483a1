"""The list of files and folders that cannot be used, beside what was made of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from annotations.table import read_table, write_table
from reid.retrieval.changes import REPLACES
from reid.retrieval.segment import CONTENT

UNREADABLE = "unreadable.csv"
KEPT = "; the gallery keeps its embedding of an earlier content"
_PROBLEM = "problem"


@dataclass(frozen=True)
class Looked:
    """A data set that was looked at.

    Attributes:
        given: its folder, or its table.
        images: what was read of it.
        lines: a line for each file and folder of it that cannot be used; each begins with a path.
    """

    given: Path
    images: Images
    lines: tuple[str, ...]

    @cached_property
    def whole(self) -> list[str]:
        """The lines with whole paths: their list is read from other folders than this one."""
        root = self.images.root.resolve()
        start = _start(self.images.root)
        rest = [line.removeprefix(start) for line in self.lines]
        return [line if line.startswith("/") else f"{_start(root)}{line}" for line in rest]

    def covers(self, line: str) -> bool:
        """Return whether a line with a whole path is of what was looked at.

        Of a folder that is all below it; of a table its own files, as its folder may have others
        that another table names.
        """
        if any(line.startswith((_start(place), f"{place}: ")) for place in self._folders):
            return True
        steps = line.split(": ")
        return any(": ".join(steps[:count]) in self._files for count in range(1, len(steps)))

    @cached_property
    def _folders(self) -> set[Path]:
        return {self.given.resolve(), self.images.root.resolve()} if self.given.is_dir() else set()

    @cached_property
    def _files(self) -> set[str]:
        root = self.images.root.resolve()
        return {str(root / image) for image in self.images.frame["image"]}


def write_unreadable(folder: Path, lines: Sequence[str]) -> Path:
    """Write ``unreadable.csv`` with its one column ``problem``, and return its path."""
    place = folder / UNREADABLE
    write_table(pd.DataFrame({_PROBLEM: list(lines)}, dtype="string"), place)
    return place


def renew_unreadable(folder: Path, looked: Sequence[Looked]) -> tuple[Path, int]:
    """Bring a gallery's list up to date; lines of what was not looked at this time stay.

    Args:
        folder: the gallery's.
        looked: the data sets that were looked at.

    Returns:
        The list, and how many of its lines are of what was not looked at.
    """
    # A line without a whole path is an older version's: of which folder, nobody can tell.
    others = [line for line in _listed(folder) if line.startswith("/")]
    others = [line for line in others if not any(each.covers(line) for each in looked)]
    new = [line for each in looked for line in each.whole]
    return write_unreadable(folder, [*others, *new]), len(others)


def unusable(images: Images, frame: pd.DataFrame, lines: list[str]) -> Iterator[str]:
    """Yield a line for each image of no use, copies of one content included.

    Args:
        images: whose they are.
        frame: their rows.
        lines: why, of one image of each content, in their order.
    """
    firsts = frame.drop_duplicates(CONTENT)
    whys = {
        content: line.removeprefix(f"{images.root / image}")
        for content, image, line in zip(firsts[CONTENT], firsts["image"], lines, strict=True)
    }
    for content, image, instead in zip(
        frame[CONTENT], frame["image"], frame[REPLACES], strict=True
    ):
        yield f"{images.root / image}{whys[content]}{KEPT if instead >= 0 else ''}"


def _listed(folder: Path) -> list[str]:
    """Return the lines of the list as it is; of none, or of one that somebody spoilt, none."""
    try:
        frame, _ = read_table(folder / UNREADABLE, [_PROBLEM])
    except InputError:
        return []
    return [str(line) for line in frame[_PROBLEM].dropna()] if _PROBLEM in frame else []


def _start(folder: Path) -> str:
    return f"{str(folder).rstrip('/')}/"

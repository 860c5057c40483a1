"""What people said of matches, right or wrong, kept as it is said."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError


class Mark(BaseModel):
    """What was said of one match.

    Attributes:
        query: the file of the query image, or of the region of it that was asked with.
        item: the file of the image found.
        same: whether they show the same vehicle; None where what was said before is taken back.
        time: seconds since 1970.
        probability: that they are the same, as it was shown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: str
    item: str
    same: bool | None
    time: float
    probability: float | None = None


class Marks:
    """A file with a line for each mark; the last one of a pair counts.

    Args:
        path: the file, which is made with the first mark.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def say(self, query: str, item: str, same: bool | None, probability: float | None) -> Mark:
        """Keep a mark; when this returns, it is on the disk.

        Raises:
            OSError: it has no place.
        """
        mark = Mark(query=query, item=item, same=same, time=time.time(), probability=probability)
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as stream:
                stream.seek(0, os.SEEK_END)
                if stream.tell():
                    stream.seek(-1, os.SEEK_END)
                    if stream.read(1) != b"\n":  # a writer was stopped within a line
                        stream.write(b"\n")
                stream.write(mark.model_dump_json().encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        return mark

    def latest(self) -> dict[tuple[str, str], Mark]:
        """Return what was said last of each query and item, and not taken back."""
        found: dict[tuple[str, str], Mark] = {}
        lines = self.path.read_bytes().splitlines() if self.path.is_file() else []
        for line in lines:
            try:
                mark = Mark.model_validate(json.loads(line))
            except (ValueError, ValidationError):
                continue  # a line that a stopped writer left
            found[mark.query, mark.item] = mark
        return {pair: mark for pair, mark in found.items() if mark.same is not None}

    def pairs(self) -> pd.DataFrame:
        """Return them as labelled pairs: ``first``, ``second`` and ``same``, 1 or 0."""
        rows = [(mark.query, mark.item, int(bool(mark.same))) for mark in self.latest().values()]
        return pd.DataFrame(rows, columns=["first", "second", "same"])

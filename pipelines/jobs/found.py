"""Where the parts of images were found, from a file or a cache's folder."""

from __future__ import annotations

from pathlib import Path

from annotations.cache import BOXES
from annotations.errors import InputError
from annotations.masks import FILE as MASKS
from annotations.masks import Masks
from pipelines.jobs.detector import boxes_at
from reid.data.locate import Found


def found_at(path: Path) -> Found:
    """Read boxes or masks: a file, or the one in a cache's folder.

    Raises:
        InputError: there is neither, or both.
    """
    if path.is_dir():
        there = [name for name in (BOXES, MASKS) if (path / name).is_file()]
        if len(there) != 1:
            what = "no" if not there else "both"
            raise InputError(
                f"{path}: {what} {BOXES} {'or' if not there else 'and'} {MASKS} in it; name the "
                "file, or run 'partreid parts detect' or 'partreid views find'"
            )
        path = path / there[0]
    return Masks.read(path) if path.name == MASKS else boxes_at(path)

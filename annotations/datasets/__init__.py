"""Readers of data sets: functions from a root folder to an images table; none loads pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from annotations.datasets import folder, table, twocam, veri776
from annotations.errors import InputError, suggest
from annotations.images import Images

__all__ = ["DATASETS", "detect_dataset", "read_images"]

DATASETS: dict[str, Callable[[Path], Images]] = {
    "folder": folder.read,
    "table": table.read,
    "twocam": twocam.read,
    "veri776": veri776.read,
}


def detect_dataset(root: Path) -> str:
    """Recognise a data set by its list files: a key of `DATASETS`.

    A table file, or a folder with one, is a table; the list files of VeRi-776 and of the
    two-camera set are theirs; everything else is a plain folder.
    """
    if root.is_file() or any((root / name).is_file() for name in table.NAMES):
        return "table"
    if any((root / file).is_file() for file, _ in veri776.LISTS.values()):
        return "veri776"
    if all((root / name).exists() for name in (twocam.FOLDER, twocam.TRAIN, twocam.VAL)):
        return "twocam"
    return "folder"


def read_images(root: Path, kind: str | None = None) -> Images:
    """Read the images table of a data set.

    Args:
        root: the data set's folder, or an images table.
        kind: a key of `DATASETS`; recognised where None.

    Raises:
        InputError: no such kind, nothing at ``root``, or what the kind's reader finds wrong.
    """
    if not root.exists():
        raise InputError(f"{root}: no such file or folder")
    chosen = kind or detect_dataset(root)
    if chosen not in DATASETS:
        raise InputError(f"no data set kind '{chosen}'; {suggest(chosen, DATASETS)}")
    return DATASETS[chosen](root)

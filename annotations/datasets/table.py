"""A data set described by an images table of the user's own."""

from __future__ import annotations

from pathlib import Path

from annotations.errors import InputError
from annotations.images import Images

NAMES = ("images.parquet", "images.csv")


def read(root: Path) -> Images:
    """Read ``images.parquet`` or ``images.csv``, whose paths start from its own folder.

    A Parquet file written by the toolkit starts from the root that it remembers.

    Args:
        root: the file, or the folder that holds it.

    Raises:
        InputError: there is no such file, it breaks the table's rules, or an image is missing.
    """
    found = (
        root if root.is_file() else next((root / n for n in NAMES if (root / n).is_file()), None)
    )
    if found is None:
        raise InputError(f"{root}: no {' or '.join(NAMES)} in it")
    images = Images.read(found)
    images.require_files()
    return images

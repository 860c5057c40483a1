"""Lists of image names, as the public data sets ship them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from annotations.errors import InputError
from annotations.files import read_text
from annotations.pixels import find_images


def image_names(folder: Path) -> list[str]:
    """Return the names of the images directly in ``folder``, sorted.

    Raises:
        InputError: the folder is missing or holds no image.
    """
    return [path.name for path in find_images(folder) if path.parent == folder]


def parse_names(
    names: pd.Series[str], pattern: re.Pattern[str], example: str, source: str
) -> pd.DataFrame:
    """Take image names apart.

    Args:
        names: the names, indexed by their line or place in ``source``.
        pattern: named groups become columns; must match the whole name.
        example: a good name, for the error.
        source: what errors name.

    Returns:
        Column ``name`` and one text column per named group.

    Raises:
        InputError: a name does not match.
    """
    parsed = names.str.extract(f"^{pattern.pattern}$")
    bad = parsed.isna().all(axis=1)
    if bad.any():
        place = bad.index[bad][0]
        raise InputError(f"{source}: line {place}: '{names[place]}' is not a name like {example}")
    return parsed.astype("string").assign(name=names)


def read_list(path: Path) -> pd.Series[str]:
    """Read a list of image names, one a line, indexed by line number; blank lines do not count.

    Raises:
        InputError: the list is missing, empty, or has a name twice.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    lines = pd.Series(read_text(path).splitlines(), dtype="string").str.strip()
    lines.index = pd.RangeIndex(1, len(lines) + 1)
    names = lines[lines != ""]
    if names.empty:
        raise InputError(f"{path}: no image name in it")
    twice = names.duplicated()
    if twice.any():
        place = twice.index[twice][0]
        raise InputError(f"{path}: line {place}: '{names[place]}' is there twice")
    return names


def require_listed(names: pd.Series[str], path: Path, folder: Path) -> None:
    """Demand that every image of the list ``path`` is in ``folder``.

    Raises:
        InputError: one is missing; names its line.
    """
    missing = names[~names.isin(image_names(folder))]
    if len(missing):
        raise InputError(
            f"{path}: line {missing.index[0]}: {folder} has no image '{missing.iloc[0]}' "
            f"({len(missing)} of {len(names)} are missing)"
        )

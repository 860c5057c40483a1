"""Lists of images and of what is known of them, as the public data sets ship them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from annotations.errors import InputError
from annotations.pixels import SUFFIXES
from annotations.spelling import is_text, misnamed

Names: TypeAlias = "Sequence[str] | pd.Series[str] | pd.Index[str]"


class MissingError(InputError):
    """A list, a folder or a listed image is not there; the data set is not whole."""


def _walk(folder: str, prefix: str, depth: int) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if depth and entry.is_dir():
                yield from _walk(entry.path, f"{prefix}{entry.name}/", depth - 1)
            elif not depth and f".{entry.name.rpartition('.')[2].lower()}" in SUFFIXES:
                yield prefix + entry.name


def image_names(folder: Path, depth: int = 0) -> list[str]:
    """Return the images that lie ``depth`` folders below ``folder``, sorted.

    Names are paths from ``folder`` with ``/``, judged by their suffix: no file is looked at, so
    that hundreds of thousands are listed in seconds.

    Raises:
        MissingError: the folder is missing or holds no such image.
        InputError: it, or one in it, cannot be listed, or an image's name is not UTF-8.
    """
    if not folder.is_dir():
        raise MissingError(f"{folder}: no such folder")
    try:
        names = sorted(_walk(str(folder), "", depth))
    except OSError as error:
        why = error.strerror or error
        raise InputError(
            f"{error.filename or folder}: cannot be listed ({why}); allow it to be read"
        ) from None
    if not names:
        where = f" {depth} folders down" if depth else ""
        raise MissingError(f"{folder}: no image in it{where}")
    for name in names:
        if not is_text(name):
            raise InputError(misnamed(f"{folder}/{name}"))
    return names


def read_any_text(path: Path) -> str:
    """Read a text file that is UTF-8 or, as Chinese data sets come, GB2312.

    Raises:
        MissingError: there is no such file.
        InputError: it is neither.
    """
    if not path.is_file():
        raise MissingError(f"{path}: no such file")
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):  # gb18030 holds all of GB2312
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path}: neither UTF-8 nor GB2312 text; save it as UTF-8")


def read_lines(path: Path) -> pd.Series[str]:
    """Read the lines of a text file, trimmed, indexed by line number; blank ones do not count.

    Raises:
        MissingError: there is no such file.
        InputError: it is not text, or empty.
    """
    lines = pd.Series(read_any_text(path).splitlines(), dtype="string").str.strip()
    lines.index = pd.RangeIndex(1, len(lines) + 1)
    lines = lines[lines != ""]
    if lines.empty:
        raise InputError(f"{path}: nothing in it")
    return lines


def parse_lines(
    lines: pd.Series[str], pattern: re.Pattern[str], what: str, source: str
) -> pd.DataFrame:
    """Take lines apart.

    Args:
        lines: the lines, indexed by their number in ``source``.
        pattern: named groups become columns; must match the whole line.
        what: what a good line is, for the error.
        source: what errors name.

    Returns:
        One text column per named group, indexed as ``lines``.

    Raises:
        InputError: a line does not match.
    """
    bad = ~lines.str.fullmatch(pattern.pattern)
    if bad.any():
        place = bad.index[bad][0]
        line = lines[place]
        shown = line if len(line) <= 60 else f"{line[:60]}..."
        raise InputError(f"{source}: line {place}: '{shown}' is not {what}")
    return lines.str.extract(f"^{pattern.pattern}$").astype("string")


def parse_names(
    names: pd.Series[str], pattern: re.Pattern[str], example: str, source: str
) -> pd.DataFrame:
    """Take image names apart; as `parse_lines`, with the names as a further column ``name``."""
    return parse_lines(names, pattern, f"a name like {example}", source).assign(name=names)


def parse_images(
    names: pd.Series[str], pattern: re.Pattern[str], example: str, folder: Path
) -> pd.DataFrame:
    """Take the names of images that were found in ``folder`` apart.

    As `parse_names`; an error names the image's file rather than a line of a list.
    """
    bad = names[~names.str.fullmatch(pattern.pattern)]
    if len(bad):
        raise InputError(f"{folder / bad.iloc[0]}: not a name like {example}")
    return parse_names(names, pattern, example, str(folder))


def read_columns(path: Path, columns: Sequence[str], what: str) -> pd.DataFrame:
    """Read a file whose lines are fields separated by blanks.

    Args:
        path: the file.
        columns: what the fields are called; every line must have as many.
        what: what a good line is, for the error.

    Returns:
        Text columns by line number.

    Raises:
        MissingError: there is no such file.
        InputError: it is empty, or a line has another number of fields.
    """
    fields = r"\s+".join(rf"(?P<{column}>\S+)" for column in columns)
    return parse_lines(read_lines(path), re.compile(fields), what, str(path))


def read_list(path: Path) -> pd.Series[str]:
    """Read a list of image names, one a line, indexed by line number; blank lines do not count.

    Raises:
        MissingError: there is no such list.
        InputError: it is empty, or has a name twice.
    """
    names = read_lines(path)
    require_once(names, path)
    return names


def among(names: pd.Series[str], others: Names) -> pd.Series[bool]:
    """Tell for each name whether it is one of ``others``.

    pandas' own ``isin`` is many times slower for hundreds of thousands of texts.
    """
    known = set(np.asarray(others, dtype=object))
    found = [name in known for name in np.asarray(names, dtype=object)]
    return pd.Series(found, names.index, dtype=bool)


def require_once(names: pd.Series[str], path: Path) -> None:
    """Demand that the list ``path`` has no name twice.

    Raises:
        InputError: one is there twice; names the second line.
    """
    twice = names.duplicated()
    if twice.any():
        place = twice.index[twice][0]
        raise InputError(f"{path}: line {place}: '{names[place]}' is there twice")


def require_listed(
    names: pd.Series[str], path: Path, folder: Path, there: Names | None = None
) -> None:
    """Demand that every image of the list ``path`` is in ``folder``.

    Args:
        names: paths from ``folder``, indexed by line number.
        path: the list.
        folder: where the images lie.
        there: what is in the folder, where that has been listed before.

    Raises:
        MissingError: one is missing; names its line.
    """
    missing = names[~among(names, image_names(folder) if there is None else there)]
    if len(missing):
        raise MissingError(
            f"{path}: line {missing.index[0]}: {folder} has no image '{missing.iloc[0]}' "
            f"({len(missing)} of {len(names)} are missing)"
        )


def require_apart(names: pd.Series[str], path: Path, others: pd.Series[str], other: str) -> None:
    """Demand that no image of the list ``path`` is in the list ``other``, too.

    Raises:
        InputError: one is; names its line.
    """
    both = names[among(names, others)]
    if len(both):
        raise InputError(f"{path}: line {both.index[0]}: '{both.iloc[0]}' is in {other}, too")


def lookup(keys: pd.Series[str], values: pd.Series[str], source: str) -> pd.Series[str]:
    """Return the values by their keys; the same line twice is read as one.

    Args:
        keys: indexed by line number.
        values: one per key.
        source: what errors name.

    Raises:
        InputError: a key has two values; names the second line.
    """
    table = pd.DataFrame({"key": keys, "value": values}).drop_duplicates()
    twice = table["key"][table["key"].duplicated()]
    if len(twice):
        place, key = twice.index[0], twice.iloc[0]
        raise InputError(f"{source}: line {place}: '{key}' is there twice, with different values")
    return table.set_index("key")["value"]

"""VERI-Wild (Lou et al., CVPR 2019): 174 cameras in a month, with three test sets."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from annotations.datasets.listed import (
    among,
    image_names,
    parse_lines,
    read_lines,
    require_apart,
    require_listed,
    require_once,
)
from annotations.errors import InputError
from annotations.images import Images

SIZES = (3000, 5000, 10000)
"""Identities of the test sets."""

LISTS = "train_test_split"
TRAIN = "train_list.txt"
INFO = "vehicle_info.txt"

_IMAGE = re.compile(r"(?P<key>[^/;\s]+/[^/;.\s]+)(?:\.\w+)?")
_INFO = re.compile(
    _IMAGE.pattern
    + r";(?P<camera>[^;]+);(?P<time>[^;]*);(?P<model>[^;]*);(?P<type>[^;]*);(?P<colour>[^;]*);?"
)


def list_names(size: int) -> dict[str, str]:
    """Return the gallery's and the query's list of a test set, by split."""
    return {"gallery": f"test_{size}.txt", "query": f"test_{size}_query.txt"}


def _read_list(path: Path) -> pd.Series[str]:
    keys = parse_lines(read_lines(path), _IMAGE, "like 00001/000001", str(path))["key"]
    require_once(keys, path)
    return keys


def _seconds(times: pd.Series[str], path: Path) -> pd.Series[float]:
    times = times.mask(times.str.strip() == "")
    stamps = pd.to_datetime(times, format="mixed", errors="coerce", utc=True)
    bad = stamps.isna() & times.notna()
    if bad.any():
        place = bad.index[bad][0]
        raise InputError(f"{path}: line {place}: '{times[place]}' is not a date and time")
    return (stamps - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)


def read_info(path: Path) -> pd.DataFrame:
    """Read ``vehicle_info.txt``: ``id/image;Camera ID;Time;Model;Type;Color`` a line.

    A first line in whose first field there is no digit is a header, however it is spelt.

    Returns:
        By ``identity/image``, unique: ``camera``, ``model``, ``type``, ``colour`` (text) and
        ``time`` (seconds since 1970; the file's clock is read as UTC, as no zone is published).

    Raises:
        MissingError: there is no such file.
        InputError: a line is malformed, or an image is there twice.
    """
    lines = read_lines(path)
    header = re.match(r"\D*(;|$)", lines.iloc[0])
    what = "like 00001/000001;camera;time;model;type;colour"
    info = parse_lines(lines.iloc[1:] if header else lines, _INFO, what, str(path))
    require_once(info["key"], path)
    return info.assign(time=_seconds(info["time"], path)).set_index("key")


def read(root: Path, size: int) -> Images:
    """Read VERI-Wild with one of its test sets.

    Lists name ``identity/image``, which is ``images/identity/image.jpg``. Those of
    ``train_list.txt`` are the split train, those of ``test_SIZE.txt`` gallery, of
    ``test_SIZE_query.txt`` query. Other images that ``vehicle_info.txt`` knows have no split.

    Args:
        root: the folder that holds ``images/`` and ``train_test_split/``.
        size: one of `SIZES`.

    Raises:
        MissingError: a list, ``vehicle_info.txt`` or a listed image is missing.
        InputError: a line is malformed, or an image is in two of the lists.
    """
    folder, lists = root / "images", root / LISTS
    names = pd.Series(image_names(folder, depth=1), dtype="string")
    keys = names.str.replace(r"\.\w+$", "", regex=True)
    info = read_info(lists / INFO)
    listed: dict[str, pd.Series[str]] = {}
    for file in (TRAIN, *list_names(size).values()):
        listed[file] = _read_list(lists / file)
        require_listed(listed[file], lists / file, folder, keys)
        unknown = listed[file][~among(listed[file], info.index)]
        if len(unknown):
            raise InputError(
                f"{lists / file}: line {unknown.index[0]}: {INFO} does not know "
                f"'{unknown.iloc[0]}' ({len(unknown)} of {len(listed[file])}), so its camera is "
                f"unknown, which decides what is left out; fetch a whole copy of {INFO}"
            )
        for earlier in list(listed)[:-1]:
            require_apart(listed[file], lists / file, listed[earlier], earlier)
    split = pd.Series(pd.NA, keys.index, dtype="string")
    for name, file in {"train": TRAIN, **list_names(size)}.items():
        split = split.mask(among(keys, listed[file]), name)
    table = info.reindex(keys).reset_index(drop=True)
    table = table.assign(image="images/" + names, identity=keys.str.partition("/")[0], split=split)
    columns = ["image", "identity", "camera", "split", "time", "model", "type", "colour"]
    return Images(table.loc[split.notna() | among(keys, info.index), columns], root, str(root))

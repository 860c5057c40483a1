"""VehicleID (Liu et al., CVPR 2016): front and rear views, with six test lists."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from annotations.datasets.listed import (
    among,
    image_names,
    lookup,
    parse_lines,
    read_columns,
    read_lines,
    require_apart,
    require_listed,
    require_once,
)
from annotations.images import Images

SIZES = (800, 1600, 2400, 3200, 6000, 13164)
"""Identities of the test lists."""

LISTS = "train_test_split"
TRAIN = "train_list.txt"

COLOURS = pd.Series(
    ["black", "blue", "gray", "red", "silver", "white", "yellow"], list("0123456"), "string"
)
"""What the numbers in color_attr.txt mean; the set's own color_names.txt has 'sliver'."""

_NAMED = re.compile(r"(?P<name>.+?)\s+(?P<number>\d+)")


def list_name(size: int) -> str:
    """Return the name of a test list."""
    return f"test_list_{size}.txt"


def _read_list(path: Path) -> pd.DataFrame:
    rows = read_columns(path, ("name", "identity"), "an image and its vehicle, such as 0000001 12")
    require_once(rows["name"], path)
    return rows.assign(name=rows["name"] + ".jpg")


def _attribute(path: Path, what: str) -> pd.Series[str]:
    rows = read_columns(path, ("identity", "number"), f"a vehicle and its {what}")
    return lookup(rows["identity"], rows["number"], str(path))


def _names(path: Path) -> pd.Series[str]:
    """Read names with their numbers, such as ``Audi A6L 2``; none where there is no such file."""
    if not path.is_file():
        return pd.Series(dtype="string")
    rows = parse_lines(read_lines(path), _NAMED, "a name and its number", str(path))
    return lookup(rows["number"], rows["name"], str(path))


def read(root: Path, size: int) -> Images:
    """Read VehicleID with one of its test lists.

    Images of ``train_list.txt`` are the split train, those of the chosen test list the split
    test, which a protocol divides into query and gallery. The other lists and
    ``attribute/img2vid.txt`` add images without a split, where the files are there. Where lists
    disagree on a vehicle, the chosen ones are right. There are no cameras. ``model`` and
    ``colour`` come from ``attribute/``; a model is its number where ``model_names.txt`` is not
    there.

    Args:
        root: the folder that holds ``image/`` and ``train_test_split/``.
        size: one of `SIZES`.

    Raises:
        MissingError: one of the two lists or an image of them is missing.
        InputError: a line is malformed, or an image is in both lists.
    """
    folder, lists, attributes = root / "image", root / LISTS, root / "attribute"
    there = image_names(folder)
    tables = []
    for split, file in (("train", TRAIN), ("test", list_name(size))):
        rows = _read_list(lists / file)
        require_listed(rows["name"], lists / file, folder, there)
        tables.append(rows.assign(split=split))
    require_apart(tables[1]["name"], lists / list_name(size), tables[0]["name"], TRAIN)
    others = [lists / list_name(other) for other in SIZES if other != size]
    for path in (*others, attributes / "img2vid.txt"):
        if path.is_file():
            rows = _read_list(path)
            tables.append(rows[among(rows["name"], there)])
    table = pd.concat(tables, ignore_index=True).drop_duplicates("name", ignore_index=True)
    columns = ["image", "identity", "split"]
    for column, file, names in (
        ("model", "model_attr.txt", _names(attributes / "model_names.txt")),
        ("colour", "color_attr.txt", COLOURS),
    ):
        if (attributes / file).is_file():
            numbers = table["identity"].map(_attribute(attributes / file, column))
            table[column] = numbers.map(names).astype("string").fillna(numbers)
            columns.append(column)
    return Images(table.assign(image="image/" + table["name"])[columns], root, str(root))

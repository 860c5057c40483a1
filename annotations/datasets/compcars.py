"""CompCars, web-nature (Yang et al., CVPR 2015): photographs of whole cars from the web."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from annotations.datasets.listed import (
    among,
    image_names,
    lookup,
    parse_images,
    read_columns,
    read_list,
    require_apart,
    require_listed,
)
from annotations.datasets.matlab import read_cells
from annotations.errors import InputError
from annotations.images import Images

CLASSIFICATION = (
    "train_test_split/classification/train.txt",
    "train_test_split/classification/test.txt",
)
LISTS = {
    **dict(zip(CLASSIFICATION, ("train", "test"), strict=True)),
    "train_test_split/verification/verification_train.txt": "train",
}
"""The lists and the splits that they are, the first that has an image first; all are optional."""

NAMES = "misc/make_model_name.mat"

VIEWPOINTS = {"1": "front", "2": "rear", "3": "side", "4": "front-side", "5": "rear-side"}
"""What a label's first line means; -1 is unknown."""

TYPES = (
    "MPV",
    "SUV",
    "sedan",
    "hatchback",
    "minibus",
    "fastback",
    "estate",
    "pickup",
    "hardtop convertible",
    "sports",
    "crossover",
    "convertible",
)
"""What the types from 1 on in ``misc/attributes.txt`` mean, as in ``misc/car_type.mat``."""

_IMAGE = re.compile(r"(?P<make>\d+)/(?P<model>\d+)/(?P<year>[^/]+)/[^/]+")
_LABEL = (
    ("a viewpoint (-1, or 1 to 5)", re.compile(r"-1|[1-5]")),
    ("the number of boxes, 1", re.compile(r"1")),
    ("a box, x1 y1 x2 y2", re.compile(r"(\d+)\s+(\d+)\s+(\d+)\s+(\d+)")),
)
_BOX = ("left", "top", "right", "bottom")


def base(root: Path) -> Path:
    """Return the folder that holds ``image/``: ``data/`` under the root, or the root itself."""
    return root / "data" if (root / "data").is_dir() else root


def _label(path: Path) -> tuple[str, ...]:
    """Read a label's fields: viewpoint, number of boxes, x1, y1, x2, y2."""
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = file.read().split("\n")
    for number, (what, pattern) in enumerate(_LABEL):
        line = lines[number].strip() if number < len(lines) else ""
        if not pattern.fullmatch(line):
            raise InputError(f"{path}: line {number + 1}: '{line[:60]}' is not {what}")
    box = lines[2].split()
    x1, y1, x2, y2 = map(int, box)
    if x2 < x1 or y2 < y1:
        raise InputError(f"{path}: line 3: the box {lines[2].strip()} ends before it begins")
    return (lines[0].strip(), *box)


def read_labels(folder: Path, names: Iterable[str]) -> pd.DataFrame:
    """Read the labels of images: viewpoint, number of boxes and ``x1 y1 x2 y2``, a line each.

    CompCars counts pixels from 1 and includes the last; here they count from 0 and the last is
    left out, so that right less left is the width.

    Args:
        folder: ``label/``.
        names: the images, as paths under ``image/``; one without a label stays empty.

    Returns:
        Columns ``viewpoint``, ``left``, ``top``, ``right``, ``bottom``, a row per name.

    Raises:
        InputError: a label is malformed; names its line.
    """
    labels: dict[int, tuple[str | None, ...]] = {}
    for number, name in enumerate(names):
        path = folder / f"{name.rpartition('.')[0]}.txt"
        try:
            labels[number] = _label(path)
        except FileNotFoundError:
            labels[number] = ("-1", None, None, None, None)
    frame = pd.DataFrame.from_dict(labels, "index", columns=["viewpoint", *_BOX])
    left, top, right, bottom = (pd.to_numeric(frame[column]) for column in _BOX)
    viewpoint = frame["viewpoint"].map(VIEWPOINTS).astype("string")
    columns = dict(zip(_BOX, (left - 1, top - 1, right, bottom), strict=True))
    return pd.DataFrame({"viewpoint": viewpoint, **columns})


def _names(path: Path, variable: str) -> dict[str, str]:
    if not path.is_file():
        return {}
    cells = [cell for row in read_cells(path, variable) for cell in row]
    return {str(number): str(cell) for number, cell in enumerate(cells, 1) if cell is not None}


def _types(path: Path) -> pd.Series[str]:
    """Return the type of each model, by number; 0 is unknown."""
    if not path.is_file():
        return pd.Series(dtype="string")
    columns = ("model", "speed", "displacement", "doors", "seats", "type")
    rows = read_columns(path, columns, "a model's six attributes")
    known = {str(number): name for number, name in enumerate(TYPES, 1)}
    return lookup(rows["model"], rows["type"].map(known).astype("string"), str(path))


def _splits(root: Path, names: pd.Series[str]) -> pd.DataFrame:
    """Return columns ``split`` and ``list``, as the lists that are there say."""
    frame = pd.DataFrame({"split": pd.NA, "list": pd.NA}, names.index, dtype="string")
    read: dict[str, pd.Series[str]] = {}
    for file, split in LISTS.items():
        if not (root / file).is_file():
            continue
        read[file] = read_list(root / file)
        require_listed(read[file], root / file, root / "image", names)
        listed = among(names, read[file]) & frame["split"].isna()
        frame.loc[listed, ["split", "list"]] = (split, file.split("/")[1])
    if set(CLASSIFICATION) <= set(read):
        train, test = CLASSIFICATION
        require_apart(read[test], root / test, read[train], train)
    return frame


def read(root: Path) -> Images:
    """Read the web-nature images of CompCars.

    Images are ``image/MAKE/MODEL/YEAR/NAME.jpg`` and their paths start from ``image/``, as in
    CompCars' own lists and verification pairs (`annotations.pairs.Pairs`). ``make`` and
    ``model`` are names where ``misc/make_model_name.mat`` has one, else their numbers; ``type``
    comes from ``misc/attributes.txt``, ``viewpoint`` and the vehicle's box from ``label/``.
    ``split`` is train or test; a further column ``list`` tells the lists for ``classification``
    from that for ``verification``. Identities and cameras are unknown.

    Args:
        root: the folder that holds ``data/``, or ``data/`` itself.

    Raises:
        MissingError: there is no ``image/``, or a listed image is missing.
        InputError: a list, a label or another file is malformed, or an
            image is in both lists for classification.
    """
    start = base(root)
    names = pd.Series(image_names(start / "image", depth=3), dtype="string")
    table = parse_images(names, _IMAGE, "MAKE/MODEL/YEAR/NAME.jpg", start / "image")
    table = table.rename(columns={"name": "image"})
    types = _types(start / "misc" / "attributes.txt")
    table["type"] = table["model"].map(types).astype("string")
    for column in ("make", "model"):
        known = _names(start / NAMES, f"{column}_names")
        table[column] = table[column].map(known).astype("string").fillna(table[column])
    table["year"] = pd.to_numeric(table["year"], errors="coerce").astype("Int64")
    labels = read_labels(start / "label", names).set_axis(table.index)
    return Images(table.join(labels).join(_splits(start, names)), start / "image", str(root))

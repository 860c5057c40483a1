"""CompCars, surveillance-nature (Yang et al., CVPR 2015): cars from the front, by model."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from annotations.datasets.listed import (
    among,
    image_names,
    lookup,
    parse_images,
    read_list,
    require_apart,
    require_listed,
)
from annotations.datasets.matlab import read_cells
from annotations.errors import InputError
from annotations.images import Images

LISTS = {"train": "train_surveillance.txt", "test": "test_surveillance.txt"}
NAMES = "sv_make_model_name.mat"
COLOUR_LIST = "color_list.mat"

COLOURS = {
    0: "black",
    1: "white",
    2: "red",
    3: "yellow",
    4: "blue",
    5: "green",
    6: "purple",
    7: "brown",
    8: "champagne",
    9: "silver",
}
"""What the numbers in ``color_list.mat`` mean, as in the set's README; -1 is unknown."""

_IMAGE = re.compile(r"(?P<model>\d+)/[^/]+")


def base(root: Path) -> Path:
    """Return the folder that holds the lists: ``sv_data/`` under the root, or the root itself."""
    return root / "sv_data" if (root / "sv_data").is_dir() else root


def _rows(path: Path, variable: str, width: int) -> pd.DataFrame:
    """Read a cell array's rows of at least ``width`` cells, counted from 1."""
    rows = read_cells(path, variable)
    for number, row in enumerate(rows, 1):
        if len(row) < width:
            raise InputError(f"{path}: row {number} of '{variable}': {len(row)} cells, not {width}")
    return pd.DataFrame([row[:width] for row in rows], pd.RangeIndex(1, len(rows) + 1))


def _colours(path: Path) -> pd.Series[str]:
    rows = _rows(path, "color_list", 2)
    bad = ~rows[1].isin([-1, *COLOURS])
    if bad.any():
        number = bad.index[bad][0]
        raise InputError(
            f"{path}: row {number} of 'color_list': no colour {rows[1][number]}; known: -1 to 9"
        )
    return lookup(rows[0], rows[1].map(COLOURS).astype("string"), str(path)).dropna()


def read(root: Path) -> Images:
    """Read the surveillance-nature images of CompCars.

    Images are ``image/MODEL/NAME.jpg`` and their paths start from ``image/``, as in CompCars'
    own lists. ``make`` and ``model`` are names where ``sv_make_model_name.mat`` is there, else
    ``model`` is the number; ``colour`` comes from ``color_list.mat``, where that is there. All
    are seen from the front. Identities and cameras are unknown.

    Args:
        root: the folder that holds ``sv_data/``, or ``sv_data/`` itself.

    Raises:
        MissingError: a list, ``image/`` or a listed image is missing.
        InputError: a list or another file is malformed, or an image is in both lists.
    """
    start = base(root)
    names = pd.Series(image_names(start / "image", depth=1), dtype="string")
    table = parse_images(names, _IMAGE, "MODEL/NAME.jpg", start / "image")
    listed = {split: read_list(start / file) for split, file in LISTS.items()}
    table = table.assign(split=pd.Series(pd.NA, names.index, dtype="string"), viewpoint="front")
    for split, file in LISTS.items():
        require_listed(listed[split], start / file, start / "image", names)
        table["split"] = table["split"].mask(among(names, listed[split]), split)
    require_apart(listed["test"], start / LISTS["test"], listed["train"], LISTS["train"])
    if (start / NAMES).is_file():
        known = _rows(start / NAMES, "sv_make_model_name", 2)
        known.index = known.index.astype(str)
        table["make"] = table["model"].map(known[0])
        table["model"] = table["model"].map(known[1]).astype("string").fillna(table["model"])
    if (start / COLOUR_LIST).is_file():
        table["colour"] = names.map(_colours(start / COLOUR_LIST))
    return Images(table.rename(columns={"name": "image"}), start / "image", str(root))

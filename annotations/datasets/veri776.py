"""VeRi-776 (Liu et al., ECCV 2016): 776 vehicles seen by 20 cameras."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from annotations.datasets.labels_xml import read_items
from annotations.datasets.listed import (
    lookup,
    parse_lines,
    parse_names,
    read_columns,
    read_lines,
    read_list,
    require_listed,
)
from annotations.datasets.tracks import read_tracks
from annotations.errors import InputError
from annotations.images import Images

LISTS = {
    "train": ("name_train.txt", "image_train"),
    "gallery": ("name_test.txt", "image_test"),
    "query": ("name_query.txt", "image_query"),
}
"""For each split its list and its folder of images."""

TRACKS = "test_track.txt"
LABELS = ("train_label.xml", "test_label.xml")
KEYPOINTS = ("keypoint_train.txt", "keypoint_test.txt")

ATTRIBUTES: dict[str, tuple[str, str, dict[str, str]]] = {
    "colour": (
        "colorID",
        "list_color.txt",
        {
            "1": "yellow",
            "2": "orange",
            "3": "green",
            "4": "gray",
            "5": "red",
            "6": "blue",
            "7": "white",
            "8": "golden",
            "9": "brown",
            "10": "black",
        },
    ),
    "type": (
        "typeID",
        "list_type.txt",
        {
            "1": "sedan",
            "2": "suv",
            "3": "van",
            "4": "hatchback",
            "5": "mpv",
            "6": "pickup",
            "7": "bus",
            "8": "truck",
            "9": "estate",
        },
    ),
}
"""For each column the XML attribute, the list of its names, and what that list says.

The names are used where the list is not there. Older copies have the type 0 for three vehicles.
"""

VIEWPOINTS = {
    "0": "front",
    "1": "rear",
    "2": "left",
    "3": "front-left",
    "4": "rear-left",
    "5": "right",
    "6": "front-right",
    "7": "rear-right",
}
"""The orientations of Wang et al. (ICCV 2017), in the words that the fleet uses, too."""

_UNKNOWN = ("-1", "0")
_NAME = re.compile(r"(?P<identity>\d+)_(?P<camera>c\d+)_(?P<time>\d+)_\d+\.\w+")
_KEYPOINTS = re.compile(r"(?:\S*/)?(?P<image>[^/\s]+)(?:\s+-?[\d.]+){40}\s+(?P<number>-1|[0-7])")


def read_names(path: Path) -> pd.DataFrame:
    """Read one of the lists, without its images.

    Returns:
        Columns ``name``, ``identity``, ``camera`` and ``time`` (text), by line number.

    Raises:
        InputError: the list is missing, or a name is not like ``0002_c002_00030600_0.jpg``.
    """
    return parse_names(read_list(path), _NAME, "0002_c002_00030600_0.jpg", str(path))


def read_viewpoints(path: Path) -> pd.Series[str]:
    """Read a keypoint file of Wang et al. (ICCV 2017): image, 20 points, orientation a line.

    Returns:
        One of `VIEWPOINTS` by image name; images of unknown orientation are left out.

    Raises:
        InputError: a line is not of this form, or gives an image a second orientation.
    """
    what = "an image, 40 numbers and an orientation from 0 to 7"
    parsed = parse_lines(read_lines(path), _KEYPOINTS, what, str(path))
    return lookup(parsed["image"], parsed["number"].map(VIEWPOINTS), str(path)).dropna()


def _names(path: Path, published: Mapping[str, str]) -> pd.Series[str]:
    if not path.is_file():
        return pd.Series(published, dtype="string")
    parsed = read_columns(path, ("number", "name"), "a number and a name")
    return lookup(parsed["number"], parsed["name"], str(path))


def _attribute(
    items: pd.DataFrame, attribute: str, names: pd.Series[str], path: Path
) -> pd.Series[str]:
    numbers = items.reindex(columns=[attribute])[attribute]
    unknown = numbers.isna() | numbers.isin(_UNKNOWN)
    bad = ~unknown & ~numbers.isin(names.index)
    if bad.any():
        there = ", ".join(names.index)
        wrong = numbers[bad]
        raise InputError(
            f"{path}: line {wrong.index[0]}: {attribute} is '{wrong.iloc[0]}'; known: {there}"
        )
    return lookup(items["imageName"], numbers.map(names).astype("string"), str(path)).dropna()


def _known(root: Path) -> dict[str, pd.Series[str]]:
    """Return what the optional files know, by column and image name."""
    known: dict[str, list[pd.Series[str]]] = {}
    if (root / TRACKS).is_file():
        known["track"] = [read_tracks(root / TRACKS)]
    for path in (root / file for file in LABELS):
        if path.is_file():
            items = read_items(path)
            for column, (attribute, file, names) in ATTRIBUTES.items():
                values = _attribute(items, attribute, _names(root / file, names), path)
                known.setdefault(column, []).append(values)
    for path in (root / file for file in KEYPOINTS):
        if path.is_file():
            known.setdefault("viewpoint", []).append(read_viewpoints(path))
    return {column: pd.concat(values) for column, values in known.items()}


def read(root: Path) -> Images:
    """Read VeRi-776 as it is distributed.

    A name such as ``0002_c002_00030600_0.jpg`` is identity, camera, time (in frames of the
    camera) and index. The query images are in the gallery, too, under ``image_test``. Where the
    files are there, ``test_track.txt`` gives ``track``, ``train_label.xml`` and
    ``test_label.xml`` give ``colour`` and ``type``, ``keypoint_train.txt`` and
    ``keypoint_test.txt`` (Wang et al., ICCV 2017) give ``viewpoint``.

    Raises:
        MissingError: a list or an image is missing.
        InputError: a name, or a line of one of the other files, is malformed.
    """
    frames = []
    for split, (file, folder) in LISTS.items():
        names = read_names(root / file)
        require_listed(names["name"], root / file, root / folder)
        frames.append(names.assign(image=f"{folder}/" + names["name"], split=split))
    table = pd.concat(frames, ignore_index=True)
    known = _known(root)
    for column, values in known.items():
        values = values[~values.index.duplicated()]
        table[column] = table["name"].map(values).astype("string")
    return Images(table[["image", "identity", "camera", "split", "time", *known]], root, str(root))

"""CityFlow-ReID (Tang et al., CVPR 2019): the re-identification track of the AI City Challenge."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from annotations.datasets.labels_xml import read_items
from annotations.datasets.listed import read_any_text, read_list, require_listed, require_once
from annotations.datasets.tracks import read_tracks
from annotations.errors import InputError
from annotations.images import Images

LABELS = "train_label.xml"
LISTS = {
    "gallery": ("name_test.txt", "image_test", "test_track.txt"),
    "query": ("name_query.txt", "image_query", None),
}
"""For each split its list, its folder of images, and its tracks.

The folders number their images each from 1, so a track's names are those of its own folder.
"""


_NUMBERED = re.compile(r"\d+\.\w+")


def recognise(root: Path) -> bool:
    """Tell whether the lists at ``root`` are CityFlow's rather than VeRi-776's: mere numbers."""
    lists = (root / file for file, _, _ in LISTS.values())
    there = next((path for path in lists if path.is_file()), None)
    return there is not None and bool(_NUMBERED.match(read_any_text(there).lstrip()))


def _read_train(path: Path) -> pd.DataFrame:
    items = read_items(path)
    for attribute in ("vehicleID", "cameraID"):
        empty = items.reindex(columns=[attribute])[attribute].fillna("").str.strip() == ""
        if empty.any():
            raise InputError(f"{path}: line {items.index[empty][0]}: an <Item> without {attribute}")
    require_once(items["imageName"], path)
    return items.rename(
        columns={"imageName": "name", "vehicleID": "identity", "cameraID": "camera"}
    )[["name", "identity", "camera"]]


def read(root: Path) -> Images:
    """Read CityFlow-ReID as the AI City Challenge distributes it.

    ``train_label.xml`` lists the training images with identity and camera; ``name_query.txt``
    and ``name_test.txt`` list query and gallery, whose identities and cameras are not public.
    ``train_track.txt`` and ``test_track.txt`` give ``track``, where they are there.

    Raises:
        MissingError: a list or an image is missing.
        InputError: the XML is cut off, or a line or an item is malformed.
    """
    rows = {"train": _read_train(root / LABELS)}
    files = {"train": (LABELS, "image_train", "train_track.txt"), **LISTS}
    frames = []
    for split, (file, folder, tracks) in files.items():
        if split not in rows:
            rows[split] = read_list(root / file).to_frame("name")
        names = rows[split]["name"]
        require_listed(names, root / file, root / folder)
        frame = rows[split].assign(image=f"{folder}/" + names, split=split)
        if tracks and (root / tracks).is_file():
            frame["track"] = names.map(read_tracks(root / tracks)).astype("string")
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True).drop(columns="name")
    return Images(table, root, str(root))

"""The two-camera set: the same vehicle seen once by each of two cameras over a motorway."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from annotations.datasets.listed import (
    among,
    image_names,
    parse_images,
    read_list,
    require_apart,
    require_listed,
)
from annotations.images import Images

FOLDER, TRAIN, VAL = "images", "train.txt", "val.txt"

_NAME = re.compile(r"(?P<identity>(?P<type>[a-z]+)_\d+)_(?P<camera>cam\d+)\.\w+")


def read(root: Path) -> Images:
    """Read the set: ``images/TYPE_NUMBER_camN.jpg``, ``train.txt`` and ``val.txt``.

    Type and number together are the identity (``car_0001`` is not ``truck_0001``). Images
    named in ``train.txt`` are the split train; of those in ``val.txt``, camera 1 is query and
    camera 2 gallery; the others have no split. There is a further column ``type``.

    Raises:
        InputError: a list or a listed image is missing, an image is in both lists, or a
            name is malformed.
    """
    folder = root / FOLDER
    names = pd.Series(image_names(folder), dtype="string")
    frame = parse_images(names, _NAME, "car_0001_cam1.jpg", folder)
    listed = {}
    for file in (TRAIN, VAL):
        listed[file] = read_list(root / file)
        require_listed(listed[file], root / file, folder, names)
    require_apart(listed[VAL], root / VAL, listed[TRAIN], TRAIN)
    split = frame["camera"].map({"cam1": "query", "cam2": "gallery"})
    split = split.where(among(names, listed[VAL])).mask(among(names, listed[TRAIN]), "train")
    table = frame.assign(image=f"{FOLDER}/" + names, split=split)
    return Images(table[["image", "identity", "camera", "split", "type"]], root, str(root))

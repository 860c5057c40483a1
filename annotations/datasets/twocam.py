"""The two-camera set: the same vehicle seen once by each of two cameras over a motorway."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from annotations.datasets.listed import image_names, parse_names, read_list, require_listed
from annotations.errors import InputError
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
    bad = ~names.str.fullmatch(_NAME.pattern)
    if bad.any():
        raise InputError(f"{folder / names[bad].iloc[0]}: not a name like car_0001_cam1.jpg")
    frame = parse_names(names, _NAME, "car_0001_cam1.jpg", str(folder))
    listed = {}
    for file in (TRAIN, VAL):
        listed[file] = read_list(root / file)
        require_listed(listed[file], root / file, folder)
    both = listed[VAL][listed[VAL].isin(listed[TRAIN])]
    if len(both):
        raise InputError(f"{root / VAL}: line {both.index[0]}: '{both.iloc[0]}' is in {TRAIN}, too")
    split = frame["camera"].map({"cam1": "query", "cam2": "gallery"})
    split = split.where(names.isin(listed[VAL])).mask(names.isin(listed[TRAIN]), "train")
    table = frame.assign(image=f"{FOLDER}/" + names, split=split)
    return Images(table[["image", "identity", "camera", "split", "type"]], root, str(root))

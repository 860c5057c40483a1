"""VeRi-776 (Liu et al., ECCV 2016): 776 vehicles seen by 20 cameras."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from annotations.datasets.listed import parse_names, read_list, require_listed
from annotations.images import Images

LISTS = {
    "train": ("name_train.txt", "image_train"),
    "gallery": ("name_test.txt", "image_test"),
    "query": ("name_query.txt", "image_query"),
}
"""For each split its list and its folder of images."""

_NAME = re.compile(r"(?P<identity>\d+)_(?P<camera>c\d+)_(?P<time>\d+)_\d+\.\w+")


def read_names(path: Path) -> pd.DataFrame:
    """Read one of the lists, without its images.

    Returns:
        Columns ``name``, ``identity``, ``camera`` and ``time`` (text), by line number.

    Raises:
        InputError: the list is missing, or a name is not like ``0002_c002_00030600_0.jpg``.
    """
    return parse_names(read_list(path), _NAME, "0002_c002_00030600_0.jpg", str(path))


def read(root: Path) -> Images:
    """Read VeRi-776 as it is distributed.

    A name such as ``0002_c002_00030600_0.jpg`` is identity, camera, time (in frames of the
    camera) and index. The query images are in the gallery, too, under ``image_test``.

    Raises:
        InputError: a list or an image is missing, or a name is malformed.
    """
    frames = []
    for split, (file, folder) in LISTS.items():
        names = read_names(root / file)
        require_listed(names["name"], root / file, root / folder)
        frames.append(names.assign(image=f"{folder}/" + names["name"], split=split))
    table = pd.concat(frames, ignore_index=True)
    return Images(table[["image", "identity", "camera", "split", "time"]], root, str(root))

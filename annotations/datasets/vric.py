"""VRIC (Kanaci et al., GCPR 2018): vehicles of UA-DETRAC at changing resolution."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.datasets.listed import read_columns, require_listed, require_once
from annotations.images import Images

LISTS = {
    "train": ("vric_train.txt", "train_images"),
    "gallery": ("vric_gallery.txt", "gallery_images"),
    "query": ("vric_probe.txt", "probe_images"),
}
"""For each split its list and its folder of images."""


def read(root: Path) -> Images:
    """Read VRIC: three lists with ``image identity camera`` a line, and their folders.

    The probe is the split query.

    Raises:
        MissingError: a list or an image is missing.
        InputError: a line is malformed, or an image is in a list twice.
    """
    frames = []
    for split, (file, folder) in LISTS.items():
        path = root / file
        rows = read_columns(path, ("name", "identity", "camera"), "an image, identity and camera")
        require_once(rows["name"], path)
        require_listed(rows["name"], path, root / folder)
        frames.append(rows.assign(image=f"{folder}/" + rows["name"], split=split))
    table = pd.concat(frames, ignore_index=True)
    return Images(table[["image", "identity", "camera", "split"]], root, str(root))

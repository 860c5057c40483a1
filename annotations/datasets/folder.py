"""A plain folder of images, whose subfolders say what is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from annotations.errors import InputError
from annotations.images import SPLITS, Images
from annotations.pixels import find_images

_OTHER_SPLITS = frozenset({"val", "valid", "validation", "probe", "training"})
_CAMERA_FOLDER = re.compile(r"(?:c|cam|camera)[_\-]?\d+", re.IGNORECASE)
_CAMERA = re.compile(r"(?:^|[_\-.])(c\d+|cam\d+)(?=[_\-.])", re.IGNORECASE)


def read(root: Path) -> Images:
    """Read ``[train|query|gallery|test/][identity/][camera/]image``.

    The rules, in order:

    1. A first folder called train, query, gallery or test is the split.
    2. The next folder is the identity, the one below it the camera; an image in neither has
       an unknown identity.
    3. Where there is no second of these folders and all of the first are called as cameras are
       (``c001``, ``c1``, ``cam2``, ``camera_3``, ``cam-01``, in small or large letters), that
       folder is the camera, and identities are unknown.
    4. Without a camera folder, a part of the file's name such as ``c002`` or ``cam2``, set off
       by ``_``, ``-`` or ``.``, is the camera, in small letters.

    Folders below that cannot be listed, and files that cannot be looked at or whose names are not
    UTF-8, are passed over; the table's ``closed`` names them.

    Raises:
        InputError: the folder is missing or holds no image, an image is deeper than that, or a
            first folder is a split by another name, such as val.
    """
    rows: list[dict[str, str]] = []
    places: list[list[str]] = []
    closed: list[str] = []
    for path in find_images(root, closed):
        image = path.relative_to(root)
        folders = list(image.parts[:-1])
        row = {"image": image.as_posix()}
        if folders and folders[0] in SPLITS:
            row["split"] = folders.pop(0)
        elif folders and folders[0].lower() in _OTHER_SPLITS:
            raise InputError(
                f"{root / folders[0]}: looks like a split; splits are called train, query, "
                f"gallery and test here: rename the folder, or write an images.csv"
            )
        if len(folders) > 2:
            raise InputError(
                f"{path}: too deep; images belong in "
                f"[train|query|gallery|test/][identity/][camera/] under {root}; "
                f"for another layout write an images.csv"
            )
        places.append(folders)
        rows.append(row)
    meanings = ("camera",) if _are_cameras(places) else ("identity", "camera")
    for row, folders in zip(rows, places, strict=True):
        row.update(zip(meanings, folders, strict=False))
        token = _CAMERA.search(row["image"].rpartition("/")[2])
        if token and "camera" not in row:
            row["camera"] = token[1].lower()
    return replace(Images.from_rows(rows, root, str(root)), closed=tuple(closed))


def _are_cameras(places: Sequence[Sequence[str]]) -> bool:
    """Return whether the folders of images, one deep at most, are all called as cameras are."""
    names = {name for folders in places for name in folders}
    flat = all(len(folders) <= 1 for folders in places)
    return bool(names) and flat and all(map(_CAMERA_FOLDER.fullmatch, names))

"""A plain folder of images, whose subfolders say what is known."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from annotations.errors import InputError
from annotations.images import SPLITS, Images
from annotations.pixels import find_images

_OTHER_SPLITS = frozenset({"val", "valid", "validation", "probe", "training"})
_CAMERA = re.compile(r"(?:^|[_\-.])(c\d+|cam\d+)(?=[_\-.])", re.IGNORECASE)


def read(root: Path) -> Images:
    """Read ``[train|query|gallery|test/][identity/][camera/]image``.

    The rules, in order:

    1. A first folder called train, query, gallery or test is the split.
    2. The next folder is the identity, the one below it the camera; an image in neither has
       an unknown identity.
    3. Without a camera folder, a part of the file's name such as ``c002`` or ``cam2``, set off
       by ``_``, ``-`` or ``.``, is the camera, in small letters.

    Folders below that cannot be listed, and files that cannot be looked at or whose names are not
    UTF-8, are passed over; the table's ``closed`` names them.

    Raises:
        InputError: the folder is missing or holds no image, an image is deeper than that, or a
            first folder is a split by another name, such as val.
    """
    rows = []
    closed: list[str] = []
    for path in find_images(root, closed):
        image = path.relative_to(root)
        *folders, name = image.parts
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
        row.update(zip(("identity", "camera"), folders, strict=False))
        token = _CAMERA.search(name)
        if token and "camera" not in row:
            row["camera"] = token[1].lower()
        rows.append(row)
    return replace(Images.from_rows(rows, root, str(root)), closed=tuple(closed))

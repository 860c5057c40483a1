"""A plain folder of images, whose subfolders say what is known."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from annotations.errors import InputError
from annotations.images import SPLITS, Images
from annotations.pixels import find_images

_log = logging.getLogger(__name__)

OTHERWISE = "for another layout write an images.csv"
"""How lines end that tell of images that lie too deep."""
_OTHER_SPLITS = frozenset({"val", "valid", "validation", "probe", "training"})
_CAMERA_FOLDER = re.compile(r"(?:c|cam|camera)[_\-]?\d+", re.IGNORECASE)
_DATE_FOLDER = re.compile(r"\d{4}([-_.])\d{2}\1\d{2}")
_CAMERA = re.compile(r"(?:^|[_\-.])(c\d+|cam\d+)(?=[_\-.])", re.IGNORECASE)


def read(root: Path) -> Images:
    """Read ``[train|query|gallery|test/][identity/][camera/]image``.

    The rules, in order, for each image by its own path alone, so that a further folder changes
    nothing of what is known of other images:

    1. A first folder called train, query, gallery or test is the split.
    2. The first of the other folders that is called as cameras are (``c001``, ``c1``, ``cam2``,
       ``camera_3``, ``cam-01``, in small or large letters) is the camera, at whatever depth. Where
       it lies in one folder, that is the identity; those below it say nothing. Of two that lie
       directly in each other with nothing above, the outer is the identity, which may be called
       as a camera is: a camera has no cameras.
    3. Without such a folder, the next is the identity, the one below it the camera; an image in
       neither has an unknown identity.
    4. Folders called as dates are (``2026-05-01``) are neither, and are passed over.
    5. Without a camera folder, a part of the file's name such as ``c002`` or ``cam2``, set off
       by ``_``, ``-`` or ``.``, is the camera, in small letters.

    Folders below that cannot be listed, and files that cannot be looked at or whose names are not
    UTF-8, are passed over, as are pictures of other suffixes than are read, and images deeper than
    rule 3 has it; the table's ``closed`` names them, the last ones by their folder.

    Raises:
        InputError: the folder is missing or holds no image, all images are too deep, or a first
            folder is a split by another name, such as val.
    """
    rows: list[dict[str, str]] = []
    deep: Counter[str] = Counter()
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
        told = _told(folders)
        if told is None:
            deep[str(path.parent)] += 1
            continue
        row.update(told)
        token = _CAMERA.search(image.name)
        if token and "camera" not in row:
            row["camera"] = token[1].lower()
        rows.append(row)
    layout = f"images belong in [train|query|gallery|test/][identity/][camera/] under {root}"
    lines = [
        f"{folder}: {_images(count, 'too deep')}; {layout}; {OTHERWISE}"
        for folder, count in sorted(deep.items())
    ]
    if not rows:
        raise InputError(lines[0])
    if lines:
        # Not every command lists what is closed, and these are images that it goes on without.
        _log.warning("%s: %s left out", root, _images(deep.total(), "too deep"))
    return replace(Images.from_rows(rows, root, str(root)), closed=(*closed, *lines))


def _told(folders: Sequence[str]) -> dict[str, str] | None:
    """Return what the folders of an image say of it; None where they are too many to say."""
    camera = next((at for at, name in enumerate(folders) if _CAMERA_FOLDER.fullmatch(name)), None)
    above = [name for name in folders[:camera] if not _DATE_FOLDER.fullmatch(name)]
    if camera is None:
        return dict(zip(("identity", "camera"), above, strict=False)) if len(above) <= 2 else None
    below = folders[camera + 1 : camera + 2]
    if not above and below and _CAMERA_FOLDER.fullmatch(below[0]):
        # A camera has no cameras: an identity may be called as one is.
        return {"identity": folders[camera], "camera": below[0]}
    # Which of several would be the identity, nobody can tell.
    return {"camera": folders[camera]} | ({"identity": above[0]} if len(above) == 1 else {})


def in_words(images: Images) -> str:
    """Say how many identities and cameras were read, as ``2 cameras, identities unknown``."""
    said = []
    for column, many in (("identity", "identities"), ("camera", "cameras")):
        names = images.frame[column]
        count = names.nunique()
        if not count:
            said.append(f"{many} unknown")
            continue
        lacking = int(names.isna().sum())
        of = f" ({_images(lacking, 'without')})" if lacking else ""
        said.append(f"{count:,} {column if count == 1 else many}{of}")
    return ", ".join(said if images.frame["identity"].notna().any() else said[::-1])


def _images(count: int, which: str) -> str:
    return f"{count:,} {'image' if count == 1 else 'images'} {which}"

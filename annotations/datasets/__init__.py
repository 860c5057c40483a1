"""Readers of data sets: functions from a root folder to an images table; none loads pixels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from annotations.datasets import (
    cityflow,
    compcars,
    compcars_surveillance,
    folder,
    image,
    table,
    twocam,
    vehicleid,
    veri776,
    veriwild,
    vric,
)
from annotations.datasets.published import read_published
from annotations.errors import InputError, suggest
from annotations.images import Images
from annotations.spelling import is_text, misnamed

__all__ = ["DATASETS", "detect_dataset", "read_images"]

_PUBLIC: dict[str, Callable[[Path], Images]] = {
    "veri776": veri776.read,
    **{f"vehicleid-{size}": partial(vehicleid.read, size=size) for size in vehicleid.SIZES},
    "vric": vric.read,
    **{f"veriwild-{size}": partial(veriwild.read, size=size) for size in veriwild.SIZES},
    "cityflow": cityflow.read,
    "compcars": compcars.read,
    "compcars-surveillance": compcars_surveillance.read,
}

DATASETS: dict[str, Callable[[Path], Images]] = {
    "folder": folder.read,
    "image": image.read,
    "table": table.read,
    "twocam": twocam.read,
    **{key: partial(read_published, key, read) for key, read in _PUBLIC.items()},
}


def _signs(root: Path) -> dict[str, list[Path]]:
    """Return for each data set the files that tell it, any of which is enough, in order."""
    web, surveillance = compcars.base(root), compcars_surveillance.base(root)
    return {
        **{
            f"vehicleid-{size}": [root / vehicleid.LISTS / vehicleid.list_name(size)]
            for size in vehicleid.SIZES
        },
        **{
            f"veriwild-{size}": [
                root / veriwild.LISTS / name for name in veriwild.list_names(size).values()
            ]
            for size in veriwild.SIZES
        },
        "vric": [root / file for file, _ in vric.LISTS.values()],
        "compcars": [web / file for file in (*compcars.LISTS, compcars.NAMES)],
        "compcars-surveillance": [
            surveillance / file for file in compcars_surveillance.LISTS.values()
        ],
        "veri776": [root / file for file, _ in veri776.LISTS.values()],
    }


def detect_dataset(root: Path) -> str:
    """Recognise a data set by its list files: a key of `DATASETS`.

    An image file is a data set of one image. Another file, or a folder with a table, is a table;
    the list files of a public data set are its own, of several test sets the smallest that is
    there; everything else is a plain folder.
    """
    if image.recognise(root):
        return "image"
    if root.is_file() or any((root / name).is_file() for name in table.NAMES):
        return "table"
    if cityflow.recognise(root):  # before VeRi-776, whose lists have the same names
        return "cityflow"
    for key, files in _signs(root).items():
        if any(file.is_file() for file in files):
            return key
    if all((root / name).exists() for name in (twocam.FOLDER, twocam.TRAIN, twocam.VAL)):
        return "twocam"
    return "folder"


def read_images(root: Path, kind: str | None = None) -> Images:
    """Read the images table of a data set.

    Args:
        root: the data set's folder, an images table, or an image.
        kind: a key of `DATASETS`; recognised where None.

    Raises:
        InputError: no such kind, nothing at ``root`` or its name is not UTF-8, or what the kind's
            reader finds wrong.
    """
    if not is_text(str(root)):
        raise InputError(misnamed(str(root)))
    if not root.exists():
        raise InputError(f"{root}: no such file or folder")
    chosen = kind or detect_dataset(root)
    if chosen not in DATASETS:
        raise InputError(f"no data set kind '{chosen}'; {suggest(chosen, DATASETS)}")
    return DATASETS[chosen](root)

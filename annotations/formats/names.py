"""Image names that labels give: they must stay under the images' folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from annotations.errors import InputError


def stay_inside(name: str, root: Path, place: str) -> str:
    """Return ``name`` as a path under ``root``, with forward slashes.

    Args:
        name: relative to ``root``, or an absolute path inside it.
        root: the images' folder.
        place: where the name stands, for the error.

    Raises:
        InputError: the name is empty, goes up with ``..``, or is absolute and elsewhere.
    """
    if not name.strip():
        raise InputError(f"{place}: the image has no name")
    if ".." in re.split(r"[/\\]", name):
        raise InputError(
            f"{place}: image '{name}' goes up with '..'; name images from their own folder"
        )
    if not (PurePosixPath(name).is_absolute() or PureWindowsPath(name).is_absolute()):
        return PurePosixPath(name).as_posix()
    for folder in (root.absolute(), root.resolve()):
        if Path(name).is_relative_to(folder):
            return Path(name).relative_to(folder).as_posix()
    raise InputError(
        f"{place}: image '{name}' is not in the images' folder {root}; say where the images are"
    )

"""A single image, as a data set of one."""

from __future__ import annotations

from pathlib import Path

from annotations.errors import InputError
from annotations.images import Images
from annotations.pixels import SUFFIXES, is_picture


def recognise(path: Path) -> bool:
    """Return whether a path is an image file, judged by the suffix; `read` may refuse its kind."""
    return is_picture(path.name) and path.is_file()


def read(path: Path) -> Images:
    """Read one image file, of which neither identity nor camera is known.

    Its name in the table starts from its folder, as in a data set of that folder.

    Raises:
        InputError: it is no file, or has another suffix than images have.
    """
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        raise InputError(f"{path}: is no image file; those end in {', '.join(sorted(SUFFIXES))}")
    return Images.from_rows([{"image": path.name}], path.parent, str(path))

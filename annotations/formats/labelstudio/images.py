"""How Label Studio names an image, and which file under the images' folder that is.

Written is the address of its local storage, ``/data/local-files/?d=`` and the image's name under
its folder. Read are that address, whose path may begin with folders above the images' own; an
uploaded file, ``/data/upload/7/0a1b2c3d-name.jpg``, with or without the eight digits that Label
Studio puts before the name; ``file:///...`` inside the folder; and a plain name under it. The
first that is there is taken. An address elsewhere on the network is not fetched.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from annotations.errors import InputError
from annotations.formats.names import stay_inside

_LOCAL, _UPLOAD = "/data/local-files/?d=", "/data/upload/"
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")


def name_image(image: str) -> str:
    """Return the address of ``image``, a path under the document root of the local storage."""
    return _LOCAL + quote(image)


def _ends(path: str) -> list[str]:
    """Return the path, then without its first folder, and so on to the bare name."""
    steps = PurePosixPath(path.lstrip("/")).parts
    return ["/".join(steps[first:]) for first in range(len(steps))]


def possible_names(data: dict[str, Any], place: str) -> list[str]:
    """Return what the image of a task may be called under its folder, the likeliest first.

    Args:
        data: the task's data, with ``image``.
        place: the task, for errors.

    Raises:
        InputError: there is no image, or it is on the network.
    """
    given = data.get("image")
    if not isinstance(given, str) or not given.strip():
        there = ", ".join(data) or "none"
        raise InputError(f"{place}: its data has no 'image' (keys there: {there})")
    if _LOCAL in given:
        name = unquote(given.split(_LOCAL, 1)[1])
        names = [name, *_ends(name)[1:]] if PurePosixPath(name).parts else []
    elif _UPLOAD in f"/{given}":
        # Without the digits, the name is that of the person's own file.
        name = unquote(f"/{given}".split(_UPLOAD, 1)[1].split("?")[0])
        bare = _UPLOADED.sub("", PurePosixPath(name).name)
        names = [bare, *_ends(name)] if PurePosixPath(name).parts else []
    elif "://" in given:
        address = urlsplit(given)
        if address.scheme != "file" or address.netloc not in ("", "localhost"):
            raise InputError(
                f"{place}: image '{given}' is on the network; fetch the images, and let 'image' "
                f"be each one's name in their folder"
            )
        names = [unquote(address.path)]
    else:
        names = [given]
    if not names:
        raise InputError(f"{place}: image '{given}' has no name")
    return names


def find_image(names: list[str], root: Path, place: str) -> str:
    """Return the first of `possible_names` that is a file under ``root``, else the first.

    Raises:
        InputError: a name leaves ``root``.
    """
    inside = [stay_inside(name, root, place) for name in names]
    return next((name for name in inside if (root / name).is_file()), inside[0])

"""Which images can be learned from: what is gone or torn is said before a training begins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.progress import track

from annotations.errors import InputError
from annotations.images import Images
from annotations.pixels import find_unreadable


class Readable(NamedTuple):
    """What reading every image once says.

    Attributes:
        rows: (N,) bool, which can be read.
        notes: one line for each of the others.
    """

    rows: npt.NDArray[np.bool_]
    notes: list[str]


def readable(images: Images, progress: bool = True) -> Readable:
    """Read every image once.

    In a worker that reads batches, an image that cannot be read would end a training halfway.

    Args:
        images: N images.
        progress: whether to show a bar.

    Raises:
        InputError: a file is missing, or none can be read.
    """
    images.require_files()
    problems = list(
        track(
            find_unreadable(images.paths),
            "reading every image once",
            total=len(images),
            transient=True,
            disable=not progress,
        )
    )
    notes = [problem for problem in problems if problem is not None]
    if len(notes) == len(images):
        raise InputError(
            f"{images.source}: none of {len(images)} images can be read; the first: {notes[0]}"
        )
    return Readable(np.array([problem is None for problem in problems]), notes)

"""Finding files below a folder, those of linked folders too, each folder once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from annotations.spelling import is_text, misnamed

_Identity = tuple[int, int]
"""Of a folder: its device and its number there, by whichever path it is reached."""


def files_below(folder: str, wanted: Callable[[str], bool], refused: list[str]) -> Iterator[str]:
    """Yield the files below a folder whose name is wanted; names that begin with a dot are not.

    A folder's listing says what is a file, without a stat. A link to a folder is followed, and
    its files have the path through the link. A folder that is reached twice is read once: by its
    own path where that is below ``folder``, else by the first of its links in the order of
    paths, so that it is the same path every time. A link to a folder that it lies in is a circle,
    and is passed over.

    Of a folder that cannot be listed, and of a file that cannot be looked at, such as a link that
    leads to itself, a line goes to ``refused``, as for each whose name is not UTF-8; what has gone
    meanwhile is no file.

    Args:
        folder: where to look.
        wanted: whether a file of that name is.
        refused: takes the lines.
    """
    walk = _Walk(wanted, refused)
    yield from walk.below(folder)
    while walk.links:
        # What lies here by its own path has been read; of links, each leads to others.
        links, walk.links = sorted(walk.links, key=_steps), []
        for link in links:
            if not _circle(link, folder):
                yield from walk.below(link)


class _Walk:
    """Reads folders, and remembers which.

    Attributes:
        links: to folders, not followed yet.
    """

    def __init__(self, wanted: Callable[[str], bool], refused: list[str]) -> None:
        self._wanted = wanted
        self._refused = refused
        self._read: set[_Identity] = set()
        self.links: list[str] = []

    def below(self, folder: str) -> Iterator[str]:
        """Yield the files of a folder and those in it, as far as they have not been read."""
        waiting = [folder]
        while waiting:
            place = waiting.pop()
            try:
                if not self._first(place):
                    continue
                with os.scandir(place) as entries:
                    for entry in entries:
                        if entry.name.startswith("."):
                            continue
                        try:
                            below = entry.is_dir()
                            file = not below and self._wanted(entry.name) and entry.is_file()
                        except OSError as error:  # of this one alone: the others are read
                            why = error.strerror or error
                            self._refused.append(f"{entry.path}: cannot be read ({why})")
                            continue
                        if (below or file) and not is_text(entry.name):
                            self._refused.append(misnamed(entry.path))
                        elif below:
                            (self.links if entry.is_symlink() else waiting).append(entry.path)
                        elif file:
                            yield entry.path
            except FileNotFoundError:
                continue
            except OSError as error:
                self._refused.append(f"{place}: cannot be listed ({error.strerror or error})")

    def _first(self, place: str) -> bool:
        """Return whether a folder is reached for the first time."""
        seen = os.stat(place)  # noqa: PTH116 (of many folders, paths would take their time)
        identity = (seen.st_dev, seen.st_ino)
        if identity in self._read:
            return False
        self._read.add(identity)
        return True


def _circle(link: str, folder: str) -> bool:
    """Return whether a link leads to a folder that it lies in, or that ``folder`` lies in."""
    target = os.path.realpath(link)
    return any(
        os.path.commonpath((target, os.path.realpath(inside))) == target
        for inside in (os.path.dirname(link), folder)  # noqa: PTH120
    )


def _steps(path: str) -> list[str]:
    return path.split(os.sep)  # noqa: PTH206

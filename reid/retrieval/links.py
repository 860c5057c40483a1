"""Links to folders: where the files below them truly are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

Texts: TypeAlias = pa.Array | pa.ChunkedArray
_PATH = pa.large_string()
"""Whole paths of tens of millions of images are more than the 2 GiB that a column of text holds."""


@dataclass(frozen=True)
class Links:
    """The links through which the files of a folder are reached, and the folder itself.

    A gallery knows an image by the path through the link. Whether that is the same file as one
    that it knows by another path, the place where it truly is tells.

    Attributes:
        base: the folder, resolved.
        places: (link, where it leads), both with an end of ``/``; the shortest links first.
    """

    base: Path
    places: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, root: Path, names: Iterable[Texts]) -> Links:
        """Find the links that images were reached through.

        Args:
            root: the folder that their paths start from, as it was given.
            names: the paths; those that begin at the top are taken as they are.
        """
        base = root.resolve()
        folders = {PurePosixPath(each) for some in names for each in _folders(some)}
        below = {each for folder in folders for each in (folder, *folder.parents) if each.parts}
        inside = [base / each for each in below if not each.is_absolute()]
        links = [root.absolute(), *(place for place in inside if place.is_symlink())]
        places = {start_of(link): start_of(link.resolve()) for link in links}
        found = [(link, truly) for link, truly in places.items() if link != truly]
        return cls(base, tuple(sorted(found, key=lambda pair: (len(pair[0]), pair))))

    def truly(self, files: Texts) -> Texts:
        """Return where files, given by their whole paths, truly are."""
        done = files
        for link, place in self.places:  # the longest link has the last word
            rest = pc.utf8_slice_codeunits(files, len(link))
            moved = pc.binary_join_element_wise(_text(place), rest, _text(""))
            done = pc.if_else(pc.starts_with(files, link), moved, done)
        return done

    def near(self, folder: Path) -> bool:
        """Return whether a folder may have files that this one has, too."""
        asked = start_of(folder)
        around = [start_of(self.base), *(place for pair in self.places for place in pair)]
        return any(asked.startswith(each) or each.startswith(asked) for each in around)

    def inside(self, files: Texts) -> Texts:
        """Return which files, by where they truly are, lie below the folder or what is linked."""
        below = pc.starts_with(files, start_of(self.base))
        for _, place in self.places:
            below = pc.or_(below, pc.starts_with(files, place))
        return below


def start_of(folder: Path) -> str:
    """Return what the paths of all files below a folder begin with."""
    return f"{str(folder).rstrip('/')}/"


def _folders(names: Texts) -> list[str]:
    """Return each folder of some paths once; of those in none, and at the top, nothing."""
    found: list[str] = pc.unique(pc.replace_substring_regex(names, "/?[^/]*$", "")).to_pylist()
    return found


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, _PATH)

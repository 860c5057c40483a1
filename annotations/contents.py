"""Telling whether files have changed: by size and time at a glance, by content for sure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_WORKERS = 8


@dataclass(frozen=True)
class FileState:
    """What the system says of a file.

    Attributes:
        size: bytes.
        time: of its last change, nanoseconds.
    """

    size: int
    time: int

    @classmethod
    def of(cls, path: Path) -> FileState | None:
        """Look at a file; None where it cannot be seen."""
        try:
            seen = path.stat()
        except OSError:
            return None
        return cls(seen.st_size, seen.st_mtime_ns)


def is_gone(path: Path) -> bool:
    """Return whether there is no such file; one that may not be looked at is not gone."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def states_of(paths: Iterable[Path]) -> list[FileState | None]:
    """Look at many files; None for those that cannot be seen."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(FileState.of, paths))


def content_of(path: Path) -> bytes | None:
    """Return 16 bytes that stand for a file's content, by BLAKE2; None where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest()
    except OSError:
        return None


def contents_of(
    paths: Sequence[Path], advance: Callable[[int], None] | None = None
) -> list[bytes | None]:
    """Return `content_of` many files; ``advance`` is called with how many more are done."""
    found: list[bytes | None] = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        for content in pool.map(content_of, paths, chunksize=1):
            found.append(content)
            if advance is not None:
                advance(1)
    return found

"""Names of files and folders: those that are no UTF-8 text, and the shortest that tell apart."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

RENAME = "its name is not UTF-8; rename it"


def is_text(name: str) -> bool:
    """Return whether a name, as Python has it from the system, can be written as UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def misnamed(path: str) -> str:
    r"""Return the line that says of such a file what to do, its odd bytes as ``\xff``."""
    return f"{os.fsencode(path).decode(errors='backslashreplace')}: {RENAME}"


def shortest_endings(paths: Sequence[Path]) -> list[str]:
    """Return for each of some different absolute paths its shortest ending that no other has."""
    names = []
    for path in paths:
        others = [other.parts for other in paths if other != path]
        length = 1
        while any(other[-length:] == path.parts[-length:] for other in others):
            length += 1
        names.append(str(Path(*path.parts[-length:])))
    return names

"""File names that are no text: the system has them as bytes, tables and pages as UTF-8."""

from __future__ import annotations

import os

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

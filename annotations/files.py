"""Files that appear whole: written beside their place, then renamed into it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from annotations.errors import InputError


def _aside(path: Path) -> Path:
    # The suffix is kept because some writers choose their format by it.
    return path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.part{path.suffix}")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to; on success it replaces ``path``, on error it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(path)
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder to fill; on success it replaces ``path``, on error it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(path)
    aside.mkdir()
    old = _aside(path)
    try:
        yield aside
        if path.exists():
            path.replace(old)
        aside.replace(path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if old.exists() and not path.exists():
            old.replace(path)
        shutil.rmtree(old, ignore_errors=True)


def require_writable(folder: Path) -> None:
    """Make a folder, and demand that files can be written to it, before any long work begins.

    Raises:
        InputError: it cannot be made, or not written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = _aside(folder / "probe")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written to ({error.strerror}); name another folder"
        ) from None


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 so that ``path`` is never seen half-written."""
    with whole_file(path) as aside:
        aside.write_text(text, encoding="utf-8")


def read_text(path: Path) -> str:
    """Read a UTF-8 file.

    Raises:
        InputError: there is no such file, or it is not UTF-8.
    """
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def parse_yaml(text: str, source: str) -> Any:
    """Parse YAML; ``source`` is named where it is not.

    Raises:
        InputError: it is not YAML.
    """
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{source}: not YAML: {error}") from None


def read_yaml(path: Path) -> Any:
    """Read a YAML file; errors as `read_text` and `parse_yaml`."""
    return parse_yaml(read_text(path), str(path))

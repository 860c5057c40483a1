"""The journal: every change of a labelling project, one line each, on disk before it counts.

Lines are only ever added, under a lock, and each holds the labels of one image in full, so that
a reader needs no other. A process that is killed loses at most the line that it was writing, and
several processes can label in one folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from annotations.errors import InputError, explain
from annotations.labelling.record import Change
from annotations.labels import JOURNAL


class ConflictError(InputError):
    """Someone else changed the image meanwhile.

    Attributes:
        theirs: what holds instead.
    """

    def __init__(self, theirs: Change) -> None:
        self.theirs = theirs
        who = theirs.by or "someone"
        super().__init__(
            f"{who} changed '{theirs.labels.image}' at {theirs.at:%H:%M:%S}; your change is not "
            f"saved: look at theirs and change it again"
        )


class Journal:
    """Reads and adds changes.

    Args:
        folder: of the project.

    Attributes:
        path: the file.
        damaged: what is wrong with each line that cannot be read, such as
            ``journal.jsonl: line 17: ...``; such lines are left out.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL
        self.damaged: list[str] = []
        self._changes: dict[tuple[str, str], list[Change]] = {}
        self._read, self._lines = 0, 0
        # Two threads that read at once would take the same lines twice.
        self._reading = threading.Lock()
        self.refresh()

    def history(self, image: str, layer: str = "") -> list[Change]:
        """Return every change of an image, oldest first."""
        return list(self._changes.get((layer, image), ()))

    def latest(self, image: str, layer: str = "") -> Change | None:
        """Return what holds for an image, or None for one never touched."""
        changes = self._changes.get((layer, image))
        return changes[-1] if changes else None

    def all_latest(self, layer: str = "") -> Iterator[Change]:
        """Yield what holds for every image of a layer, in the order of first touch."""
        for (of, _), changes in list(self._changes.items()):
            if of == layer:
                yield changes[-1]

    def all_changes(self, layer: str = "") -> Iterator[Change]:
        """Yield every change of a layer, by image."""
        for (of, _), changes in list(self._changes.items()):
            if of == layer:
                yield from changes

    @property
    def layers(self) -> list[str]:
        """The layers that hold anything, sorted; the common one is ``""``."""
        return sorted({layer for layer, _ in self._changes})

    def refresh(self) -> None:
        """Read what was added since, by this process or another.

        Raises:
            InputError: the file cannot be read, or became shorter.
        """
        try:
            with self.path.open("rb") as file, self._reading:
                self._take(file)
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror})") from None

    def add(self, *changes: Change) -> None:
        """Write changes to disk; when this returns, they are there.

        Raises:
            ConflictError: an image has another revision than the one that its change follows;
                nothing is written then.
            InputError: the disk does not take it.
        """
        try:
            with self.path.open("a+b") as file, _locked(file), self._reading:
                self._take(file)
                for change in changes:
                    there = self.latest(change.labels.image, change.layer)
                    if there is not None and there.revision >= change.revision:
                        raise ConflictError(there)
                # A process killed while it wrote has left half a line.
                start = b"\n" if self._torn(file) else b""
                lines = b"".join(each.model_dump_json().encode() + b"\n" for each in changes)
                end = file.seek(0, os.SEEK_END)
                try:
                    _write(file.fileno(), start + lines)
                    os.fsync(file.fileno())
                except OSError:
                    with contextlib.suppress(OSError):
                        os.ftruncate(file.fileno(), end)
                    raise
                with self.path.open("rb") as again:  # the other's buffer knows nothing of it
                    self._take(again)
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be written ({error.strerror}); the last change is not saved"
            ) from None

    def _torn(self, file: BinaryIO) -> bool:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"

    def _take(self, file: BinaryIO) -> None:
        """Read on from where the last reading ended, as far as lines are complete."""
        if os.fstat(file.fileno()).st_size < self._read:
            raise InputError(f"{self.path}: became shorter while it was in use; start again")
        file.seek(self._read)
        for line in file:
            if not line.endswith(b"\n"):
                break
            self._read += len(line)
            self._lines += 1
            if not line.strip():
                continue
            try:
                change = Change.model_validate_json(line)
            except ValidationError as error:
                self.damaged.append(f"{self.path}: line {self._lines}: {explain(error)}; left out")
                continue
            key = (change.layer, change.labels.image)
            self._changes.setdefault(key, []).append(change)


def _write(number: int, content: bytes) -> None:
    """Write past Python's buffer, which would try again on closing what a full disk refused."""
    while content:
        content = content[os.write(number, content) :]


@contextlib.contextmanager
def _locked(file: BinaryIO) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)

"""One writer at a time."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annotations.errors import InputError

LOCK = ".writing"
"""The file whose lock it is."""
_PAUSE = 0.2
"""Seconds between two looks at whether the other writer has finished."""


@contextmanager
def writing(folder: Path, wait: bool = False) -> Iterator[None]:
    """Be the only one who changes what is in ``folder``.

    The system lets go of the lock when its holder ends, however it ends.

    Args:
        folder: made if missing.
        wait: wait for another writer to finish.

    Raises:
        InputError: there is another writer, and no waiting is wanted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not wait:
                    raise InputError(
                        f"{folder}: {_holder(handle)} is writing it; run this again when it has "
                        "finished, or with --wait"
                    ) from None
                time.sleep(_PAUSE)
        os.truncate(handle, 0)
        try:
            said = {"process": os.getpid(), "host": socket.gethostname()}
            os.pwrite(handle, json.dumps(said).encode(), 0)
        except OSError:
            pass  # of a full disk, what is done next will tell
        yield
    finally:
        os.close(handle)


def _holder(handle: int) -> str:
    try:
        said = json.loads(os.pread(handle, 4096, 0))
        return f"process {said['process']} on {said['host']}"
    except (ValueError, KeyError):
        return "another process"

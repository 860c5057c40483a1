"""How long each step of a long job took, kept over stops."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annotations.errors import InputError
from annotations.files import read_text, write_text
from pipelines.tables import say


class Steps:
    """Times steps, and keeps the times in a small JSON file.

    A step that is stopped and begun again has the sum of its pieces. A step whose outputs are
    there already keeps the time that making them took.

    Args:
        path: the file.
        count: how many steps the job has, for the terminal.

    Raises:
        InputError: the file is there and is not what this class writes.
    """

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._count = count
        self._number = 0
        try:
            content = json.loads(read_text(path)) if path.is_file() else {}
            self._times = {
                str(name): (float(entry["seconds"]), bool(entry["finished"]))
                for name, entry in content.items()
            }
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InputError(f"{path}: not a record of steps, or damaged; remove it") from None

    @contextmanager
    def step(self, name: str, *, done: bool = False) -> Iterator[None]:
        """Time what is done inside, and say on the terminal that it begins.

        Args:
            name: of the step.
            done: whether its outputs are there, so that only looking at them takes time.
        """
        self._number += 1
        say(f"\n{self._number} of {self._count}: {name}")
        before, finished = self._times.get(name, (0.0, False))
        if done:
            yield
            return
        started, completed = time.monotonic(), False
        try:
            yield
            completed = True
        finally:
            spent = time.monotonic() - started
            self._times[name] = (spent if finished else before + spent, completed)
            self._write()

    def finished(self, name: str) -> bool:
        """Return whether a step was ended once."""
        return self._times.get(name, (0.0, False))[1]

    def seconds(self, name: str) -> float | None:
        """Return how long a step took, or None if that was before there was a record."""
        return self._times[name][0] if name in self._times else None

    def _write(self) -> None:
        content = {name: {"seconds": s, "finished": f} for name, (s, f) in self._times.items()}
        write_text(self._path, json.dumps(content, indent=1) + "\n")

"""Training a detector in a process of its own, while a person labels."""

from __future__ import annotations

import contextlib
import csv
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from detection.card import DetectorCard

_RUN = "from pipelines.cli.main import main; main()"
_POLITE = 10


class Training:
    """A process that trains a detector on a labelling project.

    Args:
        labels: the project's folder.
        out: the detector's folder; its log is beside it.
        count: labelled images that it learns from.
        changes: of the detector's settings, as ``key=value``.
        device: auto, cpu or cuda.

    Attributes:
        out: as given.
        count: as given.
    """

    def __init__(
        self, labels: Path, out: Path, count: int, changes: Sequence[str], device: str
    ) -> None:
        self.out, self.count = out, count
        out.parent.mkdir(parents=True, exist_ok=True)
        self.log = out.with_suffix(".log")
        settings = [word for change in changes for word in ("--set", change)]
        command = [sys.executable, "-c", _RUN, "parts", "train", str(labels), str(out), "--redo"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, *settings, "--device", device],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        with contextlib.suppress(OSError):  # who labels must not wait for who trains
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _POLITE)

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self._process.poll() is None

    @property
    def succeeded(self) -> bool:
        """Whether a detector is there."""
        return self._process.poll() == 0 and (self.out / DetectorCard.FILE).is_file()

    @property
    def epochs(self) -> int:
        """Epochs done so far."""
        try:
            with (self.out / ".training" / "results.csv").open(newline="") as file:
                return max(0, sum(1 for _ in csv.reader(file)) - 1)
        except OSError:
            return 0

    @property
    def complaint(self) -> str:
        """The last line that it wrote."""
        lines = self.log.read_text("utf-8", errors="replace").splitlines()
        return next((line for line in reversed(lines) if line.strip()), "no word of why")

    def stop(self) -> None:
        """End the process, if it goes on."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

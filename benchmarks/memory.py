"""How much memory a piece of work takes."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def peak_above(work: Callable[[], Made], every: float = 0.005) -> tuple[int, Made]:
    """Run ``work`` and return the most resident memory above that before it, in bytes.

    Memory is looked at every few milliseconds, so a shorter peak may be missed.
    """
    before = peak = _resident()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(every):
            peak = max(peak, _resident())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        made = work()
    finally:
        done.set()
        watcher.join()
    return peak - before, made

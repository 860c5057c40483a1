"""Reading files in threads while something else computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(
    pool: ThreadPoolExecutor,
    make: Callable[[Given], Made],
    given: Iterable[Given],
    depth: int,
) -> Iterator[Made]:
    """Map in threads, in order, with at most ``depth`` results waiting to be taken."""
    waiting: deque[Future[Made]] = deque()
    for item in given:
        waiting.append(pool.submit(make, item))
        if len(waiting) >= depth:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()

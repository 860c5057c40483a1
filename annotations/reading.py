"""Reading files in threads, a batch at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

TURN = 8
"""Batches read in one turn. OpenMP's threads keep a processor busy for some milliseconds after
each pass of a network, so a turn of one batch would have few processors to itself."""


def in_batches(
    make: Callable[[Given], Made],
    given: Sequence[Given],
    size: int,
    *,
    workers: int | None = None,
    ahead: bool = True,
) -> Iterator[list[Made]]:
    """Map in threads, and yield what was made in order, in lists of ``size``.

    Args:
        make: makes one item.
        given: what to make it from.
        size: items a batch; the last may be shorter.
        workers: threads; by default one per processor.
        ahead: make the next batch while the caller uses this one. Otherwise take turns, which
            is faster where a small network computes on the same processors: `TURN` batches
            are made at once, then handed over one by one.
    """
    workers = workers or os.cpu_count() or 1
    span = size if ahead else TURN * size
    # A few items a task: handing each over alone costs as much as decoding a small crop.
    share = max(1, span // (4 * workers))
    making: deque[list[Future[list[Made]]]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for start in range(0, len(given), span):
            items = given[start : start + span]
            shares = (items[first : first + share] for first in range(0, len(items), share))
            making.append([pool.submit(partial(_make_all, make), some) for some in shares])
            if len(making) > ahead:
                yield from _batches(making.popleft(), size)
        while making:
            yield from _batches(making.popleft(), size)
    finally:
        pool.shutdown(cancel_futures=True)


def _make_all(make: Callable[[Given], Made], items: Sequence[Given]) -> list[Made]:
    return [make(item) for item in items]


def _batches(shares: list[Future[list[Made]]], size: int) -> Iterator[list[Made]]:
    made = list(chain.from_iterable(share.result() for share in shares))
    for start in range(0, len(made), size):
        yield made[start : start + size]

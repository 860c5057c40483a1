"""Work of many small pieces in threads that stay."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_threads(make: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """Map in as many threads as torch uses, and yield what was made in order.

    ``make`` should spend its time outside Python's lock, as numpy and torch do.
    """
    return _pool(torch.get_num_threads()).map(make, given)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


if hasattr(os, "register_at_fork"):  # a forked child has the pool, but none of its threads
    os.register_at_fork(after_in_child=_pool.cache_clear)

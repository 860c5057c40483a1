"""Spreading an order over groups, such as vehicles, without leaving what teaches most behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

MOST_IN_A_ROW = 2


def turn(group: Places, value: Floats, chance: Places, before: Places) -> Places:
    """Return how many of each item's group come before it.

    Args:
        group: the number of each item's group, (N,); -1 for an item of no group, which is the
            first of its own.
        value: the greatest of a group comes first, (N,).
        chance: settles between equals, the smallest first, (N,).
        before: how many of each group have been taken already, (groups,).

    Returns:
        int64 (N,), in O(N log N).
    """
    order = np.lexsort([chance, -value, group])
    ordered = group[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-2))
    sizes = np.diff(starts, append=len(ordered))
    turns = np.empty(len(group), np.int64)
    turns[order] = np.arange(len(ordered)) - np.repeat(starts, sizes)
    return np.where(group < 0, 0, turns + np.append(before, 0)[group])


def few_in_a_row(order: Iterable[int], group: Places) -> Iterator[int]:
    """Put off what would be the third of its group in a row until another group has come.

    Where only one group is left it comes in a row all the same. Takes O(N): only one group is
    ever put off, for the next item of another ends its waiting.

    Args:
        order: places in ``group``, best first.
        group: the number of each item's group; negative for an item of no group.
    """
    groups = group.tolist()
    waiting: deque[int] = deque()
    last, row = -1, 0
    for item in order:
        if groups[item] == last and last >= 0 and row >= MOST_IN_A_ROW:
            waiting.append(item)
            continue
        row = row + 1 if groups[item] == last else 1
        last = groups[item]
        yield item
        if waiting and groups[waiting[0]] != last:
            last, row = groups[waiting[0]], 0
            while waiting and row < MOST_IN_A_ROW:
                row += 1
                yield waiting.popleft()
    yield from waiting

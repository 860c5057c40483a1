"""Which of a gallery's newest segments are written anew together with what is added to them."""

from __future__ import annotations

from collections.abc import Sequence

TOGETHER = 2**17
"""Images of a segment that is made of several: so much a small addition writes at most."""
MANY = 16
"""Segments of about one size that are made one."""


def foldable(counts: Sequence[int], new: int) -> int:
    """Return how many of the newest segments an addition takes into its own.

    Where those of its size, or smaller, are `MANY` with it, or more than `TOGETHER` has room for,
    they become one with it, which may take larger ones in turn. An image is so written again about
    once for each power of `MANY` that its segment grows by; a gallery that is often added to has
    some dozen small segments, and a small addition leaves large ones alone.

    Args:
        counts: images of each segment, the newest last; all rows, the removed ones included.
        new: images that are added.
    """
    first = len(counts)
    while True:
        place, total = first, new
        alike = full = False
        while place:
            alike = _size(counts[place - 1]) <= _size(new)
            full = total + counts[place - 1] > TOGETHER
            if full or not alike:
                break
            place -= 1
            total += counts[place]
        due = first - place + 1 >= MANY or (alike and full)
        if place == first or not due:
            return len(counts) - first
        first, new = place, total


def _size(count: int) -> int:
    """Return which power of `MANY` a count is about."""
    size = 0
    while count >= MANY:
        count //= MANY
        size += 1
    return size

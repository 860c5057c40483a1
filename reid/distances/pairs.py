"""Squared distances of chosen pairs of rows, bit by bit the same on every device."""

from __future__ import annotations

import torch
from torch import Tensor

from reid.distances.alike import sum_alike
from reid.threads import in_threads

_IN_THREAD, _ON_DEVICE = 2**18, 2**24
"""Numbers worked on at once: on a CPU what stays in cache while it is worked on, elsewhere so many
that starting the work is no matter."""


def rows_at_once(rows: Tensor) -> int:
    """Return how many rows of (N, D) are best worked on together."""
    numbers = _IN_THREAD if rows.device.type == "cpu" else _ON_DEVICE
    return max(1, numbers // rows.shape[1])


def square_distances(
    one: Tensor,
    other: Tensor,
    first: Tensor,
    second: Tensor,
    *,
    dtype: torch.dtype = torch.float64,
    unit: bool = False,
) -> Tensor:
    """Return squared Euclidean distances of pairs of rows of two matrices.

    Args:
        one: floating, shape (M, D).
        other: of the same kind, shape (N, D), on the same device.
        first: int64, shape (P,), rows of ``one``.
        second: int64, shape (P,), rows of ``other``.
        dtype: what is worked in, not narrower than that of the rows.
        unit: scale rows to length one beforehand.

    Returns:
        Shape (P,), of ``dtype``.
    """
    found = torch.empty(len(first), dtype=dtype, device=one.device)

    def measure(places: slice) -> None:
        apart = one.index_select(0, first[places]).to(dtype)
        near = other.index_select(0, second[places])
        if unit:
            apart, near = to_unit(apart), to_unit(near.to(dtype))
        # Kept apart from what threads work on, whose memory could otherwise not be used again.
        found[places] = sum_alike(apart.sub_(near).square_())

    step = rows_at_once(one)
    if dtype != torch.float64:
        step *= 2
    tasks = [slice(start, start + step) for start in range(0, len(first), step)]
    work = in_threads if one.device.type == "cpu" else map
    for _ in work(measure, tasks):
        pass
    return found


def to_unit(rows: Tensor) -> Tensor:
    """Scale rows (N, D) to length one."""
    return rows / sum_alike(rows.square()).sqrt()[:, None]

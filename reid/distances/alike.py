"""What every device computes alike, bit by bit."""

from __future__ import annotations

import torch
from torch import Tensor

from annotations.errors import InputError

UNIT = 2.0**-24
"""Half the distance from 1 to the next float32: what rounding adds at most to a number near 1."""


def sum_alike(rows: Tensor) -> Tensor:
    """Sum each row of (P, D), which is overwritten, in an order that no device changes: (P,)."""
    while (width := rows.shape[1]) > 1:
        half = (width + 1) // 2
        rows[:, : width - half] += rows[:, half:]
        rows = rows[:, :half]
    return rows[:, 0]


def first_equal(rows: Tensor) -> Tensor:
    """Return for each row of (N, D) the number of the first row that equals it: int64 (N,)."""
    kinds, kind = torch.unique(rows, dim=0, return_inverse=True)
    numbers = torch.arange(len(rows), device=rows.device)
    first = torch.full((len(kinds),), len(rows), device=rows.device)
    return first.scatter_reduce_(0, kind, numbers, "amin")[kind]


def require_one_width(query: Tensor, items: Tensor) -> None:
    """Demand that embeddings (Q, D) and (G, D) have as many dimensions.

    Raises:
        InputError: they have not.
    """
    if query.shape[1] != items.shape[1]:
        raise InputError(
            f"query has {query.shape[1]} dimensions and gallery {items.shape[1]}: "
            "embeddings of two models"
        )

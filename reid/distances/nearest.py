"""The first gallery items of a ranking, for searching and for query expansion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from annotations.errors import InputError
from reid.device import full_precision
from reid.distances.comparison import Comparison, Sliceable

_BLOCK = 2**22
"""Values held at once."""
_QUERIES, _ITEMS = 512, 2**13
"""Queries and items compared at once where items can be taken a stretch at a time."""


def search(
    comparison: Comparison, top: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Find the nearest gallery items of each query, as `Gallery.search` does.

    Args:
        comparison: one whose exact values are distances, such as those of `reid.reranking`.
        top: how many to find, K; all where it is more than there are.

    Returns:
        Distances (float32) and gallery rows (int64), both (Q, K), nearest first.

    Raises:
        InputError: ``top`` below 1.
    """
    if isinstance(comparison, Sliceable) and comparison.shape[1] > _ITEMS:
        found = _by_stretches(comparison, top)
    else:
        found = [nearest(comparison, block, top) for block in blocks(comparison, top)]
    distances, items = (torch.cat(parts).cpu().numpy() for parts in zip(*found, strict=True))
    return distances.astype(np.float32), items


def _by_stretches(comparison: Sliceable, top: int) -> list[tuple[Tensor, Tensor]]:
    """Find the nearest items of all queries, a stretch of items after another.

    What a stretch adds is only looked for among values that are below the last one found so far,
    which soon are few.
    """
    if top < 1:
        raise InputError(f"top must be at least 1, not {top}")
    queries = torch.split(torch.arange(comparison.shape[0], device=comparison.device), _QUERIES)
    first = comparison.among(0, _ITEMS)
    found = [nearest(first, query, top) for query in queries]
    for start in range(_ITEMS, comparison.shape[1], _ITEMS):
        stretch = comparison.among(start, min(start + _ITEMS, comparison.shape[1]))
        found = [
            _with_nearer(*kept, stretch, query, start, top)
            for kept, query in zip(found, queries, strict=True)
        ]
    return found


def _with_nearer(
    exact: Tensor, items: Tensor, stretch: Comparison, query: Tensor, start: int, top: int
) -> tuple[Tensor, Tensor]:
    """Put what is nearer in a stretch of items among the first ones, which are before it.

    Args:
        exact: float64 (B, K), of the items found so far, ascending.
        items: int64 (B, K).
        stretch: the comparison with the next items.
        query: int64 (B,).
        start: the number of the stretch's first item.
        top: how many are to be found.
    """
    if items.shape[1] < top:  # so few so far that everything is to be found
        more, place = nearest(stretch, query, top)
    else:
        with full_precision(stretch.device):
            row, column = stretch.within(query, exact[:, -1:].float())
        if not len(row):
            return exact, items
        count = torch.bincount(row, minlength=len(query))
        within = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
        more = exact.new_full((len(query), int(count.max())), torch.inf)
        place = items.new_zeros(more.shape)
        more[row, within] = stretch.exact(query[row], column)
        place[row, within] = column
    exact, items = torch.cat([exact, more], 1), torch.cat([items, place + start], 1)
    exact, order = exact.sort(dim=1, stable=True)
    return exact[:, :top], items.gather(1, order)[:, :top]


def blocks(comparison: Comparison, top: int, width: int = 1) -> tuple[Tensor, ...]:
    """Return all queries, int64 (Q,), in blocks small enough for `nearest`.

    Args:
        comparison: of which queries.
        top: how many items are to be found.
        width: how many numbers are needed for each query besides a value of every item.

    Raises:
        InputError: ``top`` below 1.
    """
    if top < 1:
        raise InputError(f"top must be at least 1, not {top}")
    queries = torch.arange(comparison.shape[0], device=comparison.device)
    return torch.split(queries, max(1, _BLOCK // max(comparison.shape[1], width)))


def nearest(
    comparison: Comparison,
    query: Tensor,
    top: int,
    hide: Callable[[Tensor, Tensor], None] | None = None,
    later: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Find the nearest gallery items of some queries; of equally near ones the first.

    Args:
        comparison: what is near.
        query: int64 (B,).
        top: how many to find, K; all where it is more than there are.
        hide: makes values, float32 (B, G), of these queries infinite where not to be found.
        later: given queries and items, int64 of one shape, returns which items, bool, come
            after equally near ones.

    Returns:
        Exact values, float64, infinite where hidden, and gallery rows, int64, both (B, K).
    """
    with full_precision(comparison.device):
        values = comparison.values(query)
    if hide is not None:
        hide(values, query)
    width = min(top, comparison.shape[1])
    last = values.topk(width, largest=False).values[:, -1:]
    # What is within rounding of the last one may belong before it.
    finite = last.masked_fill(last.isinf(), 0)
    reach = last + 2 * comparison.error(query[:, None], finite)
    near = int((values <= reach).sum(1).amax()) if len(query) else width
    items = values.topk(max(width, near), largest=False).indices.sort(1).values
    queries = query[:, None].expand_as(items)
    exact = comparison.exact(queries.flatten(), items.flatten()).view_as(items)
    exact = exact.masked_fill(values.gather(1, items).isinf(), torch.inf)
    if later is not None:
        order = later(queries, items).sort(dim=1, stable=True).indices
        exact, items = exact.gather(1, order), items.gather(1, order)
    exact, order = exact.sort(dim=1, stable=True)
    return exact[:, :top], items.gather(1, order)[:, :top]

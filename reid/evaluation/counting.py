"""How many gallery items are nearer than each true match, without sorting the gallery."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reid.distances import Comparison
from reid.threads import in_threads

_BUCKETS = 2048
_IN_CACHE = 2**17
"""Numbers that a thread sieves at once: half a megabyte."""
_FEW = 16
"""Where fewer than one item in so many may be nearer, each is looked at without sieving."""
_NO_SPAN = np.float32(1e-30)
"""What divides where all bounds are one number; values are far from as many buckets of it."""


@dataclass(frozen=True)
class Block:
    """Some queries, their values, and their true matches, nearest first.

    Attributes:
        comparison: what the values are of.
        query: int64 (B,), the queries.
        values: float32 (B, G); infinite at everything but non-matches, once these are hidden.
        mates: int64 (B, M), the true matches by value, then padding.
        low: float32 (B, M), ascending: below the values of this match and all later ones, as
            far as they are known; infinite at padding.
        high: float32 (B, M), ascending: above the values of this match and all earlier ones.
        farthest: float32 (B, 1): no item above it can be nearer than a true match.
    """

    comparison: Comparison
    query: Tensor
    values: Tensor
    mates: Tensor
    low: Tensor
    high: Tensor
    farthest: Tensor

    @classmethod
    def of(cls, comparison: Comparison, query: Tensor, mates: Tensor, true: Tensor) -> Block:
        """Compute values of all items; int64 (B, M) ``mates`` are matches where ``true``."""
        values = comparison.values(query)
        near = values.gather(1, mates).masked_fill_(~true, torch.inf).sort(1)
        mates, padding = mates.gather(1, near.indices), near.values.isinf()
        queries = query[:, None].expand_as(mates)
        error = comparison.error(queries, near.values.masked_fill(padding, 0), mates)
        low = (near.values - error).flip(1).cummin(1).values.flip(1)
        high = (near.values + error).cummax(1).values
        last = high.masked_fill(padding, -torch.inf).amax(1, keepdim=True)
        farthest = last + 2 * comparison.error(query[:, None], last)
        return cls(comparison, query, values, mates, low, high, farthest)

    def tally(self, row: Tensor, behind: Tensor) -> Tensor:
        """Count items, given how many true matches each is behind: int64 (B, M).

        Item i of query row[i] is nearer than all but behind[i] true matches.
        """
        size, width = self.mates.shape
        counts = torch.bincount(row * (width + 1) + behind, minlength=size * (width + 1))
        return counts.view(size, width + 1).cumsum(1)[:, :-1]


def count_nearer(block: Block) -> Tensor:
    """Count the non-matches that are no farther than each true match.

    Returns:
        int64 (B, M): for the nearest true match, the second nearest and so on, how many
        non-matches are as near or nearer; meaningless beyond the last true match.
    """
    sieve = sieve_in_cache if block.values.device.type == "cpu" else sieve_nothing
    nearer, places = sieve(block)
    row = places // block.values.shape[1]
    item = places - row * block.values.shape[1]
    value = block.values.flatten()[places]
    error = block.comparison.error(block.query[row], value, item)
    behind = _search(block.high, row, value - error)
    # True matches from `behind` to `before` are neither surely nearer nor surely farther.
    before = _search(block.low, row, value + error, right=True)
    sure = behind == before
    nearer += block.tally(row[sure], behind[sure])
    if not sure.all():
        unsure = ~sure
        row, item, behind, before = (side[unsure] for side in (row, item, behind, before))
        nearer += block.tally(row, _exactly_behind(block, row, item, behind, before))
    return nearer


def sieve_nothing(block: Block) -> tuple[Tensor, Tensor]:
    """Leave every item that may be nearer than some true match to be looked at.

    Returns:
        int64 (B, M), zeros; and int64 (P,), places in the flattened block.
    """
    places = (block.values <= block.farthest).flatten().nonzero()[:, 0]
    return torch.zeros_like(block.mates), places


def sieve_in_cache(block: Block) -> tuple[Tensor, Tensor]:
    """Count the items that are clear of every true match, in threads.

    Returns:
        int64 (B, M), how many clear items are nearer than each true match; and int64 (P,),
        the places, in the flattened block, of items to be looked at.
    """
    # An item may be off, too; twice, because its error is taken at a match's value.
    padding = block.high.isinf()
    reach = 2 * block.comparison.error(
        block.query[:, None].expand_as(block.high), block.high.masked_fill(padding, 0)
    )
    sides = (block.values, block.low - reach, block.high + reach, block.farthest)
    values, low, high, farthest = (side.numpy() for side in sides)
    step = max(1, _IN_CACHE // values.shape[1])
    slices = [slice(start, start + step) for start in range(0, len(values), step)]
    sieved = in_threads(
        lambda some: _sieve(values[some], low[some], high[some], farthest[some]), slices
    )
    counts, places = zip(*sieved, strict=True)
    offsets = [some.start * values.shape[1] for some in slices]
    shifted = [some + offset for some, offset in zip(places, offsets, strict=True)]
    return torch.from_numpy(np.concatenate(counts)), torch.from_numpy(np.concatenate(shifted))


Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


def _sieve(values: Floats, low: Floats, high: Floats, farthest: Floats) -> tuple[Places, Places]:
    keep = values <= farthest
    if _FEW * np.count_nonzero(keep) < keep.size:
        return np.zeros(low.shape, np.intp), np.flatnonzero(keep)
    start = low[:, :1]
    span = np.maximum(farthest - start, _NO_SPAN)
    sort = partial(_bucket, start=start, scale=(_BUCKETS - 3) / span)
    first, last = sort(low), sort(high)
    edges = np.zeros((len(values), _BUCKETS + 1), np.intp)
    real = np.isfinite(high)
    rows = np.nonzero(real)[0]
    np.add.at(edges, (rows, first[real]), 1)
    np.add.at(edges, (rows, last[real] + 1), -1)
    # Nothing in a clear bucket is within reach of a true match.
    clear = edges.cumsum(1)[:, :-1] == 0
    buckets = sort(values)
    buckets += _BUCKETS * np.arange(len(values))[:, None]
    counts = np.bincount(buckets.ravel(), minlength=clear.size).reshape(clear.shape) * clear
    nearer = np.take_along_axis(counts.cumsum(1), last, 1)
    return nearer, np.flatnonzero(~clear.ravel().take(buckets))


def _bucket(values: Floats, start: Floats, scale: Floats) -> Places:
    """Number buckets from 0 to `_BUCKETS` - 1; a greater value never has a smaller number."""
    scaled: npt.NDArray[Any] = values - start
    scaled *= scale
    np.clip(scaled, -1, _BUCKETS - 2, out=scaled)
    scaled += 1
    return scaled.astype(np.intp)


def _search(ascending: Tensor, row: Tensor, value: Tensor, right: bool = False) -> Tensor:
    """Return how many numbers of row[i] of ``ascending`` (B, M) are below value[i]: int64 (P,).

    With ``right``, below or equal.
    """
    size, width = ascending.shape
    rows = torch.arange(size, device=row.device)[:, None]
    edges = _ordered(rows, ascending).flatten()
    return torch.searchsorted(edges, _ordered(row, value), right=right) - row * width


def _ordered(row: Tensor, value: Tensor) -> Tensor:
    """Return whole numbers that sort by row, then by value (float32)."""
    bits = (value + 0.0).view(torch.int32)  # minus zero becomes zero
    # Negative numbers' bits descend.
    return row * 2**32 + (bits ^ ((bits >> 31) & 0x7FFFFFFF))


def _exactly_behind(
    block: Block, row: Tensor, item: Tensor, behind: Tensor, before: Tensor
) -> Tensor:
    """Return how many true matches are exactly nearer than each of P non-matches: int64 (P,).

    True matches up to ``behind`` surely are, and from ``before`` surely are not.
    """
    size, width = block.mates.shape
    edges = torch.zeros(size, width + 1, dtype=torch.int64, device=row.device)
    one = torch.ones_like(row)
    edges.index_put_((row, behind), one, accumulate=True)
    edges.index_put_((row, before), -one, accumulate=True)
    concerned = edges.cumsum(1)[:, :-1] > 0
    match_row, place = concerned.nonzero(as_tuple=True)
    rows = torch.cat([row, match_row])
    items = torch.cat([item, block.mates[match_row, place]])
    values = block.comparison.exact(block.query[rows], items)
    # Among equal values, which a stable sort leaves in order, non-matches come first.
    order = values.sort(stable=True).indices
    order = order[rows[order].sort(stable=True).indices]
    is_match = order >= len(row)
    per_row = concerned.sum(1)
    nearer = is_match.cumsum(0) - (per_row.cumsum(0) - per_row)[rows[order]]
    found = torch.empty_like(row)
    found[order[~is_match]] = nearer[~is_match]
    earlier = torch.nn.functional.pad(concerned.cumsum(1), (1, 0))
    return found + behind - earlier[row, behind]

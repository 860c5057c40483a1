"""How sure a mean over queries is: bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError

Values: TypeAlias = "npt.NDArray[np.floating[Any]] | Sequence[float] | pd.Series[float]"


def bootstrap(
    per_query_values: Values,
    groups: Sequence[Any] | None = None,
    n: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean (Efron 1979).

    Queries of one identity succeed and fail together, so intervals over queries are too
    narrow. With ``groups`` whole identities are drawn, each with all its queries, and the
    mean stays the mean over queries.

    Args:
        per_query_values: Q numbers, such as the AP of each query.
        groups: Q identities; without them each query is a draw of its own.
        n: how many times to draw.
        level: the share of draws inside the interval, between 0 and 1.
        seed: same seed, same interval.

    Raises:
        InputError: values and groups that do not fit together, a value that is not
            finite, an empty group, fewer than two groups, or ``n`` or ``level`` out of
            range.
    """
    values = np.asarray(per_query_values, dtype=np.float64)
    units = np.arange(len(values)) if groups is None else pd.factorize(pd.Series(list(groups)))[0]
    if len(units) != len(values):
        raise InputError(f"groups: {len(units)} for {len(values)} values")
    if not np.isfinite(values).all():
        raise InputError(f"values: row {int(np.isfinite(values).argmin())} is not finite")
    if (units < 0).any():
        raise InputError(f"groups: row {int((units < 0).argmax())} is empty")
    counts = np.bincount(units)
    if len(counts) < 2:
        raise InputError(f"an interval needs at least 2 identities or queries, not {len(counts)}")
    if n < 1 or not 0 < level < 1:
        raise InputError(f"n must be at least 1 and level between 0 and 1, not {n} and {level}")
    sums = np.bincount(units, weights=values)
    rng = np.random.default_rng(seed)
    draws = (rng.integers(len(counts), size=len(counts)) for _ in range(n))
    means = [sums[draw].sum() / counts[draw].sum() for draw in draws]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_difference(
    first: Values,
    second: Values,
    groups: Sequence[Any] | None = None,
    n: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval of ``mean(first) - mean(second)`` of two runs on the same queries.

    Paired: each draw takes the same queries of both, so what makes a query hard for both
    cancels. An interval without zero is a difference. Arguments and errors as `bootstrap`.
    """
    if len(first) != len(second):
        raise InputError(f"the runs scored {len(first)} and {len(second)} queries: not the same")
    return bootstrap(np.subtract(first, second), groups, n, level, seed)

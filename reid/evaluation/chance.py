"""What a ranking at random scores in the mean, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError

Counts = npt.NDArray[np.int64]


def chance(matches: npt.ArrayLike, items: npt.ArrayLike) -> pd.DataFrame:
    """Return the expected scores of a gallery in random order, for each of Q queries.

    Every order of a query's n items is equally likely, m of them being true matches:

    - AP, PRN's equation (5): (H + (n - H)(m - 1)/(n - 1)) / n, where H = 1 + 1/2 + ... + 1/n,
      because the item at place k is a match with probability m/n, and another one before it
      with probability (m - 1)/(n - 1) each;
    - a match among the first k: 1 - C(n - m, k)/C(n, k);
    - INP: the mean of m/r, where r, the place of the last match, has probability
      C(r - 1, m - 1)/C(n, m).

    Args:
        matches: m of each query, int, shape (Q,), at least 1.
        items: n of each query, int, shape (Q,), at least m.

    Returns:
        float64 columns ``mAP``, ``rank-1``, ``rank-5`` and ``mINP``, a row per query.

    Raises:
        InputError: a query has no match, or more matches than items.
    """
    pairs = np.stack([np.asarray(matches, np.int64), np.asarray(items, np.int64)], axis=1)
    wrong = (pairs[:, 0] < 1) | (pairs[:, 1] < pairs[:, 0])
    if wrong.any():
        m, n = pairs[int(wrong.argmax())]
        raise InputError(f"matches: {m} among {n} items; chance needs at least one, and no more")
    kinds, which = np.unique(pairs, axis=0, return_inverse=True)
    scores = np.array([_expect(int(m), int(n)) for m, n in kinds]).reshape(-1, 4)
    return pd.DataFrame(scores[which.reshape(-1)], columns=["mAP", "rank-1", "rank-5", "mINP"])


def _expect(m: int, n: int) -> tuple[float, float, float, float]:
    harmonic = float((1 / np.arange(1, n + 1)).sum())
    others = (m - 1) / (n - 1) if n > 1 else 0.0
    precision = (harmonic + (n - harmonic) * others) / n
    return precision, _hit(m, n, 1), _hit(m, n, 5), _penalty(m, n)


def _hit(m: int, n: int, k: int) -> float:
    places: npt.NDArray[Any] = np.arange(min(k, n))
    return float(1 - np.prod(np.maximum(n - m - places, 0) / (n - places)))


def _penalty(m: int, n: int) -> float:
    last = np.arange(n, m - 1, -1)  # from the end, where its probability is m/n
    falls = (last[:-1] - m) / (last[:-1] - 1)
    probability = m / n * np.concatenate([[1.0], np.cumprod(falls)])
    return float((probability * m / last).sum())

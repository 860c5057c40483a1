"""Time `rank` at VeRi-776's shape as a multiple of the bare blocked matrix product.

Run: python benchmarks/evaluate.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from reid.evaluation.rank import rank

QUERIES, GALLERY, DIMENSIONS = 1_678, 11_579, 512
IDENTITIES, CAMERAS, BLOCK = 200, 20, 724


def _seconds(work: Callable[[], object], repeats: int = 5) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    share = rng.dirichlet(np.full(IDENTITIES, 3.0))
    ids = [rng.choice(IDENTITIES, size=size, p=share) for size in (QUERIES, GALLERY)]
    cameras = [rng.integers(CAMERAS, size=size) for size in (QUERIES, GALLERY)]
    centres = rng.standard_normal((IDENTITIES, DIMENSIONS))
    query, gallery = (
        torch.from_numpy(centres[i] + 3 * rng.standard_normal((len(i), DIMENSIONS))).float()
        for i in ids
    )

    def product() -> None:
        for low in range(0, QUERIES, BLOCK):
            query[low : low + BLOCK] @ gallery.T

    bare = _seconds(product)
    ranked = _seconds(lambda: rank(query, gallery, *ids, *cameras))
    sort = _seconds(
        lambda: [(query[i : i + BLOCK] @ gallery.T).sort(1) for i in range(0, QUERIES, BLOCK)], 2
    )
    result = rank(query, gallery, *ids, *cameras)
    print(f"{QUERIES:,} x {GALLERY:,} x {DIMENSIONS}, mAP {result.mAP:.3f}, {torch.__version__}")
    for name, seconds in (("matrix product", bare), ("rank", ranked), ("product and sort", sort)):
        print(f"{name:18}{seconds:8.3f} s{seconds / bare:8.2f} x")


if __name__ == "__main__":
    main()

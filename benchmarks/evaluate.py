"""Time `rank` as a multiple of the bare blocked matrix product, at the public sets' shapes.

    python -m benchmarks.evaluate [--lists FOLDER] [--shapes veri776,veriwild] [--device cpu]

FOLDER holds VeRi-776's list files, whose identities and cameras are then used; otherwise drawn
ones of about the same numbers. Two kinds of embeddings: ``trained`` ones stand around a centre of
their identity; ``random`` ones tell nothing apart, so that the whole gallery has to be counted
before the last true match, which is the worst that can happen. Memory is the peak of the process
above what it held with the embeddings in place.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from annotations.datasets.veri776 import read_names
from benchmarks.memory import peak_above
from reid.evaluation.rank import rank

BLOCK = 2**22
"""Products held at once by the bare product, too."""


@dataclass(frozen=True)
class Shape:
    """Numbers of queries, gallery items, dimensions, identities and cameras.

    ``noise`` is how far trained embeddings are from their identity's centre, for an mAP as trained
    networks have it.
    """

    queries: int
    gallery: int
    dimensions: int
    identities: int
    cameras: int
    noise: float


SHAPES = {
    "veri776": Shape(1_678, 11_579, 2_048, 200, 20, 3.7),
    "veriwild": Shape(10_000, 128_517, 256, 10_000, 174, 1.6),
}


def paired(
    ours: Callable[[], object], bare: Callable[[], object], device: str, repeats: int
) -> tuple[float, float, float]:
    """Run two works in turn and return each one's median time and the median of their ratios.

    A shared machine's speed drifts; what runs side by side meets the same.
    """
    times = np.array([[clock(work, device) for work in (ours, bare)] for _ in range(repeats + 1)])
    times = times[1:] if repeats else times  # the first run does not count
    own, other = np.median(times, 0)
    return float(own), float(other), float(np.median(times[:, 0] / times[:, 1]))


def clock(work: Callable[[], object], device: str) -> float:
    """Return the seconds that a work takes."""
    start = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def truth(shape: Shape, lists: Path | None) -> list[np.ndarray]:
    """Return identities and cameras of queries, then of the gallery."""
    if lists is not None:
        frames = [read_names(lists / f"veri776_name_{side}.txt") for side in ("query", "test")]
        return [frame[name].to_numpy(str) for frame in frames for name in ("identity", "camera")]
    rng = np.random.default_rng(0)
    sizes = (shape.queries, shape.gallery)
    drawn = [
        (rng.integers(shape.identities, size=n), rng.integers(shape.cameras, size=n)) for n in sizes
    ]
    return [values for side in drawn for values in side]


def embeddings(ids: list[np.ndarray], dimensions: int, noise: float) -> list[Tensor]:
    """Return a unit vector for each identity's image: its centre and ``noise`` times as much."""
    random = torch.Generator().manual_seed(0)
    names, codes = np.unique(np.concatenate(ids), return_inverse=True)
    centres = torch.randn(len(names), dimensions, generator=random)
    made = []
    for some in np.split(codes, [len(ids[0])]):
        rows = torch.randn(len(some), dimensions, generator=random).mul_(noise)
        made.append(torch.nn.functional.normalize(rows.add_(centres[torch.from_numpy(some)])))
    return made


def product(query: Tensor, gallery: Tensor) -> None:
    """Multiply all queries with the gallery, a block at a time."""
    step = max(1, BLOCK // len(gallery))
    for low in range(0, len(query), step):
        query[low : low + step] @ gallery.T


def main() -> None:
    """Print a table for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=Path)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {given.device}")
    for name in given.shapes.split(","):
        shape = SHAPES[name]
        known = truth(shape, given.lists if name == "veri776" else None)
        for kind, noise in (("trained", shape.noise), ("random", 1e6)):
            sides = embeddings([known[0], known[2]], shape.dimensions, noise)
            query, gallery = (side.to(given.device) for side in sides)
            ranked = partial(rank, query, gallery, known[0], known[2], known[1], known[3])
            memory, result = peak_above(ranked)
            ours, bare, ratio = paired(
                ranked, partial(product, query, gallery), given.device, given.repeats
            )
            print(
                f"{name:9} {kind:8} mAP {result.mAP:.3f}  product {bare:7.3f} s  rank {ours:7.3f} s"
                f"  {ratio:5.2f} x  {memory / 2**20:6.0f} MiB above the embeddings",
                flush=True,
            )


if __name__ == "__main__":
    main()

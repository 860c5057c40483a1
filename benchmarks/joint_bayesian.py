"""Time fitting Joint Bayesian as a multiple of bare products and decompositions of its size.

    python -m benchmarks.joint_bayesian [--shapes models,identities] [--images 10000]
        [--dimensions 1024] [--tolerance 1e-4] [--iterations 100]

The bare operation is what an iteration could hardly do without if nothing were known of its
structure: one eigen-decomposition of D x D, and one product of all N x D features with a D x D
matrix. It is run before and after fitting, and its median is multiplied by the iterations that
were done. Features are drawn from the model, with identities that differ much in some directions
and little in most, which is what leaves an iteration small after a while. ``models`` has as many
classes as CompCars' classification has models, ``identities`` more than dimensions. Also timed:
scoring as many pairs as there are images, beside two such products.

On a machine whose cores are busy with other work set OMP_NUM_THREADS=1: threads of a BLAS that
wait for each other cost more than they gain.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from reid.verification.joint_bayesian import JointBayesian

CLASSES = {"models": 431, "identities": 2_000}


def features(
    images: int, dimensions: int, classes: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Draw features (N, D) and their classes (N,), whose numbers of images differ."""
    random = np.random.default_rng(0)
    share = random.gamma(2, size=classes)
    drawn = random.choice(classes, images - classes, p=share / share.sum())
    codes = np.concatenate([np.arange(classes), drawn])
    scale = 2 * np.arange(1, dimensions + 1) ** -0.35
    centres = random.normal(size=(classes, dimensions)) * scale
    found = centres[codes] + random.normal(size=(images, dimensions))
    return found.astype(np.float32), codes


def seconds(work: Callable[[], object]) -> float:
    """Run ``work`` once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print a line for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", default="models,identities")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--dimensions", type=int, default=1_024)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--iterations", type=int, default=100)
    given = parser.parse_args()
    threads = os.environ.get("OMP_NUM_THREADS", os.cpu_count())
    print(f"numpy {np.__version__}, {threads} threads, {given.images:,} x {given.dimensions:,}")
    for name in given.shapes.split(","):
        x, codes = features(given.images, given.dimensions, CLASSES[name])
        wide = x.astype(np.float64)
        square = wide.T @ wide
        model = JointBayesian(tolerance=given.tolerance, iterations=given.iterations)
        products = [seconds(lambda: wide @ square) for _ in range(3)]  # noqa: B023
        eigen = [seconds(lambda: np.linalg.eigh(square)) for _ in range(3)]  # noqa: B023
        fitting = seconds(lambda: model.fit(x, codes))  # noqa: B023
        scoring = seconds(lambda: model.score(x, x[::-1]))  # noqa: B023
        products += [seconds(lambda: wide @ square) for _ in range(2)]  # noqa: B023
        eigen += [seconds(lambda: np.linalg.eigh(square)) for _ in range(2)]  # noqa: B023
        product, decomposition = statistics.median(products), statistics.median(eigen)
        bare = model.steps * (product + decomposition)
        print(
            f"{name:10} {CLASSES[name]:5,} classes: fit {fitting:6.2f} s, {model.steps} iterations"
            f" to {model.change:.1e}, {fitting / bare:.3f} x bare {bare:6.2f} s (product"
            f" {product:.2f} s, eigen-decomposition {decomposition:.2f} s);"
            f" {len(model.ratios)} directions; score {scoring:.2f} s,"
            f" {scoring / (2 * product):.2f} x two products",
            flush=True,
        )


if __name__ == "__main__":
    main()

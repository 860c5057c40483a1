"""Time distances between views as a multiple of the bare product of as many dimensions.

    python -m benchmarks.co_occurrence [--shapes evaluate,search] [--distance cpdm] [--device cpu]
        [--noise 1.6] [--items 1000000]

The distance is CPDM (SPAN, equation 5), or ``shared``, EIA-Net's cosine over shared parts.

- evaluate: `rank` with 1,678 queries and 11,579 items of 4 views of 512 dimensions, as VeRi-776 has
  them, against the single-precision product of 2,048 dimensions.
- search: the first 10 of 1,000,000 items of 4 views of 128 dimensions for 1,000 queries, against
  the product of 512 dimensions.

Items stand around centres of identities, ``noise`` times as far from them as these from 0, each
with two or three of its views to be seen: at 1.6 identities hardly part, at 0.8 they do. Memory is
the peak of the process above what it held with the embeddings in place.

CPDM's search is timed with its screen in bf16 and without. What lower bounds rule out is counted on
the last items, given the tenth distances of the first 512 queries: bounds of the screen, and the
weighted distance of view 0 alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from benchmarks.evaluate import paired, product
from benchmarks.memory import peak_above
from reid.distances import VIEWED
from reid.distances.co_occurring import CoOccurring
from reid.distances.euclidean import EUCLIDEAN
from reid.distances.nearest import search
from reid.distances.screen import Screen
from reid.distances.viewed import View, ViewedDistance
from reid.evaluation.rank import rank

VIEWS = 4
SHAPES = {"evaluate": (1_678, 11_579, 512, 200), "search": (1_000, 1_000_000, 128, 50_000)}
"""Queries, items, dimensions of a view, identities."""


def drawn(ids: Tensor, dimensions: int, identities: int, noise: float = 1.6) -> Tensor:
    """Return embeddings of identities: views that are scaled to length one, and area ratios."""
    random = torch.Generator().manual_seed(0)
    centres = torch.randn(identities, VIEWS * dimensions, generator=random)
    made = torch.empty(len(ids), VIEWS * (dimensions + 1))
    for start in range(0, len(ids), 2**14):
        some = slice(start, start + 2**14)
        rows = centres[ids[some]]
        rows += torch.randn(rows.shape, generator=random).mul_(noise)
        views = torch.nn.functional.normalize(rows.view(len(rows), VIEWS, dimensions), dim=2)
        ratios = torch.rand(len(rows), VIEWS, generator=random)
        ratios[torch.rand(ratios.shape, generator=random) < 0.3] = 0
        ratios /= ratios[:, 1:].sum(1, keepdim=True).clamp(min=1e-6)
        ratios[:, 0] = 1
        made[some] = torch.cat([views.flatten(1), ratios], 1)
    return made


def in_stretches(query: Tensor, gallery: Tensor) -> None:
    """Multiply all queries with the gallery, 8,192 items at a time, keeping nothing."""
    for low in range(0, len(query), 512):
        for start in range(0, len(gallery), 2**13):
            query[low : low + 512] @ gallery[start : start + 2**13].T


def first_ten(query: list[View], items: list[View], screened: bool) -> None:
    """Find the first ten items of all queries."""
    search(CoOccurring(query, items, screened=screened), 10)


def left(distance: ViewedDistance, query: Tensor, gallery: Tensor) -> tuple[float, float]:
    """Return shares of pairs that the screen leaves, and that view 0 alone would leave."""
    query = query[:512]
    last = torch.from_numpy(search(distance.compare(query, gallery), 10)[0][:, -1:])
    mine, theirs = (distance.views(side) for side in (query, gallery[-(2**13) :]))
    found = Screen(mine, theirs).within(torch.arange(len(query)), last)
    weights = [
        torch.outer(one.ratios, other.ratios) for one, other in zip(mine, theirs, strict=True)
    ]
    whole = weights[0] * EUCLIDEAN.pairwise(mine[0].features, theirs[0].features)
    near = whole <= last * torch.stack(weights).sum(0)
    return 1.0 if found is None else len(found[0]) / near.numel(), float(near.float().mean())


def main() -> None:
    """Print a line for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--distance", default="cpdm", choices=list(VIEWED))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--noise", type=float, default=1.6)
    parser.add_argument("--items", type=int, help="another number, and as many identities to it")
    given = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {given.device}")
    for name in given.shapes.split(","):
        queries, items, dimensions, identities = SHAPES[name]
        if given.items:
            items, identities = given.items, identities * given.items // items
        random = torch.Generator().manual_seed(1)
        ids = [torch.randint(identities, (count,), generator=random) for count in (queries, items)]
        query, gallery = (
            drawn(some, dimensions, identities, given.noise).to(given.device) for some in ids
        )
        distance = VIEWED[given.distance]([dimensions] * VIEWS)
        width = VIEWS * dimensions
        for side in (query, gallery):  # what is not shown is zeros
            side[:, :width].view(-1, VIEWS, dimensions).mul_((side[:, width:] > 0)[:, :, None])
        plain = [side[:, :width].contiguous() for side in (query, gallery)]
        works: dict[str, Callable[[], object]]
        if name == "evaluate":
            cameras = [np.arange(queries) % 20, np.arange(items) % 20]
            works = {"": partial(rank, query, gallery, *(some.numpy() for some in ids), *cameras,
                                 distance=distance.name)}  # fmt: skip
            bare = partial(product, *plain)
        else:
            works = {"": partial(lambda q, g, by: search(by.compare(q, g), 10), query, gallery,
                                 distance)}  # fmt: skip
            bare = partial(in_stretches, *plain)
            if given.distance == "cpdm" and given.device == "cpu":
                sides = [distance.views(side) for side in (query, gallery)]
                works = {
                    " screened": partial(first_ten, *sides, True),
                    " unscreened": partial(first_ten, *sides, False),
                }
        for words, ours in works.items():
            memory, _ = peak_above(ours)
            own, other, ratio = paired(ours, bare, given.device, given.repeats)
            print(
                f"{name + words:17} product {other:7.2f} s  {given.distance} {own:7.2f} s  "
                f"{ratio:5.2f} x  {memory / 2**20:6.0f} MiB above the embeddings",
                flush=True,
            )
        if len(works) > 1:
            some, whole = left(distance, query, gallery)
            print(f"{name}: bounds leave {some:.4%} of pairs; view 0 alone would {whole:.1%}")


if __name__ == "__main__":
    main()

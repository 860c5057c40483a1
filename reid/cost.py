"""What a network costs at test: parameters, multiply-adds, and its speed on a device."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from annotations.images import Images
from reid.data.locate import Found, locate
from reid.device import autocast, keep_freed_memory, pick_device
from reid.methods import Branches, compares_views, needs_boxes
from reid.models.vectors import Vectors
from reid.parts.located import Located
from reid.run import Run

BATCH = 64
"""Images that go through the network together while its speed is measured."""
SECONDS = 1.5
"""How long, at least, the speed of each network is measured."""


@dataclass(frozen=True)
class Cost:
    """What it takes to embed an image.

    Attributes:
        parameters: numbers that were learned and that the embedding depends on. Classifiers, and
            branches that only training uses, are not among them.
        multiply_adds: of one image, in convolutions and matrix products; twice as many where an
            embedding is the mean with the mirror image's.
        images_per_second: through the network alone, from pixels that lie on the device.
    """

    parameters: int
    multiply_adds: int
    images_per_second: float


def measure_costs(
    runs: Sequence[tuple[Run, Found | None]],
    images: Images,
    *,
    branches: Branches = "global",
    mirror: bool | None = None,
    device: str = "auto",
) -> list[Cost]:
    """Count and time what embedding does, on noise of each recipe's size.

    The networks take turns, so that a drift of the machine's speed hits all of them.

    Args:
        runs: the networks, each with where the parts of ``images`` are; see `reid.embedding.embed`,
            as of the last three.
        images: whose parts are taken, those of the first 64; no file of theirs is read.
        branches: what makes an embedding.
        mirror: whether it is the mean with the mirror image's; None as each recipe says.
        device: ``auto``, ``cpu``, ``cuda``.
    """
    target = pick_device(device)
    keep_freed_memory(target)
    ready = [_Ready.of(run, images, found, branches, mirror, target) for run, found in runs]
    seconds = _in_turn([partial(each.embed, target) for each in ready], target)
    return [
        Cost(each.parameters(branches), each.multiply_adds(), BATCH / taken)
        for each, taken in zip(ready, seconds, strict=True)
    ]


@dataclass(frozen=True)
class _Ready:
    """A network with a batch on its device, and how often an embedding takes it."""

    run: Run
    pixels: Tensor
    where: Located
    passes: int

    @classmethod
    def of(
        cls,
        run: Run,
        images: Images,
        found: Found | None,
        branches: Branches,
        mirror: bool | None,
        target: torch.device,
    ) -> _Ready:
        recipe = run.recipe
        few = images.where(np.arange(len(images)) < BATCH)
        wanted = found if needs_boxes(recipe, branches) else None
        where = locate(wanted, few, recipe.parts.use).take(torch.arange(BATCH) % len(few))
        size = (BATCH, 3, recipe.image.height, recipe.image.width)
        pixels = torch.randint(0, 256, size, dtype=torch.uint8, device=target)
        run.model.to(target).to(memory_format=torch.channels_last)
        twice = recipe.mirror if mirror is None else mirror
        return cls(run, pixels, where.to(target), 2 if twice else 1)

    def embed(self, target: torch.device) -> None:
        with torch.inference_mode(), autocast("auto", target):
            for _ in range(self.passes):
                self.run.model.describe(self.pixels, self.where)

    def one(self) -> Vectors:
        return self.run.model.describe(self.pixels[:1], self.where.take(np.arange(1)))

    def multiply_adds(self) -> int:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            self.one()
        return self.passes * int(counter.get_total_flops()) // 2

    def parameters(self, branches: Branches) -> int:
        """Count the parameters that what is compared depends on."""
        found = self.one()
        compared = [] if branches == "parts" else [found.embedding]
        if branches != "global" or compares_views(self.run.recipe, branches):
            compared.append(found.parts)
        every = [each for each in self.run.model.parameters() if each.requires_grad]
        sums = [vectors.sum() for vectors in compared]
        gradients = torch.autograd.grad(sums, every, allow_unused=True)
        return sum(
            each.numel()
            for each, gradient in zip(every, gradients, strict=True)
            if gradient is not None
        )


def _in_turn(operations: Sequence[Callable[[], None]], target: torch.device) -> list[float]:
    """Return the median seconds of each operation, run one after the other, after a warm-up."""

    def seconds(operation: Callable[[], None]) -> float:
        started = time.perf_counter()
        operation()
        if target.type == "cuda":
            torch.cuda.synchronize(target)
        return time.perf_counter() - started

    for operation in operations:
        seconds(operation)
    rounds: list[list[float]] = []
    while len(rounds) < 2 or sum(map(sum, rounds)) < SECONDS * len(operations):
        rounds.append([seconds(operation) for operation in operations])
    return [statistics.median(taken) for taken in zip(*rounds, strict=True)]

"""What a network costs at test: parameters, multiply-adds, and its speed on a device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode

from annotations.images import Images
from reid.data.locate import Found, locate
from reid.device import autocast, keep_freed_memory, pick_device
from reid.methods import Branches, compares_views, needs_boxes
from reid.models.vectors import Vectors
from reid.parts.located import Located
from reid.recipe import Recipe
from reid.run import Run

BATCH = 64
"""Images that go through the network together while its speed is measured."""
SECONDS = 1.5
"""How long, at least, the speed is measured."""


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


def measure_cost(
    run: Run,
    images: Images,
    boxes: Found | None = None,
    *,
    branches: Branches = "global",
    mirror: bool | None = None,
    device: str = "auto",
) -> Cost:
    """Count and time what embedding does on noise of the recipe's size.

    Args:
        run: the network.
        images: whose parts are taken, those of the first 64; no file of theirs is read.
        boxes: where these parts are; see `reid.embedding.embed`, as of the next three.
        branches: what makes an embedding.
        mirror: whether it is the mean with the mirror image's.
        device: ``auto``, ``cpu``, ``cuda``.
    """
    target = pick_device(device)
    keep_freed_memory(target)
    where = _places(run.recipe, images, boxes, branches).to(target)
    size = (BATCH, 3, run.recipe.image.height, run.recipe.image.width)
    pixels = torch.randint(0, 256, size, dtype=torch.uint8, device=target)
    model = run.model.to(target).to(memory_format=torch.channels_last)
    one = (pixels[:1], where.take(torch.arange(1)))
    passes = 2 if (run.recipe.mirror if mirror is None else mirror) else 1
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.describe(*one)
    with torch.inference_mode(), autocast("auto", target):
        timer = Timer(
            "describe(pixels, where)",
            globals={"describe": model.describe, "pixels": pixels, "where": where},
            num_threads=torch.get_num_threads(),
        )
        seconds = timer.blocked_autorange(min_run_time=SECONDS).median
    return Cost(
        _parameters(run.recipe, branches, list(model.parameters()), model.describe(*one)),
        passes * counter.get_total_flops() // 2,
        BATCH / (passes * seconds),
    )


def _places(recipe: Recipe, images: Images, boxes: Found | None, branches: Branches) -> Located:
    """Return where the parts of a batch of images are, as embedding them is told."""
    few = images.where(np.arange(len(images)) < BATCH)
    wanted = boxes if needs_boxes(recipe, branches) else None
    return locate(wanted, few, recipe.parts.use).take(torch.arange(BATCH) % len(few))


def _parameters(
    recipe: Recipe, branches: Branches, parameters: list[Tensor], found: Vectors
) -> int:
    """Count the parameters that what is compared depends on."""
    compared = [] if branches == "parts" else [found.embedding]
    if branches != "global" or compares_views(recipe, branches):
        compared.append(found.parts)
    gradients = torch.autograd.grad([one.sum() for one in compared], parameters, allow_unused=True)
    return sum(
        each.numel()
        for each, gradient in zip(parameters, gradients, strict=True)
        if gradient is not None
    )

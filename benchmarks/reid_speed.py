"""What parts cost, and how much of the bare network's speed embedding a folder keeps.

    python -m benchmarks.reid_speed [pooling] [maximum] [step] [embedding] [--device cpu]

- pooling: projection and pooling of 8 parts for a batch of 64 (2048 x 16 x 16), forward, against a
  ResNet-50's forward pass on the same batch (64 x 256 x 256).
- maximum: R-MAC of 17 parts, 24 boxes an image, for a batch of 64 (512 x 16 x 16), likewise.
- step: a PRN training step against the plain network's (same backbone, batch and losses).
- embedding: images per second from JPEG files to embeddings, against the network alone on
  batches that are ready in memory.

Every ratio is of medians taken in turn in one process, so that a drift of the machine's speed
hits both sides.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from annotations.images import Images
from reid.data.dataset import Batch
from reid.device import autocast
from reid.embedding import embed
from reid.methods import build_criterion, build_model
from reid.parts.located import Located
from reid.parts.maximum import maximum_over_parts
from reid.parts.pooling import average_over_parts
from reid.parts.projection import mark_cells
from reid.recipe import Recipe, parse_recipe
from reid.run import Run

Timed = Callable[[], object]


def in_turn(
    first: Timed,
    second: Timed,
    rounds: int,
    device: str,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, float]:
    """Return the median seconds of two operations, run alternately after a warm-up."""

    def seconds(operation: Timed) -> float:
        started = clock()
        operation()
        if device == "cuda":
            torch.cuda.synchronize()
        return clock() - started

    for operation in (first, second, first, second):
        seconds(operation)
    pairs = [(seconds(first), seconds(second)) for _ in range(rounds)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def recipe(name: str, side: int, parts: bool, stride: int = 32) -> Recipe:
    """Make a recipe without start weights."""
    use = ["window", "light", "brand"] if parts else []
    return parse_recipe(
        {
            "backbone": {"name": name, "weights": None, "output_stride": stride},
            "image": {"height": side, "width": side},
            "parts": {"use": use},
        },
        name,
    )


def random_boxes(images: int, slots: int, device: str) -> torch.Tensor:
    """Return (images, slots, 4) boxes."""
    corners = torch.rand(images, slots, 2, 2, device=device).sort(2).values
    return corners.flatten(2)


def pooling(device: str, peaks: bool = False) -> None:
    """Print the cost of projection and pooling, of averages or of R-MAC."""
    torch.manual_seed(0)
    network = build_model(recipe("resnet50", 256, True), 10, start=False).backbone.to(device).eval()
    network = network.to(memory_format=torch.channels_last)
    images = torch.randint(0, 255, (64, 3, 256, 256), dtype=torch.uint8, device=device)
    channels, slots, num_parts = (512, 24, 17) if peaks else (2048, 12, 8)
    boxes = random_boxes(64, slots, device)
    parts = torch.randint(-1, num_parts, (64, slots), device=device)
    features = torch.randn(64, channels, 16, 16, device=device)
    features = features.to(memory_format=torch.channels_last)
    target = torch.device(device)

    def pool(given: torch.Tensor) -> object:
        if peaks:
            return maximum_over_parts(given, boxes, parts, num_parts)
        return average_over_parts(given, mark_cells(boxes, parts, num_parts, (16, 16)))

    with torch.inference_mode(), autocast("auto", target):
        half = features.bfloat16() if torch.is_autocast_enabled(target.type) else features
        small, whole = in_turn(
            lambda: pool(half), lambda: network(images), 5 if device == "cpu" else 50, device
        )
    print(f"{'R-MAC of' if peaks else 'pooling'} {num_parts} parts {1e3 * small:.2f} ms, "
          f"ResNet-50 forward {1e3 * whole:.1f} ms: ratio {small / whole:.4f}")  # fmt: skip


def training_step(parts: bool, name: str, side: int, stride: int, size: int, device: str) -> Timed:
    """Return one whole step, of PRN or of the plain network."""
    torch.manual_seed(0)
    chosen = recipe(name, side, parts, stride)
    slots = 4 if parts else 0
    images = torch.randint(0, 255, (size, 3, side, side), dtype=torch.uint8, device=device)
    labels = torch.arange(size, device=device) // 2
    boxes = random_boxes(size, slots, device)
    numbers = torch.tensor([0, 1, 1, 2], device=device)[:slots].expand(size, slots)
    where = Located.by_boxes(boxes, numbers)
    batch = Batch(images, where, labels, labels)
    model = build_model(chosen, 576, start=False).to(device).train()
    model = model.to(memory_format=torch.channels_last)
    criterion = build_criterion(chosen).to(device)
    optimiser = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)

    def operation() -> None:
        with autocast("auto", torch.device(device)):
            terms = criterion(model(images, where), batch)
            loss = torch.stack(list(terms.values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return operation


def step(device: str) -> None:
    """Print the cost of a PRN training step over the plain network's."""
    slow = device == "cpu"
    for case in (("tf_efficientnet_lite0", 128, 16, 64), ("resnet50", 256, 32, 16 if slow else 64)):
        prn, plain = (training_step(parts, *case, device) for parts in (True, False))
        ours, bare = in_turn(prn, plain, 5 if slow else 30, device)
        label = f"training step, {case[0]} at {case[1]}, batch {case[3]}"
        print(f"{label}: PRN {1e3 * ours:.0f} ms, plain {1e3 * bare:.0f} ms: {ours / bare:.3f}")


def crops(folder: Path, count: int) -> Images:
    """Write JPEG crops of 60 to 240 pixels."""
    random = np.random.default_rng(0)
    names = [f"{number}.jpg" for number in range(count)]
    for name in names:
        coarse = random.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        width, height = (int(side) for side in random.integers(60, 241, 2))
        Image.fromarray(coarse).resize((width, height)).save(folder / name)
    return Images(pd.DataFrame({"image": names}), folder)


def embed_against_network(name: str, side: int, images: Images, device: str) -> None:
    """Print one line of the embedding benchmark."""
    chosen = recipe(name, side, True)
    run = Run(build_model(chosen, 10, start=False).eval(), chosen, (), "", Path())
    size = 32 if device == "cpu" else 256
    batch = torch.randint(0, 255, (size, 3, side, side), dtype=torch.uint8, device=device)
    where = Located.nowhere(size).to(device)
    model = run.model.to(device).to(memory_format=torch.channels_last)

    def network_alone() -> None:
        with torch.inference_mode(), autocast("auto", torch.device(device)):
            for _ in range(len(images) // size):
                model.describe(batch, where).embedding.cpu()

    def files_to_vectors() -> None:
        embed(run, images, device=device, batch=size, progress=False)

    files, alone = in_turn(files_to_vectors, network_alone, 5, device)
    count = len(images)
    print(f"embedding, {name} at {side}: files {count / files:.0f}/s, network alone "
          f"{count / alone:.0f}/s: {alone / files:.1%}")  # fmt: skip


def embedding(device: str) -> None:
    """Print how much of the network's speed is kept over a folder of JPEG crops."""
    count = 1024 if device == "cpu" else 16384
    with tempfile.TemporaryDirectory() as folder:
        images = crops(Path(folder), count)
        few = images.where(np.arange(count) < (192 if device == "cpu" else count))
        embed_against_network("resnet50", 256, few, device)
        embed_against_network("tf_efficientnet_lite0", 128, images, device)


def main() -> None:
    """Run the parts named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    timed = {
        "pooling": pooling,
        "maximum": partial(pooling, peaks=True),
        "step": step,
        "embedding": embedding,
    }
    parser.add_argument("what", nargs="*", default=list(timed))
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    for name in given.what:
        timed[name](given.device)


if __name__ == "__main__":
    main()

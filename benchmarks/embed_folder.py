"""Embedding a folder, JPEG files to embeddings: a plain PyTorch loop, and every engine.

    python -m benchmarks.embed_folder [--networks tf_efficientnet_lite0:128,resnet50:256]
                                      [--images 3000] [--engines torch,openvino] [--device auto]

The plain loop is how extractors are mostly written: each image is decoded and resized by Pillow,
made a normalised float32 tensor, and batches of 32 go through the network. ``bare`` is an engine on
batches that are ready in memory. Everything is measured in turn in one process, medians of the
rounds; a folder of few images for a slow network.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from annotations.images import Images
from benchmarks.reid_speed import crops, recipe
from engines.choice import ENGINES, SINGLE, TORCH
from reid.data.dataset import InputReader
from reid.data.locate import locate
from reid.device import keep_freed_memory, pick_device
from reid.embedding import embed
from reid.engine_choice import Sample, using
from reid.methods import build_model
from reid.passes import Passes
from reid.run import Run

BATCH = 32
SHARE = {"resnet50": 0.1}
"""Of the images, for networks that take many times as long."""


def plain(run: Run, images: Images, side: int, device: torch.device) -> None:
    """Embed as a plain loop does."""
    model = run.model
    backbone = model.backbone
    mean, std = (torch.as_tensor(v).view(3, 1, 1) / 255 for v in (backbone.mean, backbone.std))
    mean, std = mean.cpu(), std.cpu()
    batch: list[torch.Tensor] = []
    for number, path in enumerate(images.paths, 1):
        with Image.open(path) as image:
            resized = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(resized)).permute(2, 0, 1).float() / 255
        batch.append((pixels - mean) / std)
        if len(batch) == BATCH or number == len(images):
            with torch.no_grad():
                model.reduce(backbone.maps(torch.stack(batch).to(device))).mean((2, 3)).cpu()
            batch = []


def seconds(operation: Callable[[], object], device: torch.device) -> float:
    """Time an operation once."""
    started = time.perf_counter()
    operation()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def compare(name: str, side: int, folder: Path, given: argparse.Namespace) -> None:
    """Print a table of one network."""
    device = pick_device(given.device)
    keep_freed_memory(device)
    torch.manual_seed(0)
    chosen = recipe(name, side, parts=False)
    images = crops(folder, max(4 * BATCH, round(given.images * SHARE.get(name, 1))))
    run = Run(build_model(chosen, 576, start=False).eval(), chosen, (), name, Path(name))
    other = replace(run, model=copy.deepcopy(run.model).to(device))
    model = run.model.to(device).to(memory_format=torch.channels_last)
    passes = Passes(chosen, model, "global", None, device, "auto")
    where = locate(None, images, ())
    sample = Sample(images.paths, where, InputReader((side, side)), BATCH)
    pixels = torch.randint(0, 256, (BATCH, 3, side, side), dtype=torch.uint8, device=device)
    nowhere = where.take(np.arange(BATCH)).to(device)
    batches = -(-len(images) // BATCH)
    names = [one for one in given.engines if one not in ENGINES or not ENGINES[one].lacks(device)]
    times: dict[str, list[float]] = {}
    for _ in range(given.rounds):
        took = seconds(lambda: plain(other, images, side, device), device)
        times.setdefault("plain", []).append(took)
        for engine in names:
            with torch.inference_mode(), using(engine, passes, sample, name, len(images)):
                passes(pixels, nowhere)
                bare = seconds(
                    lambda: [passes(pixels, nowhere)[0].cpu() for _ in range(batches)], device
                )
            whole = seconds(
                lambda engine=engine: embed(  # type: ignore[misc]
                    run, images, device=given.device, engine=engine, progress=False
                ),
                device,
            )
            times.setdefault(f"{engine} bare", []).append(bare * len(images) / (batches * BATCH))
            times.setdefault(engine, []).append(whole)
    rate = {key: len(images) / statistics.median(values) for key, values in times.items()}
    table = Table("engine", "bare images/s", "folder images/s", "folder / bare", "folder / plain")
    table.add_row("plain loop", "", f"{rate['plain']:.0f}", "", "1.00")
    for engine in names:
        bare, whole = rate[f"{engine} bare"], rate[engine]
        table.add_row(
            engine, f"{bare:.0f}", f"{whole:.0f}", f"{whole / bare:.2f}",
            f"{whole / rate['plain']:.2f}",
        )  # fmt: skip
    where_run = f"{device}, {torch.get_num_threads()} threads"
    Console().print(f"{name} at {side}, {len(images)} images, {where_run}", table)


def main() -> None:
    """Compare on every network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", default="tf_efficientnet_lite0:128,resnet50:256")
    parser.add_argument("--engines", default=f"{TORCH},{SINGLE},openvino,onnx")
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    given.engines = given.engines.split(",")
    for network in given.networks.split(","):
        name, side = network.split(":")
        with tempfile.TemporaryDirectory() as folder:
            compare(name, int(side), Path(folder), given)


if __name__ == "__main__":
    main()

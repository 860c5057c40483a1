"""How much of the bare network's speed `detect_parts` keeps over a folder of images.

Run: ``python benchmarks/detect_folder.py [--images 1500] [--size 320] [--device cpu]``.
The bare network gets the same letterboxed batches, ready in memory, in the same precision.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from annotations.images import Images
from annotations.vocabulary import load_vocabulary
from detection.card import DetectorCard
from detection.detect import detect_parts
from detection.detector import Detector
from detection.precision import choose_device
from detection.settings import DetectorSettings
from detection.yolo import tasks


def draw_crops(folder: Path, count: int) -> Images:
    """Write JPEG crops of 60 to 240 pixels, with the texture of a photograph."""
    generator = np.random.default_rng(0)
    names = [f"{number:05d}.jpg" for number in range(count)]
    for name in names:
        coarse = generator.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        size = tuple(int(side) for side in generator.integers(60, 241, 2))
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(folder / name)
    return Images(pd.DataFrame({"image": names}), folder)


def make_detector(size: int, device: str | None) -> Detector:
    """Build an untrained yolo11n: speed does not depend on what it learned."""
    vocabulary = load_vocabulary("prn")
    model = tasks.DetectionModel("yolo11n.yaml", nc=len(vocabulary.parts), verbose=False)
    settings = DetectorSettings(weights="yolo11n.yaml", image_size=size)
    card = DetectorCard(
        vocabulary=vocabulary,
        settings=settings,
        trained_on={},
        boxes="",
        held_out={},
        unreadable={},
    )
    return Detector(card, model, choose_device(device))


def bare_speed(detector: Detector, size: int, batch: int, images: int) -> float:
    """Return images per second of the forward pass alone."""
    pixels = torch.randint(0, 256, (batch, size, size, 3), dtype=torch.uint8)
    batches = max(images // batch, 1)
    with torch.inference_mode():
        for _ in range(3):
            detector.forward(pixels)
        start = time.perf_counter()
        for _ in range(batches):
            scores = detector.forward(pixels)[1]
        scores.sum().item()  # waits for a GPU
    return batches * batch / (time.perf_counter() - start)


def folder_speed(detector: Detector, images: Images, out: Path, batch: int) -> float:
    """Return images per second of the whole job, from files to the written tables."""
    start = time.perf_counter()
    detect_parts(detector, images, out, batch=batch, redo=True, progress=False)
    return len(images) / (time.perf_counter() - start)


def main() -> None:
    """Measure both in turn, several times, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1500)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device")
    options = parser.parse_args()
    detector = make_detector(options.size, options.device)
    table = Table("round", "bare images/s", "folder images/s", "ratio")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = draw_crops(folder, options.images)
        for number in range(1, options.rounds + 1):
            bare = bare_speed(detector, options.size, options.batch, options.images)
            whole = folder_speed(detector, images, folder / "out", options.batch)
            table.add_row(str(number), f"{bare:.0f}", f"{whole:.0f}", f"{whole / bare:.2f}")
    Console().print(f"{detector.device}, {options.size} px, batch {options.batch}", table)


if __name__ == "__main__":
    main()

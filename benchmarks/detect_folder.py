"""How much of the bare network's speed `detect_parts` keeps over a folder, and ultralytics' own.

    python -m benchmarks.detect_folder [--images 1500] [--size 320] [--device cpu]
                                       [--engines torch,openvino] [--detector DIR --labels SET]

The bare network gets the same letterboxed batches, ready in memory. ``yolo predict`` is
ultralytics' own prediction over the folder with the same weights, size and thresholds, as its
command does it, without writing pictures, and with as many threads as it takes by itself, one less
than there are processors; image by image, its default, and in the same batches. With a trained
detector and a labelled set, AP50 of either's boxes on the images that it never trained on.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from ultralytics import YOLO

from annotations.images import Images
from annotations.labels import LabelledSet
from annotations.vocabulary import load_vocabulary
from detection.card import DetectorCard
from detection.detect import detect_parts
from detection.detector import COLUMNS, Detector
from detection.engine_choice import computing_by
from detection.evaluate import evaluate_detector
from detection.precision import choose_device
from detection.scores import score_boxes
from detection.settings import DetectorSettings, DetectSettings
from detection.yolo import tasks
from engines.choice import TORCH

LOW = DetectSettings(confidence=0.001)
"""As average precision is measured."""


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


def bare_speed(detector: Detector, size: int, batch: int, images: int, engine: str) -> float:
    """Return images per second of the forward pass alone."""
    pixels = torch.randint(0, 256, (batch, size, size, 3), dtype=torch.uint8)
    batches = max(images // batch, 1)
    with torch.inference_mode(), computing_by(engine, detector, size, batch):
        for _ in range(3):
            detector.forward(pixels)
        start = time.perf_counter()
        for _ in range(batches):
            scores = detector.forward(pixels)[1]
        scores.sum().item()  # waits for a GPU
    return batches * batch / (time.perf_counter() - start)


def folder_speed(
    detector: Detector, images: Images, out: Path, batch: int, engine: str, settings: DetectSettings
) -> float:
    """Return images per second of the whole job, from files to the written tables."""
    start = time.perf_counter()
    detect_parts(
        detector, images, out, settings, batch=batch, redo=True, engine=engine, progress=False
    )
    return len(images) / (time.perf_counter() - start)


def predicted(
    weights: Path, images: Images, size: int, batch: int, device: str, settings: DetectSettings
) -> tuple[pd.DataFrame, float]:
    """Return ultralytics' own boxes, and images per second."""
    model = YOLO(weights)
    names = {
        str(path): name for path, name in zip(images.paths, images.frame["image"], strict=True)
    }
    model.predict(str(images.paths[0]), imgsz=size, device=device, verbose=False)
    start = time.perf_counter()
    rows = []
    for found in model.predict(
        [str(path) for path in images.paths], imgsz=size, batch=batch, device=device, stream=True,
        conf=settings.confidence, iou=settings.overlap, verbose=False,
    ):  # fmt: skip
        corners = found.boxes.xyxyn.cpu().numpy()
        for place, part, score in zip(
            corners, found.boxes.cls.tolist(), found.boxes.conf.tolist(), strict=True
        ):
            rows.append((names[found.path], found.names[int(part)], *place, score))
    rate = len(images) / (time.perf_counter() - start)
    torch.set_num_threads(os.cpu_count() or 1)  # ultralytics has changed it
    return pd.DataFrame(rows, columns=COLUMNS), rate


def agreement(given: argparse.Namespace) -> None:
    """Print AP50 of our boxes and of ultralytics' on images held out of the training."""
    labels = LabelledSet.read(given.labels)
    detector = Detector.load(given.detector, given.device)
    size = detector.side(LOW)
    parts = [name for name in detector.vocabulary.names if name in labels.labelled]
    table = Table("boxes", *parts, "mean")
    for engine in given.engines:
        with computing_by(engine, detector, size, given.batch):
            ours = evaluate_detector(detector, labels, LOW, batch=given.batch, progress=False)
        table.add_row(f"ours, {engine}", *(f"{value:.4f}" for value in ours.table["AP50"]))
    held = labels.images.frame["image"].isin(ours.truth["image"])
    theirs, _ = predicted(
        given.detector / DetectorCard.WEIGHTS, labels.images.where(held), size, 1, given.device, LOW
    )
    scores = score_boxes(theirs, ours.truth, parts)
    table.add_row("yolo predict", *(f"{value:.4f}" for value in scores["AP50"]))
    Console().print(f"AP50 on {int(held.sum())} images held out, {size} px", table)


def main() -> None:
    """Measure everything in turn, several times, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1500)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--engines", default=f"{TORCH},openvino")
    parser.add_argument("--detector", type=Path, help="a trained detector; else an untrained one")
    parser.add_argument("--labels", type=Path, help="a labelled set, for AP50")
    given = parser.parse_args()
    given.engines = given.engines.split(",")
    torch.set_num_threads(os.cpu_count() or 1)
    detector = Detector.load(given.detector, given.device) if given.detector else None
    detector = detector or make_detector(given.size, given.device)
    size = detector.side(LOW) if given.detector else given.size
    usual = DetectSettings()
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = draw_crops(folder, given.images)
        weights = given.detector / DetectorCard.WEIGHTS if given.detector else None
        for _ in range(given.rounds):
            for batch in (1, given.batch) if weights else ():
                _, rate = predicted(weights, images, size, batch, given.device, usual)
                rates.setdefault(f"yolo predict, batches of {batch}", []).append(rate)
            for engine in given.engines:
                bare = bare_speed(detector, size, given.batch, given.images, engine)
                whole = folder_speed(detector, images, folder / "out", given.batch, engine, usual)
                rates.setdefault(f"{engine}, network alone", []).append(bare)
                rates.setdefault(f"{engine}, folder", []).append(whole)
    table = Table("what", "images/s, median", "lowest", "highest")
    for what, found in rates.items():
        table.add_row(what, *(f"{f(found):.0f}" for f in (statistics.median, min, max)))
    threads = torch.get_num_threads()
    Console().print(f"{given.images} crops, {size} px, {given.device}, {threads} threads", table)
    if given.labels:
        agreement(given)


if __name__ == "__main__":
    main()

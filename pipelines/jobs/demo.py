"""Every job in order on the built-in sample, and a report of it."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from annotations.datasets import read_images
from annotations.images import Images
from pipelines.jobs import whole
from pipelines.jobs.detector import boxes_at, vocabulary_of
from pipelines.jobs.sheet import make_sheet
from pipelines.report import Section, write_report
from pipelines.tables import say, written

_SHOWN = 16


def demo(work: Path, device: str) -> Path:
    """Draw the sample, detect its parts, train, evaluate, search, and write ``report.html``."""
    started = time.monotonic()
    folder = work / "sample"
    say("1 of 3: part detector, part boxes")
    whole.detect_parts(None, None, None, [], False, work, device)
    detected = time.monotonic()
    say("2 of 3: re-identification network")
    run, evaluation = whole.train_reid(None, None, [], work, device)
    trained = time.monotonic()
    say("3 of 3: gallery search")
    page = whole.retrieve(None, None, None, None, 10, work, device)
    finished = time.monotonic()
    images = read_images(folder / "data")
    boxes = boxes_at(folder / "parts")
    test = images.split("query")
    shown = Images(test.frame.head(_SHOWN), test.root, test.source)
    sections = [
        Section(
            "Parts found",
            "A YOLO part detector, trained from scratch on labels of half the training images. "
            "The table is on labelled images that it was not trained on; the picture shows what it "
            "finds on test images.",
            table=pd.read_csv(folder / "detector" / "scores.csv"),
            picture=make_sheet(shown, boxes, vocabulary_of(boxes)),
            seconds=detected - started,
        ),
        Section(
            "Vehicles recognised",
            "PRN trained on the cached part boxes; at test the global branch alone decides. "
            + (evaluation.protocol.capitalize() + "." if evaluation else ""),
            table=evaluation.table if evaluation else None,
            links=(("recipe in full", run.source / "recipe.yaml"),),
            seconds=trained - detected,
        ),
        Section(
            "Gallery searched",
            "Every query image against the gallery, with the ten nearest images.",
            links=(("rank lists", page), ("results.csv", page.with_name("results.csv"))),
            seconds=finished - trained,
        ),
    ]
    report = work / "report.html"
    write_report(
        report,
        "partreid on its built-in sample",
        f"{images.frame['identity'].nunique()} drawn vehicles, {len(images)} images, two cameras.",
        sections,
    )
    written(report, "report:")
    return report

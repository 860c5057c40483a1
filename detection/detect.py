"""Running a detector once over every image of a table."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.progress import Progress

from annotations.boxes import DETECTOR, NAMES, Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.pixels import ImageError, read_image
from annotations.reading import in_batches
from detection.cache import BoxCache, changed, file_states
from detection.detector import Detector
from detection.letterbox import Letterboxed, letterbox
from detection.settings import DetectSettings

KEEP_EVERY = 5.0
"""Seconds between two writings of what is finished: what a kill can cost."""


@dataclass(frozen=True)
class DetectReport:
    """What a run of `detect_parts` did.

    Attributes:
        boxes: the boxes of the table's images; ``boxes.parquet`` also keeps those of images
            looked at before that are not in this table.
        problems: columns ``image`` and ``problem``, a row per image that cannot be read.
        detected: images looked at in this run.
        reused: images whose boxes were there already.
        parts: per part ``boxes`` and, as a share of the readable images, ``images``.
    """

    boxes: Boxes
    problems: pd.DataFrame
    detected: int
    reused: int
    parts: pd.DataFrame


def detect_parts(
    detector: Detector,
    images: Images,
    out: Path,
    settings: DetectSettings | None = None,
    *,
    redo: bool = False,
    batch: int = 32,
    workers: int | None = None,
    progress: bool = True,
) -> DetectReport:
    """Detect the parts in every image, looking only at images that are new or changed.

    Writes into ``out``: ``boxes.parquet`` (`Boxes`; its metadata has the detector's hash, the
    vocabulary and the settings), ``images.parquet`` (each file's size, time, number of boxes
    and problem) and ``problems.csv``. A run that was killed goes on where it stopped.

    Args:
        detector: the detector.
        images: the images.
        out: the folder of the cached boxes.
        settings: which boxes to report.
        redo: forget what ``out`` holds.
        batch: images a forward pass.
        workers: threads that decode images; by default one per processor.
        progress: show a progress bar.

    Raises:
        InputError: ``out`` holds boxes of another detector or other settings, or no image
            can be read.
    """
    settings = settings or DetectSettings()
    detector.check(settings)
    cache = BoxCache(out, _about(detector, settings))
    if redo:
        cache.clear()
    known, boxes = cache.read()
    states = file_states(images)
    todo = states[changed(states, known)]
    paths = [images.root / name for name in todo["image"]]
    prepare = Prepare(detector.side(settings))
    with Progress(disable=not progress, transient=True) as bar:
        task = bar.add_task("detecting parts", total=len(todo))
        pending: list[tuple[pd.DataFrame, pd.DataFrame]] = []
        kept = time.monotonic()
        starts = range(0, len(todo), batch)
        batches = in_batches(prepare, paths, batch, workers=workers)
        for start, prepared in zip(starts, batches, strict=True):
            rows = todo.iloc[start : start + batch]
            pending.append(_detect_batch(detector, rows, prepared, settings))
            bar.advance(task, len(rows))
            if time.monotonic() - kept > KEEP_EVERY or start + batch >= len(todo):
                cache.add(*_concatenate(pending))
                pending, kept = [], time.monotonic()
    known, boxes = cache.read()
    cache.write(known, boxes)
    now = states[["image"]].merge(known, on="image", how="left")
    if now["problem"].notna().all():
        raise InputError(f"{images.source}: no image can be read; {now['problem'].iloc[0]}")
    mine = boxes.frame["image"].isin(states["image"])
    boxes = Boxes(boxes.frame[mine], boxes.about, boxes.source)
    return DetectReport(
        boxes=boxes,
        problems=now.loc[now["problem"].notna(), ["image", "problem"]].reset_index(drop=True),
        detected=len(todo),
        reused=len(states) - len(todo),
        parts=_coverage(detector, boxes, int(now["problem"].isna().sum())),
    )


@dataclass(frozen=True)
class Prepare:
    """Reads an image and letterboxes it; an unreadable one becomes its problem, a text."""

    side: int

    def __call__(self, path: Path) -> Letterboxed | str:
        """Return the image in its square of ``side`` pixels, or why it cannot be read."""
        try:
            return letterbox(read_image(path), self.side)
        except ImageError as error:
            return str(error)


def _detect_batch(
    detector: Detector,
    rows: pd.DataFrame,
    prepared: list[Letterboxed | str],
    settings: DetectSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows with their problems, and the boxes found."""
    problems = [square if isinstance(square, str) else None for square in prepared]
    states = rows.assign(problem=pd.array(problems, dtype="string"))
    readable = states.loc[states["problem"].isna(), "image"].to_numpy()
    squares = [square for square in prepared if not isinstance(square, str)]
    found = detector.detect_letterboxed(squares, settings)
    names = readable[found["image"].to_numpy(dtype=int)]
    return states, found.assign(image=names, source=DETECTOR)[NAMES]


def _concatenate(
    batches: list[tuple[pd.DataFrame, pd.DataFrame]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    states, boxes = zip(*batches, strict=True)
    return pd.concat(states, ignore_index=True), pd.concat(boxes, ignore_index=True)


def _about(detector: Detector, settings: DetectSettings) -> dict[str, Any]:
    return {
        "detector": detector.hash,
        "vocabulary": detector.vocabulary.record(),
        "settings": settings.model_dump(mode="json") | {"image_size": detector.side(settings)},
    }


def _coverage(detector: Detector, boxes: Boxes, readable: int) -> pd.DataFrame:
    by_part = boxes.frame.groupby("part")["image"]
    table = pd.DataFrame({"boxes": by_part.size(), "images": by_part.nunique() / readable})
    table = table.reindex(pd.Index(detector.vocabulary.names, name="part"), fill_value=0)
    return table.astype({"boxes": "int64"}).reset_index()

"""Running a detector once over every image of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from annotations.boxes import DETECTOR, NAMES, Boxes
from annotations.cache import BoxCache
from annotations.images import Images
from annotations.looking import look_once
from annotations.pixels import ImageError, read_image
from detection.detector import Detector
from detection.engine_choice import using
from detection.letterbox import Letterboxed, letterbox
from detection.settings import DetectSettings
from engines.choice import TORCH, engine_named


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
    engine: str = TORCH,
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
        engine: what computes the network, see `engines.choice.NAMES`; ``auto`` measures those
            that are installed where there are thousands of images, and takes the fastest that
            agrees with single precision.
        progress: show a progress bar.

    Raises:
        InputError: ``out`` holds boxes of another detector or other settings, or no image
            can be read.
    """
    settings = settings or DetectSettings()
    detector.check(settings)
    engine_named(engine, detector.device)  # before anything is forgotten
    side = detector.side(settings)
    prepare = Prepare(side)
    looked = look_once(
        BoxCache(out, _about(detector, settings)),
        images,
        prepare,
        lambda squares: _find(detector, squares, settings),
        doing="detecting parts",
        redo=redo,
        batch=batch,
        workers=workers,
        progress=progress,
        readied=lambda paths: using(engine, detector, paths, prepare, side, batch),
    )
    mine = looked.found.frame["image"].isin(images.frame["image"])
    boxes = Boxes(looked.found.frame[mine], looked.found.about, looked.found.source)
    readable = len(images) - len(looked.problems)
    return DetectReport(
        boxes=boxes,
        problems=looked.problems,
        detected=looked.looked_at,
        reused=looked.reused,
        parts=_coverage(detector, boxes, readable),
    )


def detect_few(detector: Detector, images: Images, settings: DetectSettings | None = None) -> Boxes:
    """Detect the parts in a few images at once, and keep nothing on disk.

    Args:
        detector: the detector.
        images: the images, one forward pass; one that cannot be read has no boxes.
        settings: which boxes to report.
    """
    settings = settings or DetectSettings()
    detector.check(settings)
    prepare = Prepare(detector.side(settings))
    prepared = zip(images.frame["image"], map(prepare, images.paths), strict=True)
    squares = [(name, one) for name, one in prepared if not isinstance(one, str)]
    found = _find(detector, [one for _, one in squares], settings)
    names = [squares[place][0] for place in found["image"].astype(int)]
    return Boxes(found.assign(image=names), _about(detector, settings), "parts of a few images")


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


def _find(
    detector: Detector, squares: Sequence[Letterboxed], settings: DetectSettings
) -> pd.DataFrame:
    found = detector.detect_letterboxed(list(squares), settings)
    return found.assign(source=DETECTOR)[NAMES]


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

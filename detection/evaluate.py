"""How well a detector finds the parts of a labelled set that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.progress import track

from annotations.errors import InputError
from annotations.labels import LabelledSet
from annotations.reading import in_batches
from detection.card import digest
from detection.detect import Prepare
from detection.detector import Detector
from detection.scores import score_boxes
from detection.settings import DetectSettings

LOWEST_CONFIDENCE = 0.001


@dataclass(frozen=True)
class DetectorScores:
    """How a detector did.

    Attributes:
        table: columns ``part``, ``precision``, ``recall``, ``AP50``, ``AP50-95`` and ``boxes``
            (labelled ones); a row per labelled part, and ``all``: the mean over the parts
            that have boxes, and the sum of boxes.
        images: images counted.
        trained_on: images left out because the detector was trained on them.
        problems: one line per image left out because it cannot be read.
        found: every box found at the lowest confidence on the images counted: columns ``image``,
            ``part``, ``x1 y1 x2 y2``, ``score``.
        truth: the true boxes of the images counted, as in the set.
    """

    table: pd.DataFrame
    images: int
    trained_on: int
    problems: list[str]
    found: pd.DataFrame
    truth: pd.DataFrame


def evaluate_detector(
    detector: Detector,
    labels: LabelledSet,
    settings: DetectSettings | None = None,
    *,
    batch: int = 32,
    progress: bool = True,
) -> DetectorScores:
    """Compare a detector's boxes with the labels, as EIA-Net's Table 1 does.

    Images run through exactly what `detect_parts` runs, at a confidence of 0.001 and without
    a limit per part. Average precision is the area under the precision envelope, read at 101
    recalls as COCO does; precision and recall are those at the one confidence whose F1,
    averaged over the parts, is best. Images that the detector was trained on, known by their
    content, are left out. So are parts that the set does not label: there a box may be right.

    Args:
        detector: the detector.
        labels: images and true boxes.
        settings: overlap and image size; the confidences are not used.
        batch: images a forward pass.
        progress: show a progress bar.

    Raises:
        InputError: no image or no part is left to evaluate on.
    """
    settings = (settings or DetectSettings()).model_copy(
        update={"confidence": LOWEST_CONFIDENCE, "confidences": {}}
    )
    names = [name for name in detector.vocabulary.names if name in labels.labelled]
    if not names:
        raise InputError(
            f"{labels.images.source}: labels {', '.join(sorted(labels.labelled))}, but the "
            f"detector finds {', '.join(detector.vocabulary.names)}: no part in common"
        )
    unseen = _unseen(detector, labels)
    found, problems = _predict(detector, unseen, settings, batch, progress)
    if len(problems) == len(unseen):
        raise InputError(
            f"{labels.images.source}: no image can be read; {next(iter(problems.values()))}"
        )
    truth = unseen.boxes.frame
    truth = truth[~truth["image"].isin(list(problems))]
    return DetectorScores(
        table=score_boxes(found, truth, names),
        images=len(unseen) - len(problems),
        trained_on=len(labels) - len(unseen),
        problems=list(problems.values()),
        found=found,
        truth=truth,
    )


def _unseen(detector: Detector, labels: LabelledSet) -> LabelledSet:
    seen = set(detector.card.trained_on.values())
    fresh = [
        name
        for name, path in zip(labels.images.frame["image"], labels.images.paths, strict=True)
        if not path.is_file() or digest(path) not in seen
    ]
    if not fresh:
        raise InputError(
            f"{labels.images.source}: the detector was trained on all {len(labels)} images; "
            f"evaluate on others, or train with 'hold_out'"
        )
    return labels.only(fresh)


def _predict(
    detector: Detector, labels: LabelledSet, settings: DetectSettings, batch: int, progress: bool
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the boxes of the images that can be read, and the problems of the others."""
    prepare = Prepare(detector.side(settings))
    names = labels.images.frame["image"].to_numpy()
    problems: dict[str, str] = {}
    frames = []
    starts = range(0, len(names), batch)
    for start, prepared in zip(
        track(starts, "evaluating detector", disable=not progress, transient=True),
        in_batches(prepare, labels.images.paths, batch),
        strict=True,
    ):
        squares = dict(zip(names[start : start + batch], prepared, strict=True))
        problems |= {name: s for name, s in squares.items() if isinstance(s, str)}
        readable = {name: s for name, s in squares.items() if not isinstance(s, str)}
        found = detector.detect_letterboxed(list(readable.values()), settings, capped=False)
        of = np.array(list(readable), dtype=object)[found["image"].to_numpy(dtype=int)]
        frames.append(found.assign(image=of))
    return pd.concat(frames, ignore_index=True), problems

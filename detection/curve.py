"""The learning curve of a part detector: how well it does with fewer labelled images.

Every size is trained for the same number of steps. With equal epochs a small set would see fewer
steps, and a curve that rises might only say that the detector had not been trained for long enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.errors import InputError
from annotations.labels import LabelledSet
from annotations.pixels import find_unreadable
from annotations.stats import count_parts
from detection.card import digests
from detection.evaluate import DetectorScores, evaluate_detector
from detection.settings import DetectorSettings
from detection.train import train_detector

SIZES = (50, 100, 200)
HOLD_OUT = 0.2
"""The share of the images that a curve tests on, where nothing else is asked for."""


@dataclass(frozen=True)
class Step:
    """One size of a curve.

    Attributes:
        labels: the training images; those of a smaller size are among them.
        settings: how to train on them, holding nothing out.
        batches: training steps: as near to those of the largest size as whole epochs allow.
    """

    labels: LabelledSet
    settings: DetectorSettings
    batches: int


@dataclass(frozen=True)
class CurvePlan:
    """What a curve trains and tests on.

    Attributes:
        steps: from the smallest to the largest size, all images.
        testing: the held-out images, the same for every size.
        left_out: what was wrong with each image that cannot be read, and the images of the
            training side that are, byte for byte, one of the held-out images.
    """

    steps: tuple[Step, ...]
    testing: LabelledSet
    left_out: tuple[str, ...]


def plan_curve(
    labels: LabelledSet, settings: DetectorSettings, sizes: Sequence[int] = SIZES
) -> CurvePlan:
    """Draw the held-out images and the nested training sets; nothing is trained.

    The last size is always all images that are left; sizes that are not below it are dropped.
    ``settings.epochs`` is that of the last size.

    Args:
        labels: the labelled set.
        settings: how to train; ``hold_out`` says how many images to test on, and ``seed``
            which, and in what order the others come in.
        sizes: numbers of training images.

    Raises:
        InputError: a size below 1, nothing or too much held out, no size below all images,
            no box among the images of the smallest size or among those held out.
    """
    wanted = sorted(set(sizes))
    if not wanted or wanted[0] < 1:
        raise InputError("sizes: give numbers of images, each at least 1, such as 50,100,200")
    readable, problems = _readable(labels)
    pool, testing = readable.hold_out(settings.hold_out, settings.seed)
    kept_out = set(digests(testing.images).values())
    codes = digests(pool.images)
    same = [name for name, code in codes.items() if code in kept_out]
    names = np.sort([name for name in codes if name not in set(same)])
    source = labels.images.source
    if len(names) <= wanted[0]:
        raise InputError(
            f"{source}: a curve from {wanted[0]} images needs more than these to train on, and "
            f"{len(names)} of {len(labels)} are left beside {len(testing)} held out; give smaller "
            f"sizes, hold out fewer, or label more"
        )
    if not len(testing.boxes):
        raise InputError(f"{source}: no held-out image has a box; hold out more")
    order = np.random.default_rng(settings.seed).permutation(names)
    counts = [size for size in wanted if size < len(names)] + [len(names)]
    most = _batches(counts[-1], settings.batch) * settings.epochs
    steps = tuple(_step(pool.only(order[:count]), settings, most) for count in counts)
    if not len(steps[0].labels.boxes):
        raise InputError(f"{source}: none of the {counts[0]} images of the smallest size has a box")
    twins = [f"{name}: the same file as a held-out image" for name in same]
    return CurvePlan(steps, testing, (*problems, *twins))


def _readable(labels: LabelledSet) -> tuple[LabelledSet, list[str]]:
    names = list(labels.images.frame["image"])
    found = list(find_unreadable(labels.images.paths))
    good = [name for name, problem in zip(names, found, strict=True) if problem is None]
    problems = [problem for problem in found if problem is not None]
    if not good:
        raise InputError(f"{labels.images.source}: no image can be read; {problems[0]}")
    return labels.only(good), problems


def _batches(images: int, batch: int) -> int:
    return math.ceil(images / batch)


def _step(labels: LabelledSet, settings: DetectorSettings, most: int) -> Step:
    each = _batches(len(labels), settings.batch)
    epochs = max(1, round(most / each))
    changed = settings.model_copy(update={"epochs": epochs, "hold_out": 0.0})
    return Step(labels, changed, each * epochs)


def train_curve(
    plan: CurvePlan,
    out: Path,
    *,
    device: str | None = None,
    redo: bool = False,
    progress: bool = True,
) -> dict[int, DetectorScores]:
    """Train and test a detector of each size, in ``out/SIZE``; finished ones are only loaded.

    Args:
        plan: from `plan_curve`.
        out: the folder of the detectors.
        device: such as ``cpu`` or ``cuda:0``; by default a GPU where there is one.
        redo: replace trainings with other labels or settings.
        progress: show progress bars.

    Returns:
        The scores by number of training images, from few to many.

    Raises:
        InputError: a size's folder holds a training with other labels or settings, or there is
            nothing to start from.
    """
    scores = {}
    for step in plan.steps:
        size = len(step.labels)
        detector = train_detector(
            step.labels, out / str(size), step.settings, device=device, redo=redo, progress=progress
        )
        scores[size] = evaluate_detector(detector, plan.testing, progress=progress)
    return scores


def curve_table(plan: CurvePlan, scores: dict[int, DetectorScores]) -> pd.DataFrame:
    """Put a curve into one table.

    Returns:
        Columns ``size``, ``epochs``, ``batches``, ``part`` (``all`` is the mean), ``images`` (of
        these that show the part), ``AP50`` and ``boxes`` (held-out ones).
    """
    tables = []
    for step in plan.steps:
        size = len(step.labels)
        showing = count_parts(step.labels).set_index("part")["images"]
        showing["all"] = size
        table = scores[size].table[["part", "AP50", "boxes"]]
        tables.append(
            table.assign(
                size=size,
                epochs=step.settings.epochs,
                batches=step.batches,
                images=showing[table["part"]].to_numpy(),
            )
        )
    columns = ["size", "epochs", "batches", "part", "images", "AP50", "boxes"]
    return pd.concat(tables, ignore_index=True)[columns]

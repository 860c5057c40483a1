"""Trainings under one budget, each leaving its scores, so that a stopped comparison goes on."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from annotations.errors import InputError
from annotations.files import read_text, whole_folder
from annotations.images import Images
from reid.data.locate import Found
from reid.device import pick_device
from reid.evaluation.report import evaluate
from reid.methods import Branches, needs_boxes
from reid.recipe import Recipe
from reid.run import Run
from reid.training.fit import fit

_SCORES, _ABOUT = "per_query.csv", "training.json"


@dataclass(frozen=True)
class Trial:
    """A network to train and test.

    Attributes:
        labels: what tells it from the others, such as its row and seed; columns of the results.
        recipe: what to train.
        branches: what is compared at test.
    """

    labels: Mapping[str, str | int]
    recipe: Recipe
    branches: Branches = "global"

    @property
    def name(self) -> str:
        """The name of its folder, such as ``full-seed0``."""
        return "-".join(
            value if isinstance(value, str) else f"{key}{value}"
            for key, value in self.labels.items()
        )

    def finished(self, folder: Path) -> Path | None:
        """Return the folder of its scores, or None where it has not finished."""
        done = folder / "runs" / self.name
        return done if (done / _SCORES).is_file() else None


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    log = logging.getLogger(name)
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


def train(
    trial: Trial,
    images: Images,
    boxes: Found | None,
    folder: Path,
    device: str,
    workers: int,
    progress: bool = False,
) -> Run:
    """Train a trial, or go on with it, in its own folder below ``folder``."""
    with _quiet("reid.training.fit"):  # a line per part and training; they are kept as notes.txt
        return fit(
            trial.recipe,
            images,
            boxes if trial.recipe.parts.use else None,
            folder / "training" / trial.name,
            device=device,
            workers=workers,
            progress=progress,
        )


Score = Callable[[Run, Path], None]
"""Tests a trained network and writes its scores into a folder, among them ``per_query.csv``."""


def by_rank(images: Images, boxes: Found | None, branches: Branches, device: str) -> Score:
    """Return the scoring of a re-identification: every query against the gallery.

    Args:
        images: with the splits query and gallery.
        boxes: boxes to test with, not filled; used where the embedding is made of parts.
        branches: what is compared.
        device: ``auto``, ``cpu``, ``cuda``.
    """

    def score(run: Run, folder: Path) -> None:
        used = boxes if needs_boxes(run.recipe, branches) else None
        evaluate(run, images, used, branches=branches, device=device, progress=False).write(folder)

    return score


def run_trial(
    trial: Trial,
    images: Images,
    boxes: Found | None,
    score: Score,
    folder: Path,
    *,
    run: Run | None = None,
    device: str = "auto",
    workers: int = 2,
) -> None:
    """Train and test a network, and leave its scores in ``folder``; the network is removed.

    A training that was stopped goes on; a trial that has finished is left alone.

    Args:
        trial: what to do.
        images: with the split train.
        boxes: boxes to train with; not needed without parts.
        score: how it is tested.
        folder: gets ``runs/NAME/`` with what ``score`` writes, ``notes.txt`` and
            ``training.json``: labels, device and this call's seconds.
        run: the network, where it is trained already; it stays.
        device: ``auto``, ``cpu``, ``cuda``.
        workers: processes that read images in training.
    """
    if trial.finished(folder):
        return
    started, kept = time.monotonic(), run
    run = run or train(trial, images, boxes, folder, device, workers)
    with whole_folder(folder / "runs" / trial.name) as aside:
        score(run, aside)
        shutil.copy(run.source / "notes.txt", aside)
        about = {
            **trial.labels,
            "device": pick_device(device).type,
            "seconds": round(time.monotonic() - started, 1),
        }
        (aside / _ABOUT).write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    if kept:
        return
    shutil.rmtree(run.source)
    with suppress(OSError):  # the last one leaves no empty folder
        run.source.parent.rmdir()


def seconds_of(trial: Trial, folder: Path) -> float:
    """Return how long a finished trial took."""
    return float(json.loads(read_text(folder / "runs" / trial.name / _ABOUT))["seconds"])


def collect(trials: Iterable[Trial], folder: Path) -> pd.DataFrame:
    """Return the scores of every query, or pair, in every finished trial.

    Returns:
        the trials' labels, then the columns that were written: of a re-identification ``image``,
        ``identity``, ``camera`` and those of `reid.evaluation.rank.Ranking.per_query`; a row per
        trial and query.

    Raises:
        InputError: none has finished.
    """
    frames = []
    for trial in trials:
        if done := trial.finished(folder):
            scores = pd.read_csv(done / _SCORES, dtype={"identity": str, "camera": str})
            for place, (name, value) in enumerate(trial.labels.items()):
                scores.insert(place, name, value)
            frames.append(scores)
    if not frames:
        raise InputError(f"{folder}: no training has finished")
    return pd.concat(frames, ignore_index=True)

"""Fitting a part detector to labelled sets."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.progress import Progress

from annotations.boxes import CORNERS
from annotations.errors import InputError
from annotations.files import write_text
from annotations.labels import LabelledSet
from annotations.pixels import find_unreadable
from detection.card import DetectorCard, digests
from detection.detector import Detector
from detection.pool import by_image, hold_out, looked_for, pooled_vocabulary
from detection.precision import choose_device, low_precision
from detection.settings import DetectorSettings
from detection.start import Start, find_start
from detection.trainer import PartTraining
from detection.yolo import load_checkpoint

log = logging.getLogger(__name__)

CLOSING_SHARE = 0.2
"""The share of the last epochs that see whole photographs instead of mosaics."""


def train_detector(
    labels: LabelledSet | Sequence[LabelledSet],
    out: Path,
    settings: DetectorSettings,
    *,
    device: str | None = None,
    redo: bool = False,
    progress: bool = True,
) -> Detector:
    """Train a detector of the parts that ``labels`` label.

    Several sets may label different parts: the detector finds all of them, and on a set's images
    it is not taught that the parts which the set did not look for are absent. The same
    photograph may be in several sets, and images of two sets may have the same name.

    Writes ``weights.pt``, ``detector.json`` (see `DetectorCard`) and ``training.csv`` (a row
    per epoch: losses and learning rates) into ``out``. The weights are the moving average at
    the last epoch: nothing is chosen on the held-out images. A run that was killed goes on
    from its last finished epoch when called again with the same labels and settings; a
    finished one is only loaded.

    Args:
        labels: one labelled set, or several of one vocabulary; unreadable images are left out
            and listed in ``detector.json``.
        out: the detector's folder.
        settings: how to train.
        device: such as ``cpu`` or ``cuda:0``; by default a GPU where there is one.
        redo: replace a training with other labels or settings.
        progress: show a progress bar.

    Raises:
        InputError: no box to learn from, sets of two vocabularies, nothing to start from, or
            ``out`` holds another run.
    """
    sets = [labels] if isinstance(labels, LabelledSet) else list(labels)
    vocabulary = pooled_vocabulary(sets)
    if not any(len(each.boxes) for each in sets):
        raise InputError(f"{sets[0].boxes.source}: no box to train a detector on")
    readable, unreadable = zip(*(_readable(each) for each in sets), strict=True)
    training, held_out = hold_out(readable, settings.hold_out, settings.seed)
    card = DetectorCard(
        vocabulary=vocabulary,
        settings=settings,
        sets=looked_for(sets),
        trained_on=by_image([digests(each.images) for each in training]),
        boxes=_boxes_digest(training),
        held_out=by_image([digests(each.images) for each in held_out]),
        unreadable=by_image(unreadable),
    )
    if redo:
        (out / DetectorCard.FILE).unlink(missing_ok=True)
        shutil.rmtree(out / ".training", ignore_errors=True)
    if (out / DetectorCard.FILE).exists():
        detector = Detector.load(out, device)
        _demand_same(out, _identity(detector.card), _identity(card))
        return detector
    run = out / ".training"
    last = run / "weights" / "last.pt"
    start = None if last.exists() else find_start(settings)
    _begin(run, out, _identity(card))
    if not _finished(last, settings.epochs):
        with Progress(disable=not progress, transient=True) as bar:
            steps = -(-sum(map(len, training)) // settings.batch) * settings.epochs
            done = _finished_epochs(last) * steps // settings.epochs
            task = bar.add_task("training detector", total=steps, completed=done)
            PartTraining(
                training,
                vocabulary,
                settings,
                _overrides(settings, start, run, choose_device(device)),
                on_step=lambda: bar.advance(task),
            ).train()  # type: ignore[no-untyped-call]
    _keep(run, out, card)
    return Detector.load(out, device)


def _readable(labels: LabelledSet) -> tuple[LabelledSet, dict[str, str]]:
    names = list(labels.images.frame["image"])
    found = dict(zip(names, find_unreadable(labels.images.paths), strict=True))
    problems = {name: problem for name, problem in found.items() if problem is not None}
    if len(problems) == len(names):
        raise InputError(f"{labels.images.source}: no image can be read; {problems[names[0]]}")
    for problem in problems.values():
        log.warning("left out of training: %s", problem)
    return labels.only([name for name in names if name not in problems]), problems


def _boxes_digest(sets: Sequence[LabelledSet]) -> str:
    code = hashlib.sha256()
    for each in sets:
        frame = each.boxes.frame.sort_values(["image", "part", *CORNERS], ignore_index=True)
        code.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return code.hexdigest()


def _identity(card: DetectorCard) -> dict[str, Any]:
    """Say what a run is about: two runs with the same identity are one."""
    include = {"vocabulary", "trained_on", "boxes"} | ({"sets"} if card.sets else set())
    about = card.model_dump(mode="json", include=include)
    return {**card.settings.model_dump(mode="json"), **about}


def _demand_same(out: Path, there: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    other = [key for key in wanted if there.get(key) != wanted[key]]
    if other:
        raise InputError(
            f"{out}: holds a training with other {', '.join(sorted(other))}; train into another "
            f"folder, or start over with --redo"
        )


def _begin(run: Path, out: Path, identity: dict[str, Any]) -> None:
    state = run / "identity.json"
    if state.exists():
        _demand_same(out, json.loads(state.read_text("utf-8")), identity)
    else:
        write_text(state, json.dumps(identity))


def _finished_epochs(last: Path) -> int:
    return int(load_checkpoint(last)[1]["epoch"]) + 1 if last.exists() else 0


def _finished(last: Path, epochs: int) -> bool:
    return _finished_epochs(last) >= epochs


def _overrides(
    settings: DetectorSettings, start: Start | None, run: Path, device: torch.device
) -> dict[str, Any]:
    """Say in ultralytics' words what to do; without ``start``, go on from the checkpoint."""
    workers = min(8, os.cpu_count() or 1)
    here = {"save_dir": str(run), "device": str(device), "workers": workers}
    if start is None:
        return {**here, "resume": str(run / "weights" / "last.pt")}
    return {
        **here,
        "model": start.architecture,
        "pretrained": str(start.weights) if start.weights else False,
        # Ultralytics' check of fp16 wants a weights file from the network; bf16 has no check.
        "amp": "bf16"
        if device.type == "cuda" and low_precision(device) is torch.bfloat16
        else False,
        "imgsz": settings.image_size,
        "epochs": settings.epochs,
        "batch": settings.batch,
        "seed": settings.seed,
        "mosaic": settings.mosaic,
        "close_mosaic": round(CLOSING_SHARE * settings.epochs),
        "scale": settings.scale,
        "translate": settings.translate,
        "degrees": settings.rotate,
        "fliplr": 0.0,  # MirrorParts does it
        "patience": 0,
        "plots": False,
        "verbose": False,
    }


def _keep(run: Path, out: Path, card: DetectorCard) -> None:
    """Move what lasts from the run's folder to the detector's; the card comes last."""
    model, _ = load_checkpoint(run / "weights" / "last.pt")
    # Only what inference needs, and no date or path: equal weights give an equal hash.
    model.model[-1]._forward_hooks.clear()
    model.args, model.pt_path, model.criterion = {}, "", None
    card.write(out, model.half())
    shutil.copyfile(run / "results.csv", out / "training.csv")
    shutil.rmtree(run)

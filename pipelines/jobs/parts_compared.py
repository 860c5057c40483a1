"""Part evidence of a search: who compares the parts of what is shown, and whether anybody can."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from pipelines.jobs.part_boxes import detect_in, detector_for, named_as
from pipelines.tables import say
from reid.data.locate import Found
from reid.methods import Branches
from reid.retrieval.evidence import SHOWN, Comparer, ListEvidence, compare_lists, without_parts
from reid.retrieval.page import queries_shown
from reid.run import Run
from reid.verification.calibration import Calibration

_HOW = "give --boxes of queries and gallery, or --detector"


def comparer_for(
    run: Run,
    boxes: Found | None,
    detector: Path | None,
    images: int | None,
    branches: Branches,
    out: Path,
    device: str,
) -> Comparer | str:
    """Return what compares parts; or one line on why nothing does, empty where none is wanted.

    Args:
        run: the network.
        boxes: of queries and of gallery images; None to look for them with a detector.
        detector: that detector; None for the one beside the run where ``images`` is said.
        images: of each list that are wanted; None for `SHOWN` where boxes or a detector are given.
        branches: that the galleries were made by.
        out: folder for boxes found.
        device: ``auto``, ``cpu``, ``cuda``.

    Raises:
        InputError: images are wanted, and cannot be had.
    """
    if images == 0:
        return ""
    why = without_parts(run)
    given = isinstance(boxes, Boxes) or detector is not None
    if not why and not given:
        place = detector_for(run, None, branches) if images else None
        why = "" if place else f"no part boxes are known; {_HOW}"
        detector = place
    if why:
        if images:
            raise InputError(f"--evidence: {why}")
        return why
    if isinstance(boxes, Boxes):
        known = boxes
        _warn_of_another(run, str(known.about.get("detector", "")))
        return Comparer(run, lambda images: named_as(known, images), device=device)
    assert detector is not None
    place = detector_for(run, detector, branches)
    assert place is not None

    def look(images: Images) -> Boxes:
        found = detect_in(place, images, out, device)
        _warn_of_another(run, str(found.about.get("detector", "")))
        return found

    return Comparer(run, look, device=device)


def compare_found(
    comparer: Comparer | str, found: pd.DataFrame, queries: Images, images: int | None
) -> ListEvidence | str:
    """Compare the parts of the lists that the page shows, and say what that took.

    Args:
        comparer: of `comparer_for`.
        found: what a search found.
        queries: its queries.
        images: of each list; None for `SHOWN`.

    Returns:
        The evidence; or one line on why there is none.

    Raises:
        InputError: images are wanted, and cannot be compared.
    """
    if isinstance(comparer, str):
        return comparer
    start = time.perf_counter()
    try:
        made = compare_lists(comparer, found, queries_shown(found, queries), images or SHOWN)
    except InputError as error:
        if images:
            raise
        return str(error)
    say(
        f"parts of {len(made.rows):,} matches compared: {made.compared.passes:,} images through "
        f"the network in {time.perf_counter() - start:.1f} s (--evidence 0 spares that)"
    )
    return made


def _warn_of_another(run: Run, detector: str) -> None:
    """Say that curves were learned on another detector's boxes."""
    if not (run.source / Calibration.FILE).is_file():
        return
    if detector != Calibration.read(run.source).detector:
        say("the boxes are not of the detector that the run was calibrated with: what parts say "
            "may be off")  # fmt: skip

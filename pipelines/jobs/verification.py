"""Judging pairs of images: the same or not, how surely, and what their parts say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.table import write_table
from pipelines.jobs.calibrated_runs import calibrated_run
from pipelines.jobs.pairs_asked import PairsAsked
from pipelines.jobs.part_boxes import boxes_of, detect_in, detector_for, named_as
from pipelines.report.pairs_page import write_pairs_page
from pipelines.tables import say, show, written
from reid.explain.says import absence
from reid.run import Run
from reid.verification.calibration import Calibration
from reid.verification.described import describe
from reid.verification.judgement import Judgements, judge


def verify(
    asked: PairsAsked,
    run: Path | None,
    boxes: Path | None,
    detector: Path | None,
    out: Path,
    work: Path,
    device: str,
) -> Judgements:
    """Judge pairs, print what is found, and write ``results.csv`` and ``results.html``.

    Args:
        asked: the pairs.
        run: the run's folder; None for the one calibrated run beneath ``work``.
        boxes: part boxes, or None.
        detector: finds the parts where no boxes are given; None for the one beside the run.
        out: folder for results and for boxes found.
        work: folder that holds every job's output.
        device: ``auto``, ``cpu``, ``cuda``.

    Raises:
        InputError: something given is wrong, or no pair can be judged.
    """
    if boxes is not None and detector is not None:
        raise InputError("--detector: finds boxes, and --boxes are given; give one of the two")
    folder = run or calibrated_run(work)
    if run is None:
        say(f"run: {folder}")
    calibration = Calibration.read(folder)
    loaded = Run.load(folder)
    calibration.require_model(loaded)
    found = _boxes(loaded, calibration, asked, boxes, detector, out, device)
    described = describe(
        loaded, asked.images, found, branches=calibration.branches, device=device,
        progress=len(asked) > 1,
    )  # fmt: skip
    for problem in described.embedded.problems:
        say(problem)
    frame = asked.frame
    judged = judge(calibration, described, list(frame["first"]), list(frame["second"]))
    if judged.table["same"].isna().all():
        raise InputError("no pair can be judged: each has an image that cannot be read")
    right = pd.Series(pd.NA, index=frame.index, dtype="boolean")
    if "same" in frame:
        right = judged.table["same"] == frame["same"]
    if len(judged) == 1:
        _tell(judged, calibration)
    else:
        _count(judged, calibration)
    if len(told := right.dropna()):
        say(f"accuracy {told.mean():.3f}: {int(told.sum())} of {len(told)} pairs right")
    table = _results(judged, frame, right)
    write_table(table, out / "results.csv")
    page = out / "results.html"
    write_pairs_page(page, judged, right, asked.images, found, loaded, calibration)
    written(out / "results.csv", "table:")
    written(page, "page:")
    return judged


def _boxes(
    run: Run,
    calibration: Calibration,
    asked: PairsAsked,
    boxes: Path | None,
    detector: Path | None,
    out: Path,
    device: str,
) -> Boxes | None:
    found = None
    if boxes is not None:
        found = named_as(boxes_of(run, boxes), asked.images)
    elif place := detector_for(run, detector, calibration.branches):
        found = detect_in(place, asked.images, out, device)
    elif run.recipe.parts.use:
        say("judged without parts: give --detector or --boxes to see what each of them says")
    made_by = "" if found is None else str(found.about.get("detector", ""))
    if found is not None and made_by != calibration.detector:
        say("the boxes are not of the detector that the run was calibrated with: what parts say "
            "may be off")  # fmt: skip
    return found


def _tell(judged: Judgements, calibration: Calibration) -> None:
    """Print one pair."""
    pair = judged.table.iloc[0]
    say(
        f"{calibration.question}: {'yes' if pair['same'] else 'no'}, probability "
        f"{pair['probability']:.2f} (distance {pair['distance']:.3g})"
    )
    rows = []
    for place, (name, curve) in enumerate(calibration.parts.items()):
        said, away = judged.evidence.says[0, place], absence(*judged.evidence.seen[0, place])
        verdict = away or ("for" if said > 0 else "against" if said < 0 else "nothing")
        if not away and not curve.slope:
            verdict = "nothing: told nothing apart where it was learned"
        rows.append(
            {"part": name, "distance": judged.evidence.distances[0, place],
             "log-odds": float("nan") if away else said, "says": verdict}
        )  # fmt: skip
    if judged.evidence.seen.any():
        show(pd.DataFrame(rows), "what each part says by itself; the answer is the whole's")
    if pair["note"]:
        say(pair["note"])


def _count(judged: Judgements, calibration: Calibration) -> None:
    """Print how many pairs are judged how."""
    same = judged.table["same"]
    say(
        f"{calibration.question}: {int(same.sum())} yes, {int((~same).sum())} no, "
        f"{int(same.isna().sum())} unreadable"
    )


def _results(judged: Judgements, frame: pd.DataFrame, right: pd.Series[bool]) -> pd.DataFrame:
    whole = judged.table.astype({"same": "Int64"})
    if "same" in frame:
        words = right.map({True: "right", False: "wrong"})
        whole = whole.assign(truth=frame["same"].astype("Int64"), judged=words)
    told = judged.evidence
    says = pd.DataFrame(told.says, columns=[f"log-odds {part}" for part in told.parts])
    return pd.concat([whole, says], axis=1)

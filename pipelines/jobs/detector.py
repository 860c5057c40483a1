"""Training, testing and running the part detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.files import whole_file
from annotations.labels import LabelledSet
from annotations.vocabulary import Vocabulary, built_in_vocabularies, load_vocabulary
from detection.detect import detect_parts
from detection.detector import Detector
from detection.evaluate import DetectorScores, evaluate_detector
from detection.fill import fill_boxes
from detection.settings import DetectorSettings, DetectSettings
from detection.train import train_detector
from engines.choice import AUTO
from pipelines.settings import change
from pipelines.tables import say, show, written


def _device(name: str) -> str | None:
    return None if name == "auto" else name


def boxes_at(path: Path) -> Boxes:
    """Read a boxes file, or the one in a box cache's folder."""
    if path.is_dir():
        if not (path / "boxes.parquet").is_file():
            raise InputError(f"{path}: no boxes.parquet in it; run 'partreid parts detect'")
        path = path / "boxes.parquet"
    return Boxes.read(path)


def vocabulary_of(boxes: Boxes) -> Vocabulary:
    """Return the vocabulary that a boxes file remembers, else the one that has its parts."""
    stored = boxes.about.get("vocabulary")
    if isinstance(stored, dict):
        return Vocabulary.from_record(stored)
    named = set(boxes.frame["part"])
    for name in reversed(built_in_vocabularies()):
        known = load_vocabulary(name)
        if named <= set(known.names) and not known.viewpoints:  # views have masks
            return known
    raise InputError(
        f"{boxes.source}: no built-in vocabulary has all of its parts ({', '.join(sorted(named))})"
    )


def train(
    labels: Sequence[Path], out: Path, settings: list[str], device: str, redo: bool = False
) -> Detector:
    """Train a detector on one or several labelled sets, and test it on what each held out."""
    if LabelledSet.is_at(out):
        raise InputError(
            f"{out}: is a labelled set; the last folder named is the one to write the detector to"
        )
    sets = [LabelledSet.read(folder) for folder in labels]
    chosen = change(DetectorSettings, settings)
    detector = train_detector(sets, out, chosen, device=_device(device), redo=redo)
    written(out, "detector:")
    if chosen.hold_out:
        _test_each(detector, dict(zip(map(str, labels), sets, strict=True)), out / "scores.csv")
    return detector


def _test_each(detector: Detector, sets: dict[str, LabelledSet], out: Path) -> None:
    """Test a detector on each set, on the parts that the set looked for."""
    tables = []
    for name, labels in sets.items():
        scores = evaluate_detector(detector, labels)
        _show_scores(scores, f" of {name}" if len(sets) > 1 else "")
        tables.append(scores.table.assign(labels=name)[["labels", *scores.table]])
    table = pd.concat(tables, ignore_index=True)
    _write_scores(table if len(sets) > 1 else table.drop(columns="labels"), out)


def evaluate(detector: Path, labels: Path, device: str) -> None:
    """Test a detector on the labelled images that it has not seen."""
    loaded = Detector.load(detector, _device(device))
    scores = evaluate_detector(loaded, LabelledSet.read(labels))
    _show_scores(scores)
    _write_scores(scores.table, detector / f"scores-{labels.resolve().name}.csv")


def _show_scores(scores: DetectorScores, of: str = "") -> None:
    left = f", {scores.trained_on} trained on and left out" if scores.trained_on else ""
    show(scores.table, f"part detector on {scores.images} images{of}{left}")
    for problem in scores.problems:
        say(problem)


def _write_scores(table: pd.DataFrame, out: Path) -> None:
    with whole_file(out) as aside:
        table.to_csv(aside, index=False)
    written(out, "table:")


def detect(
    detector: Path,
    data: Path,
    dataset: str | None,
    out: Path,
    settings: list[str],
    redo: bool,
    device: str,
    engine: str = AUTO,
) -> Boxes:
    """Find the parts of every image of a data set."""
    chosen = change(DetectSettings, settings)
    images = read_images(data, dataset)
    loaded = Detector.load(detector, _device(device))
    report = detect_parts(loaded, images, out, chosen, redo=redo, engine=engine)
    show(report.parts, f"parts found on {len(images)} images (images: share that show it)")
    say(
        f"{report.detected} images looked at, {report.reused} known from before, "
        f"{len(report.problems)} unreadable"
    )
    for row in report.problems.head(20).itertuples():
        say(str(row.problem))
    written(out / "boxes.parquet", "boxes:")
    return report.boxes


def fill(boxes: Path, data: Path, dataset: str | None, out: Path) -> None:
    """Fill the training images' missing parts from other images of the same identity."""
    found = boxes_at(boxes)
    images = read_images(data, dataset).training()
    filled, report = fill_boxes(found, images, vocabulary_of(found))
    filled.write(out)
    show(report, f"parts of {len(images)} training images, left and right counted apart")
    written(out, "boxes:")

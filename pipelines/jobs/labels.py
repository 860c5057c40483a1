"""Looking at labels and vocabularies."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.check import LabelReport, check_labels
from annotations.datasets import read_images
from annotations.errors import InputError, suggest
from annotations.formats import FORMATS
from annotations.images import Images
from annotations.importing import read_foreign
from annotations.labels import LabelledSet
from annotations.vocabulary import built_in_vocabularies, load_vocabulary
from pipelines.jobs.detector import boxes_at, vocabulary_of
from pipelines.tables import say, show, written

_SHOWN = 30


def export(labels: Path, out: Path, format: str, data: Path | None, dataset: str | None) -> None:
    """Write a labelled set, or the boxes that a detector found, in another tool's format."""
    if format not in FORMATS:
        raise InputError(f"no label format '{format}'; {suggest(format, FORMATS)}")
    given = _found_boxes(labels, data, dataset) if data else LabelledSet.read(labels)
    FORMATS[format].write(given, out)
    written(out, f"{format} labels:")


def _found_boxes(cache: Path, data: Path, dataset: str | None) -> LabelledSet:
    """Take a detector's boxes for labels, whose source and score say that nobody drew them."""
    if LabelledSet.is_at(cache):
        raise InputError(f"{cache}: is a labelled set, which knows its images; leave out --data")
    boxes, images = boxes_at(cache), read_images(data, dataset)
    vocabulary = vocabulary_of(boxes)
    table = Images(images.frame[["image"]], images.root, images.source)
    return LabelledSet(table, boxes.of(images), vocabulary, frozenset(vocabulary.names))


def show_labels(labels: LabelledSet) -> None:
    """Print how many images and boxes of each part a labelled set has."""
    frame = labels.boxes.frame
    rows = [
        (
            name,
            int((frame["part"] == name).sum()),
            int(frame.loc[frame["part"] == name, "image"].nunique()),
            "yes" if name in labels.labelled else "no (unknown, not absent)",
        )
        for name in labels.vocabulary.names
    ]
    table = pd.DataFrame(rows, columns=["part", "boxes", "images", "labelled"])
    show(table, f"{len(labels)} images, vocabulary {labels.vocabulary.name}")


def check(labels: Path, format: str | None, images: Path | None) -> bool:
    """Print every check of a labelled set or of foreign labels; say whether all is well."""
    ours = (labels / "labels.yaml").is_file()
    given = LabelledSet.read(labels) if ours else read_foreign(labels, format, images)
    report: LabelReport = check_labels(given)
    show(report.classes, f"{labels}: {report.images} images")
    for problem, count in report.counts.items():
        say(f"{problem}: {count or 'none'}")
    if len(report.problems):
        show(report.problems.head(_SHOWN), f"the first {min(_SHOWN, len(report.problems))}")
    return report.sound


def show_vocabularies(name: str | None) -> None:
    """Print one vocabulary, or all that come along."""
    for each in [name] if name else built_in_vocabularies():
        vocabulary = load_vocabulary(each)
        rows = [(p.name, p.colour, p.partner or "", p.count) for p in vocabulary.parts]
        columns = ["part", "colour", "left-right partner", "most per image"]
        show(pd.DataFrame(rows, columns=columns), f"vocabulary {each}")
        if vocabulary.viewpoints:
            seen = [(v.name, ", ".join(v.shows), v.partner) for v in vocabulary.viewpoints]
            table = pd.DataFrame(seen, columns=["viewpoint", "shows", "left-right partner"])
            show(table, f"viewpoints of {each}")

"""Checking labels: what is in them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.progress import track

from annotations.boxes import CORNERS
from annotations.formats import ForeignLabels
from annotations.importing import overhang
from annotations.labels import LabelledSet
from annotations.pixels import ImageError, read_image

PROBLEMS = (
    "missing image",
    "unreadable image",
    "size mismatch",
    "outside image",
    "without area",
    "duplicate",
    "image without labels",
)

DUPLICATE_IOU = 0.9
"""Two boxes of one part that overlap more than this were drawn for the same thing."""


@dataclass(frozen=True)
class LabelReport:
    """What `check_labels` found.

    Attributes:
        classes: one row per part or foreign class: ``part``, ``boxes``, ``images`` (that
            show it), ``labelled`` (whether the set labels it at all).
        problems: one row per problem: ``problem`` (one of `PROBLEMS`), ``image``,
            ``where`` (the place in the file; empty for an image), ``detail``.
        images: the number of images.
    """

    classes: pd.DataFrame
    problems: pd.DataFrame
    images: int

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong; an image without labels may well show no part."""
        return bool((self.problems["problem"] == "image without labels").all())

    @property
    def counts(self) -> pd.Series[int]:
        """How often each of `PROBLEMS` was found."""
        return self.problems["problem"].value_counts().reindex(PROBLEMS, fill_value=0)


def _as_foreign(labels: LabelledSet) -> ForeignLabels:
    # A labelled set has fractions: every image is one unit wide and high.
    images = labels.images.frame[["image"]].assign(width=1, height=1)
    boxes = labels.boxes.frame.rename(columns={"part": "name"})
    boxes["where"] = [f"row {row + 2}" for row in range(len(boxes))]
    return ForeignLabels(images, boxes, labels.images.root, labels.images.source)


def _classes(boxes: pd.DataFrame, labels: LabelledSet | ForeignLabels) -> pd.DataFrame:
    groups = boxes.groupby("name")["image"]
    counts = pd.DataFrame({"boxes": groups.size(), "images": groups.nunique()})
    if isinstance(labels, LabelledSet):
        counts = counts.reindex(labels.vocabulary.names, fill_value=0)
        counts["labelled"] = counts.index.isin(labels.labelled)
    else:
        counts["labelled"] = True
    return counts.rename_axis("part").reset_index()


def _inspect(path: Path) -> tuple[str, str] | tuple[int, int]:
    """Return the problem and its detail, or the width and height."""
    if not path.is_file():
        return "missing image", str(path)
    try:
        height, width, _ = read_image(path).shape
    except ImageError as error:
        return "unreadable image", str(error)
    return width, height


def _image_problems(foreign: ForeignLabels, sized: bool) -> Iterator[tuple[str, str, str, str]]:
    frame = foreign.images
    paths = [foreign.root / image for image in frame["image"]]
    with ThreadPoolExecutor() as pool:
        found = track(
            pool.map(_inspect, paths), "checking images", total=len(paths), transient=True
        )
        for (image, width, height), result in zip(frame.values.tolist(), found, strict=True):
            if isinstance(result[0], str):
                yield result[0], image, "", str(result[1])
            elif sized and result != (width, height):
                there = f"{result[0]} x {result[1]}"
                yield "size mismatch", image, "", f"labels say {width} x {height}, file is {there}"


def _corners(boxes: pd.DataFrame) -> list[str]:
    return [" ".join(f"{v:.6g}" for v in row) for row in boxes[CORNERS].to_numpy()]


def _box_problems(foreign: ForeignLabels) -> Iterator[tuple[pd.DataFrame, str, list[str]]]:
    boxes = foreign.boxes
    outside = boxes[overhang(boxes, foreign.images)]
    yield outside, "outside image", _corners(outside)
    flat = boxes[(boxes["x1"] >= boxes["x2"]) | (boxes["y1"] >= boxes["y2"])]
    yield flat, "without area", _corners(flat)
    second, first = _duplicates(boxes)
    yield second, "duplicate", [f"of {where}" for where in first["where"]]


def _duplicates(boxes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the later boxes of each pair that overlaps, and the earlier ones."""
    rows = boxes.reset_index(drop=True).rename_axis("row").reset_index()
    pairs = rows.merge(rows, on=["image", "name"], suffixes=("", "_"))
    pairs = pairs[pairs["row"] < pairs["row_"]]
    width = pairs[["x2", "x2_"]].min(axis=1) - pairs[["x1", "x1_"]].max(axis=1)
    height = pairs[["y2", "y2_"]].min(axis=1) - pairs[["y1", "y1_"]].max(axis=1)
    both = width.clip(lower=0) * height.clip(lower=0)
    area = (pairs["x2"] - pairs["x1"]) * (pairs["y2"] - pairs["y1"])
    area_ = (pairs["x2_"] - pairs["x1_"]) * (pairs["y2_"] - pairs["y1_"])
    close = pairs[both > DUPLICATE_IOU * (area + area_ - both)].drop_duplicates("row_")
    return rows.loc[close["row_"]], rows.loc[close["row"]]


def check_labels(labels: LabelledSet | ForeignLabels) -> LabelReport:
    """Look for everything that is wrong with labels, decoding every image once.

    Nothing that is found is an error: foreign labels can be checked before they are
    imported, and a box out of its image is then a row of the report.

    Args:
        labels: a labelled set, or what a format's reader returned.
    """
    given = isinstance(labels, LabelledSet)
    foreign = _as_foreign(labels) if isinstance(labels, LabelledSet) else labels
    rows = list(_image_problems(foreign, sized=not given))
    for found, problem, details in _box_problems(foreign):
        names = [f"{name}: {detail}" for name, detail in zip(found["name"], details, strict=True)]
        rows += [
            (problem, image, where, detail)
            for image, where, detail in zip(found["image"], found["where"], names, strict=True)
        ]
    bare = foreign.images[~foreign.images["image"].isin(foreign.boxes["image"])]
    rows += [("image without labels", image, "", "") for image in bare["image"]]
    problems = pd.DataFrame(rows, columns=["problem", "image", "where", "detail"], dtype="string")
    return LabelReport(_classes(foreign.boxes, labels), problems, len(foreign.images))

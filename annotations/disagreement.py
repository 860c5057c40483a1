"""Where labelled sets say different things of the same image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment

from annotations.boxes import CORNERS
from annotations.labels import LabelledSet
from annotations.overlaps import iou

CONFLICTS = ["image", "part", "conflict", "kept", "other", "iou", "detail"]
"""``image`` and ``part``; ``conflict``: only in one, elsewhere (both have it, at other places), too
many (more than the vocabulary's count) or other value (of the images' table); ``kept`` and
``other``: the sets; ``iou`` of a box that is elsewhere; ``detail`` in words."""

OVERLAP = 0.5
"""Two boxes of a part are of the same thing if they overlap by this: as in detection's AP50."""

Table = npt.NDArray[np.float64]


def compare_boxes(
    ranked: Sequence[tuple[str, LabelledSet]], overlap: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take each image's parts from the first set that labels them; compare with the others.

    Args:
        ranked: the sets by name, the most trusted first; the same image has the same name in
            all of them.
        overlap: least intersection over union of two boxes that are the same.

    Returns:
        The boxes taken, as in a boxes table, and the conflicts (columns `CONFLICTS`).
    """
    owner: dict[tuple[str, str], str] = {}
    drawn = {name: _by_place(labels) for name, labels in ranked}
    taken, rows = [], []
    for name, labels in ranked:
        for image in labels.images.frame["image"]:
            for part in sorted(labels.labelled):
                kept = owner.setdefault((image, part), name)
                mine = drawn[name].get((image, part))
                if kept != name:
                    theirs = drawn[kept].get((image, part))
                    found = _differences(theirs, mine, overlap, kept, name)
                    rows += [(image, part, *row) for row in found]
                elif mine is not None:
                    taken.append(mine)
    empty = ranked[0][1].boxes.frame.iloc[:0]
    boxes = pd.concat(taken, ignore_index=True) if taken else empty
    return boxes, pd.DataFrame(rows, columns=CONFLICTS)


def _by_place(labels: LabelledSet) -> dict[tuple[str, str], pd.DataFrame]:
    groups = labels.boxes.frame.groupby(["image", "part"], sort=False)
    return {(str(image), str(part)): rows for (image, part), rows in groups}


def _corners(rows: pd.DataFrame | None) -> Table:
    return np.empty((0, 4)) if rows is None else rows[CORNERS].to_numpy(np.float64)


def _said(box: Table) -> str:
    return " ".join(f"{value:.4g}" for value in box)


def _differences(
    kept: pd.DataFrame | None, other: pd.DataFrame | None, overlap: float, name: str, called: str
) -> Iterator[tuple[str, str, str, float | None, str]]:
    ours, theirs = _corners(kept), _corners(other)
    shared = iou(ours[:, None], theirs[None])
    # As many boxes as can be are paired with one that is the same, and the rest by their overlap.
    worth = shared + (shared >= overlap) * (1 + len(shared))
    pairs = list(zip(*linear_sum_assignment(worth, maximize=True), strict=True))
    for one, two in pairs:
        if shared[one, two] < overlap:
            detail = f"{_said(ours[one])} kept, not {_said(theirs[two])}"
            yield "elsewhere", name, called, float(shared[one, two]), detail
    for one in sorted(set(range(len(ours))) - {one for one, _ in pairs}):
        yield "only in one", name, called, None, f"{_said(ours[one])} kept"
    for two in sorted(set(range(len(theirs))) - {two for _, two in pairs}):
        yield "only in one", name, called, None, f"{_said(theirs[two])} of {called} left out"


def too_many(labels: LabelledSet) -> pd.DataFrame:
    """List the images that show a part more often than its vocabulary allows.

    Returns:
        Columns `CONFLICTS`.
    """
    most = pd.Series({part.name: part.count for part in labels.vocabulary.parts})
    counts = labels.boxes.frame.groupby(["image", "part"], sort=False).size().reset_index(name="n")
    over = counts[counts["n"] > counts["part"].map(most).astype("float64")]
    rows = [
        (image, part, "too many", "", "", None, f"{count} boxes, at most {most[part]} expected")
        for image, part, count in over.values.tolist()
    ]
    return pd.DataFrame(rows, columns=CONFLICTS)

"""Average precision of found boxes against true ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.boxes import CORNERS
from annotations.overlaps import iou
from detection.yolo import ap_per_class

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Overlaps (intersection over union) from which a box counts as right."""


def score_boxes(found: pd.DataFrame, truth: pd.DataFrame, parts: list[str]) -> pd.DataFrame:
    """Score boxes against true ones.

    Args:
        found: columns ``image``, ``part``, ``x1 y1 x2 y2``, ``score``.
        truth: the same without ``score``.
        parts: the parts to score, in the table's order; boxes of others are not looked at.

    Returns:
        `DetectorScores.table`.
    """
    found = found[found["part"].isin(parts)].reset_index(drop=True)
    truth = truth[truth["part"].isin(parts)]
    number = {part: place for place, part in enumerate(parts)}
    _, _, precision, recall, _, average, classes, *_ = ap_per_class(
        match(found, truth),
        found["score"].to_numpy(float),
        found["part"].map(number).to_numpy(float),
        truth["part"].map(number).to_numpy(float),
    )
    measured = pd.DataFrame(
        {
            "precision": precision,
            "recall": recall,
            "AP50": average[:, 0],
            "AP50-95": average.mean(axis=1),
        },
        index=[parts[place] for place in classes],
    )
    table = measured.reindex(parts)
    table.loc["all"] = measured.mean()
    counts = truth["part"].value_counts().reindex(parts, fill_value=0)
    table["boxes"] = [*counts, len(truth)]
    return table.rename_axis("part").reset_index()


def match(found: pd.DataFrame, truth: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which found boxes are right, at each of `THRESHOLDS`.

    Within an image and part, boxes take, best score first, the free true box that they
    overlap most, as in COCO's evaluation.

    Returns:
        Shape (found boxes, thresholds), rows as in ``found``.
    """
    right = np.zeros((len(found), len(THRESHOLDS)), bool)
    true_boxes = {
        key: group[CORNERS].to_numpy(float) for key, group in truth.groupby(["image", "part"])
    }
    ordered = found.sort_values("score", ascending=False, kind="stable")
    for key, group in ordered.groupby(["image", "part"]):
        if key not in true_boxes:
            continue
        overlaps = iou(group[CORNERS].to_numpy(float)[:, None], true_boxes[key][None])
        taken = np.zeros((len(THRESHOLDS), overlaps.shape[1]), bool)
        for row, overlap in zip(group.index, overlaps, strict=True):
            free = np.where(taken, 0.0, overlap)
            best = free.argmax(axis=1)
            hit = free.max(axis=1) >= THRESHOLDS
            right[row] = hit
            taken[hit, best[hit]] = True
    return right

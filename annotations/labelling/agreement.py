"""How far two people who labelled the same images agree."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.boxes import CORNERS, Boxes
from annotations.errors import InputError
from annotations.overlaps import iou
from annotations.vocabulary import Vocabulary

Numbers = npt.NDArray[Any]
"""Counts, int64, or sums, float64."""


@dataclass(frozen=True)
class Agreement:
    """What `agreement` found.

    Attributes:
        by_part: one row per part of the vocabulary: ``part``, ``first`` and ``second`` (boxes that
            each drew), ``matched`` (boxes that both drew), ``only_first``, ``only_second``,
            ``mean_iou`` (of the matched; empty without one), ``agreement`` (``matched`` /
            (``matched`` + ``only_first`` + ``only_second``); empty where nobody drew one) and
            ``kappa``: Cohen's (1960), of whether an image shows the part at all; empty where both
            say the same of every image, for chance alone would agree as well.
        by_image: one row per image, worst first: ``image``, ``matched``, ``only_first``,
            ``only_second``, ``mean_iou``. Worst is where most boxes have no match, and of these
            where the matched overlap least.
        overall: the numbers of ``by_part`` over all boxes; ``kappa`` is the mean over the parts
            that have one. Also ``images``, and ``images_alike``: those without an unmatched box.
    """

    by_part: pd.DataFrame
    by_image: pd.DataFrame
    overall: dict[str, float]


def agreement(
    first: Boxes,
    second: Boxes,
    images: Collection[str],
    vocabulary: Vocabulary,
    least: float = 0.5,
) -> Agreement:
    """Compare the boxes that two people drew on the same images.

    Within an image and part, boxes are matched one to one such that the sum of their overlaps is
    greatest (Kuhn 1955), where an overlap below ``least`` counts for nothing and is no match.

    Args:
        first: one person's boxes; those of other images or parts do not count.
        second: the other's.
        images: what both have labelled; without a box of either, both say that nothing shows.
        vocabulary: the parts that both looked for.
        least: the smallest intersection over union of a match, above 0.

    Raises:
        InputError: no image, or ``least`` is not above 0 and at most 1.
    """
    names = list(dict.fromkeys(images))
    if not names:
        raise InputError("no image that both have labelled: there is nothing to compare")
    if not 0 < least <= 1:
        raise InputError(f"boxes match from an overlap above 0, at most 1, not from {least:g}")
    one, other = (_numbered(boxes, names, vocabulary) for boxes in (first, second))
    matches = _matches(one, other, least)
    parts, shape = list(vocabulary.names), (len(names), len(vocabulary.names))
    counts = [_table(frame, shape) for frame in (one, other, matches)]
    overlaps = _table(matches, shape, "iou")
    by_part = pd.DataFrame({"part": parts, **_numbers(counts, overlaps, 0)})
    by_part["kappa"] = [kappa(*pair) for pair in zip(*(c.T > 0 for c in counts[:2]), strict=True)]
    per_image = pd.DataFrame({"image": names, **_numbers(counts, overlaps, 1)})
    alone = per_image["only_first"] + per_image["only_second"]
    order = np.lexsort([per_image["mean_iou"].fillna(2.0), -alone])
    columns = ["image", "matched", "only_first", "only_second", "mean_iou"]
    overall = {name: values.item() for name, values in _numbers(counts, overlaps, None).items()}
    overall["kappa"] = float(by_part["kappa"].mean())
    overall |= {"images": len(names), "images_alike": int((alone == 0).sum())}
    return Agreement(by_part, per_image[columns].iloc[order].reset_index(drop=True), overall)


def kappa(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Return Cohen's kappa (1960, equation 1) of two yes-or-no answers, bool (N,).

    1 where all agree, 0 where as many as by chance, not a number where chance agrees on all.
    """
    observed = float((first == second).mean())
    yes, other_yes = float(first.mean()), float(second.mean())
    chance = yes * other_yes + (1 - yes) * (1 - other_yes)
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")


def _numbered(boxes: Boxes, names: list[str], vocabulary: Vocabulary) -> pd.DataFrame:
    """Return the boxes of images and parts that count: ``row``, ``column`` and the corners."""
    frame = boxes.frame
    row = pd.Index(names).get_indexer(pd.Index(frame["image"]))
    column = pd.Index(vocabulary.names).get_indexer(pd.Index(frame["part"]))
    kept = frame[CORNERS].assign(row=row, column=column)
    return kept[(row >= 0) & (column >= 0)].reset_index(drop=True)


def _matches(one: pd.DataFrame, other: pd.DataFrame, least: float) -> pd.DataFrame:
    """Return the pairs that match: ``row``, ``column`` and ``iou``."""
    cell = ["row", "column"]
    pairs = one.assign(one=one.index).merge(
        other.assign(other=other.index), on=cell, suffixes=("", "_")
    )
    corners = [pairs[[name + end for name in CORNERS]].to_numpy(float) for end in ("", "_")]
    pairs = pairs.assign(iou=iou(*corners))[[*cell, "one", "other", "iou"]]
    pairs = pairs[pairs["iou"] >= least]
    # Most boxes have one candidate; only where several ask for the same is there a choice.
    asked = pairs.duplicated("one", keep=False) | pairs.duplicated("other", keep=False)
    open_ = pairs.set_index(cell).index.isin(pairs[asked].set_index(cell).index)
    chosen = [_best(group) for _, group in pairs[open_].groupby(cell)]
    return pd.concat([pairs[~open_], *chosen], ignore_index=True)


def _best(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of one image and part that together overlap most."""
    from scipy.optimize import linear_sum_assignment  # slow to import

    rows, columns = pd.factorize(pairs["one"])[0], pd.factorize(pairs["other"])[0]
    overlaps = np.zeros((rows.max() + 1, columns.max() + 1))
    overlaps[rows, columns] = pairs["iou"]
    chosen = np.zeros(overlaps.shape, bool)
    chosen[linear_sum_assignment(overlaps, maximize=True)] = True
    return pairs[chosen[rows, columns]]


def _table(frame: pd.DataFrame, shape: tuple[int, int], weights: str | None = None) -> Numbers:
    """Count, or sum ``weights``, by image and part: shape (images, parts)."""
    place = frame["row"].to_numpy(int) * shape[1] + frame["column"].to_numpy(int)
    what = None if weights is None else frame[weights].to_numpy(float)
    return np.bincount(place, what, shape[0] * shape[1]).reshape(shape)


def _numbers(counts: list[Numbers], overlaps: Numbers, axis: int | None) -> dict[str, Numbers]:
    """Return the columns that every table has, summed along ``axis``."""
    first, second, matched = (np.asarray(table.sum(axis)) for table in counts)
    every = first + second - matched
    with np.errstate(invalid="ignore"):  # nothing of nothing is not a number, and means empty
        return {
            "first": first,
            "second": second,
            "matched": matched,
            "only_first": first - matched,
            "only_second": second - matched,
            "mean_iou": np.asarray(overlaps.sum(axis)) / matched,
            "agreement": matched / every,
        }

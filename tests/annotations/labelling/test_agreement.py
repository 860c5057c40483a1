from __future__ import annotations

import math
import warnings
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.labelling.agreement import agreement, kappa
from annotations.labels import label_rows
from annotations.vocabulary import load_vocabulary

PRN = load_vocabulary("prn")
IMAGES = ["a", "b", "c", "d"]
Row = tuple[str, str, float, float, float, float]


def boxes(*rows: Row) -> Boxes:
    return Boxes(label_rows(rows))


def _iou(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def _slow_matches(one: list[tuple], other: list[tuple], least: float) -> list[float]:
    """The overlaps of the assignment with the greatest sum, by trying every one."""
    if len(one) > len(other):
        one, other = other, one
    tried = []
    for order in permutations(other, len(one)):
        overlaps = [_iou(a, b) for a, b in zip(one, order, strict=True)]
        tried.append([value for value in overlaps if value >= least])
    return max(tried, key=sum, default=[])


@st.composite
def _drawn(draw) -> list[Row]:
    rows = []
    for image, part in draw(
        st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(PRN.names)), max_size=12)
    ):
        x, y = draw(st.floats(0, 0.3)), draw(st.floats(0, 0.3))
        rows.append((image, part, x, y, x + draw(st.floats(0.1, 0.6)), y + 0.5))
    return rows


@settings(max_examples=12)
@given(_drawn(), _drawn(), st.sampled_from([0.3, 0.5, 0.8]))
def test_agrees_with_trying_every_assignment(first, second, least):
    found = agreement(boxes(*first), boxes(*second), IMAGES, PRN, least)
    per_image = {image: [0, 0, 0, []] for image in IMAGES}
    for part, row in zip(PRN.names, found.by_part.itertuples(), strict=True):
        overlaps, counts = [], [0, 0]
        for image in IMAGES:
            one, other = (
                [row[2:] for row in rows if row[:2] == (image, part)] for rows in (first, second)
            )
            matched = _slow_matches(one, other, least)
            overlaps += matched
            for place, mine in enumerate((one, other)):
                counts[place] += len(mine)
                per_image[image][1 + place] += len(mine) - len(matched)
            per_image[image][0] += len(matched)
            per_image[image][3] += matched
        n = len(overlaps)
        assert (row.part, row.first, row.second, row.matched) == (part, *counts, n)
        assert (row.only_first, row.only_second) == (counts[0] - n, counts[1] - n)
        assert row.mean_iou == pytest.approx(np.mean(overlaps) if n else math.nan, nan_ok=True)
        every = sum(counts) - n
        assert row.agreement == pytest.approx(n / every if every else math.nan, nan_ok=True)
        shows = [
            [any(row[:2] == (image, part) for row in rows) for image in IMAGES]
            for rows in (first, second)
        ]
        assert row.kappa == pytest.approx(_peer(*shows), nan_ok=True)
    for row in found.by_image.itertuples():
        matched, one, other, overlaps = per_image.pop(row.image)
        assert (row.matched, row.only_first, row.only_second) == (matched, one, other)
        expected = np.mean(overlaps) if overlaps else math.nan
        assert row.mean_iou == pytest.approx(expected, nan_ok=True)
    assert per_image == {}


def _peer(first: list[bool], second: list[bool]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns where it answers not a number
        return float(cohen_kappa_score(first, second))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_kappa_agrees_with_scikit_learn(answers):
    first, second = (np.array(side) for side in zip(*answers, strict=True))
    assert kappa(first, second) == pytest.approx(_peer(first, second), nan_ok=True)


@settings(max_examples=4)
@given(_drawn(), _drawn())
def test_who_is_first_makes_no_difference_but_of_names(first, second):
    one = agreement(boxes(*first), boxes(*second), IMAGES, PRN)
    other = agreement(boxes(*second), boxes(*first), IMAGES, PRN)
    turned = other.by_part.rename(
        columns={
            **{"first": "second", "second": "first"},
            **{"only_first": "only_second", "only_second": "only_first"},
        }
    )
    pd.testing.assert_frame_equal(one.by_part, turned[one.by_part.columns])


def test_two_who_drew_the_same():
    same = boxes(("a", "light", 0, 0, 0.5, 1), ("a", "light", 0.1, 0, 0.6, 1))
    found = agreement(same, same, IMAGES, PRN)
    assert found.overall == pytest.approx(
        {
            **{"first": 2, "second": 2, "matched": 2, "only_first": 0, "only_second": 0},
            **{"mean_iou": 1, "agreement": 1, "kappa": 1, "images": 4, "images_alike": 4},
        }
    )


def test_pairs_below_the_least_do_not_cost_a_match():
    """Both pairs below 0.5 sum to more than the one above it."""
    first = boxes(("a", "light", 0, 0, 0.5, 1), ("a", "light", 0.5, 0, 1, 1))
    second = boxes(("a", "light", 0.15, 0, 0.65, 1), ("a", "light", 0, 0.0, 0.25, 0.9))
    # 0.35 / 0.65 = 0.54 against 0.15 / 0.85 + 0.225 / 0.5 = 0.18 + 0.45.
    found = agreement(first, second, ["a"], PRN)
    assert found.overall["matched"] == 1
    assert found.overall["mean_iou"] == pytest.approx(0.35 / 0.65)


def test_the_image_with_most_boxes_unmatched_is_worst_then_the_least_overlap():
    light = ("light", 0, 0, 0.5, 1)
    first = boxes(("b", *light), ("c", *light), ("d", *light), ("e", *light))
    second = boxes(("c", "light", 0, 0, 0.4, 1), ("d", *light), ("e", "light", 0, 0, 0.3, 1))
    found = agreement(first, second, ["a", "b", "c", "d", "e"], PRN)
    assert list(found.by_image["image"]) == ["b", "e", "c", "d", "a"]
    assert found.overall["images_alike"] == 4


def test_images_named_twice_count_once():
    found = agreement(Boxes.none(), Boxes.none(), ["a", "b", "a"], PRN)
    assert list(found.by_image["image"]) == ["a", "b"]
    assert math.isnan(found.overall["kappa"])
    assert set(found.by_part[["first", "matched", "only_second"]].dtypes) == {np.dtype("int64")}
    assert math.isnan(found.overall["agreement"])


@pytest.mark.parametrize(
    ("images", "least", "message"), [([], 0.5, "no image"), (["a"], 0.0, "overlap above 0")]
)
def test_nothing_to_compare(images, least, message):
    with pytest.raises(InputError, match=message):
        agreement(Boxes.none(), Boxes.none(), images, PRN, least)

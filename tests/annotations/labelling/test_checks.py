from __future__ import annotations

import collections
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.boxes import CORNERS
from annotations.importing import import_labels, read_foreign
from annotations.labelling.arrangement import ABOVE
from annotations.labelling.checks import CHECKS, Finding, check_boxes
from annotations.vocabulary import Part, Vocabulary, built_in_vocabularies, load_vocabulary

PRN = load_vocabulary("prn")
Row = tuple[str, float, float, float, float]

GOOD: list[Row] = [
    ("window", 0.2, 0.1, 0.8, 0.4),
    ("light", 0.1, 0.5, 0.3, 0.9),
    ("light", 0.7, 0.5, 0.9, 0.9),
    ("brand", 0.3, 0.5, 0.7, 0.9),
]


def frame(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["part", *CORNERS])


def found(rows: list[Row], vocabulary=PRN, usual=None) -> list[tuple[str, tuple[int, ...]]]:
    findings = check_boxes(frame(rows), vocabulary, usual=usual)
    return [(finding.check, finding.boxes) for finding in findings]


def test_nothing_is_wrong_with_a_vehicle_drawn_well():
    assert found(GOOD) == []
    assert found([]) == []


def test_a_part_of_another_vocabulary():
    assert found([*GOOD, ("wheel", 0.1, 0.8, 0.2, 0.9)]) == [("unknown part", (4,))]


@pytest.mark.parametrize(
    ("corners", "check"),
    [
        ((0.2, 0.1, 0.2, 0.4), "without area"),
        ((0.2, 0.4, 0.8, 0.1), "without area"),
        ((0.2, 0.1, 0.2049, 0.4), "tiny"),
        ((0.2, 0.1, 0.8, 0.1049), "tiny"),
        ((0.0, 0.0049, 0.9951, 1.0), "whole image"),
    ],
)
def test_sizes(corners, check):
    assert found([("window", *corners)]) == [(check, (0,))]


@pytest.mark.parametrize("corners", [(0.2, 0.1, 0.2051, 0.4), (0.0, 0.0, 1.0, 0.9)])
def test_sizes_that_may_be(corners):
    assert found([("window", *corners)]) == []


def test_a_part_drawn_twice():
    # Shifted by a tenth: 0.9 / 1.1 = 0.82. By a fifth: 0.8 / 1.2 = 0.67.
    close = [*GOOD[1:3], ("brand", 0.34, 0.5, 0.74, 0.9), ("brand", 0.3, 0.5, 0.7, 0.9)]
    assert ("drawn twice", (2, 3)) in found(close)
    apart = [*GOOD[1:3], ("brand", 0.38, 0.5, 0.78, 0.9), ("brand", 0.3, 0.5, 0.7, 0.9)]
    assert "drawn twice" not in dict(found(apart))


def test_a_box_inside_another_of_its_part_but_not_of_another_part():
    assert found([*GOOD[:2], ("light", 0.15, 0.6, 0.2, 0.7)]) == [("drawn twice", (1, 2))]
    assert found([*GOOD[:3], ("brand", 0.45, 0.1, 0.55, 0.2)]) == [("order", (3, 0))]


def test_more_boxes_than_an_image_shows():
    third = ("light", 0.4, 0.5, 0.5, 0.9)
    assert found([*GOOD[:3], third]) == [("too many", (1, 2, 3))]


def test_what_is_higher_than_on_every_vehicle():
    rows = [*GOOD[1:3], ("window", 0.2, 0.6, 0.8, 0.9)]
    assert found(rows) == [("order", (0, 2)), ("order", (1, 2))]
    assert [finding.message for finding in check_boxes(frame(rows), PRN)] == [
        "the light is higher than the window"
    ] * 2


def test_of_several_upper_parts_the_highest_counts():
    eia = load_vocabulary("eia")
    rows = [
        ("wind glass", 0.2, 0.1, 0.8, 0.3),
        ("wind glass", 0.2, 0.6, 0.8, 0.9),
        ("plate", 0.4, 0.5, 0.6, 0.6),
    ]
    assert found(rows, eia) == [("too many", (0, 1))]


def test_the_order_is_of_built_in_parts_and_without_a_circle():
    known = {name for word in built_in_vocabularies() for name in load_vocabulary(word).names}
    assert {name for pair in ABOVE for name in pair} <= known
    rank = {name: 0 for pair in ABOVE for name in pair}
    for _ in ABOVE:
        for upper, lower in ABOVE:
            rank[lower] = max(rank[lower], rank[upper] + 1)
    assert all(rank[upper] < rank[lower] for upper, lower in ABOVE)


def test_a_brand_beside_the_lights():
    beside = ("brand", 0.85, 0.5, 0.95, 0.9)
    assert found([*GOOD[:3], beside]) == [("brand not between the lights", (3, 1, 2))]
    assert found([*GOOD[:2], beside]) == []


PAIRED = Vocabulary(
    "own",
    tuple(
        Part(name=f"{side} {what}", colour="#000000", partner=f"{other} {what}")
        for what in ("mirror", "light", "door")
        for side, other in (("left", "right"), ("right", "left"))
    ),
)


def pairs(mirror: int, light: int, door: int = 0) -> list[Row]:
    """Pairs of which the left one lies left (1) or right (-1), or that are not there (0)."""
    rows = []
    for number, (what, way) in enumerate(
        [("mirror", mirror), ("light", light), ("door", door)], start=1
    ):
        left, right = (0.1, 0.8) if way > 0 else (0.8, 0.1)
        if way:
            y = number / 5
            rows += [
                (f"left {what}", left, y, left + 0.1, y + 0.1),
                (f"right {what}", right, y, right + 0.1, y + 0.1),
            ]
    return rows


@pytest.mark.parametrize(
    ("ways", "usual", "boxes"),
    [
        ((1, 1, 1), None, []),
        ((-1, -1, -1), None, []),  # seen from the front
        ((-1, -1, -1), (1, 1, 1), None),  # most agree here, whatever the other images show
        ((1, -1, 1), None, [(2, 3)]),
        ((1, -1, 1), (-1, -1, -1), [(2, 3)]),
        ((1, -1), (1, 0), [(2, 3)]),
        ((1, -1), (-1, 0), [(0, 1)]),
        ((1, -1), None, [(0, 1, 2, 3)]),
        ((-1, 0), None, []),
        ((-1, 0), (0, 1), [(0, 1)]),
        ((-1, 0), (0, -1), []),
    ],
)
def test_left_and_right_swapped(ways, usual, boxes):
    known = None if usual is None else frame(pairs(*usual))
    swaps = [where for check, where in found(pairs(*ways), PAIRED, known) if "swapped" in check]
    assert swaps == (boxes or [])


def test_a_pair_that_hardly_lies_apart_is_not_judged():
    seen_from_the_side = [
        ("left mirror", 0.5, 0.1, 0.6, 0.2),
        ("right mirror", 0.46, 0.1, 0.56, 0.2),
    ]
    assert found([*pairs(0, 1, 1), *seen_from_the_side], PAIRED) == []


USUAL = frame(GOOD).assign(side=["", "left", "right", ""])


def test_where_the_vehicle_usually_has_its_parts():
    assert found(GOOD, usual=USUAL) == []
    away = [("window", 0.0, 0.0, 0.25, 0.5), *GOOD[1:]]
    assert found(away, usual=USUAL) == [("far from usual", (0,))]
    smaller = [("window", 0.4, 0.2, 0.6, 0.3), *GOOD[1:]]
    [finding] = check_boxes(frame(smaller), PRN, usual=USUAL)
    assert finding == Finding(
        "far from usual",
        "the window is 9.0 times smaller than on this vehicle's other images",
        (0,),
    )


def test_a_light_is_compared_with_usual_ones_only_where_its_side_is_known():
    one_known = USUAL.iloc[:2]
    assert found(GOOD, usual=one_known) == []
    assert found([GOOD[2]], usual=one_known) == []
    left_away = ("light", 0.3, 0.0, 0.4, 0.2)
    assert found([left_away, GOOD[2]], usual=one_known) == [("far from usual", (0,))]
    # Alone and just right of the middle it may be the left one all the same.
    assert found([("light", 0.42, 0.5, 0.6, 0.9)], usual=USUAL.assign(x1=0.3, x2=0.5)) == []


def test_usual_boxes_may_come_without_sides():
    plain = USUAL.drop(columns="side")
    assert found(GOOD, usual=plain) == []
    assert found([("light", 0.4, 0.0, 0.5, 0.1)], usual=plain) == [("far from usual", (0,))]


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from([*PRN.names, "?"]), *[st.integers(0, 20)] * 4), max_size=20)
)
def test_whatever_is_drawn_is_checked(rows):
    boxes = frame([(part, *(number / 20 for number in corners)) for part, *corners in rows])
    for finding in check_boxes(boxes, PRN, usual=USUAL):
        assert finding.check in CHECKS
        assert set(finding.boxes) <= set(range(len(rows)))
        assert len(set(finding.boxes)) == len(finding.boxes) > 0


@pytest.mark.parametrize("mapping", ["carparts-prn", "carparts-eia"])
def test_little_is_found_on_labels_that_are_right(real: Path, mapping):
    labels = import_labels(real / "carparts" / "annotations.json", mapping=mapping)
    shown = list(labels.boxes.frame.groupby("image"))[::4]
    alarms = sum(bool(check_boxes(boxes, labels.vocabulary)) for _, boxes in shown)
    assert alarms <= 0.06 * len(shown)


def test_swaps_are_found_on_real_cars(real: Path):
    """Nothing is said of true labels; of a pair swapped by us, where others tell, nearly all."""
    boxes = read_foreign(real / "carparts" / "annotations.json").boxes
    boxes = boxes.rename(columns={"name": "part"})[["image", "part", *CORNERS]]
    mirrored = {
        name: name.replace("left", "?").replace("right", "left").replace("?", "right")
        for name in boxes["part"].unique()
    }
    parts = tuple(
        Part(name=name, colour="#000000", count=9, partner=other if other != name else None)
        for name, other in mirrored.items()
    )
    seen: collections.Counter[str] = collections.Counter()
    for _, image in list(boxes.groupby("image"))[::4]:
        sides = 1000.0  # only left and right are looked at
        given = image.assign(**{name: image[name] / sides for name in CORNERS})
        seen["false"] += "left and right swapped" in dict(_checks(given, parts))
        if {"left_mirror", "right_mirror", "front_left_light", "front_right_light"} <= {
            *given["part"]
        }:
            mirrors = given["part"].str.contains("mirror")
            wrong = given.assign(part=given["part"].mask(mirrors, given["part"].map(mirrored)))
            seen["wrong"] += 1
            seen["right"] += "left and right swapped" in dict(_checks(wrong, parts))
    assert seen["false"] == 0
    assert seen["wrong"] > 15
    assert seen["right"] > 0.9 * seen["wrong"]


def _checks(boxes: pd.DataFrame, parts: tuple[Part, ...]) -> list[tuple[str, str]]:
    return [(f.check, f.message) for f in check_boxes(boxes, Vocabulary("own", parts))]

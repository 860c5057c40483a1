from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.boxes import CORNERS
from annotations.geometry import MIN_STRIP, prn_parts, vehicle_bottom

COLUMNS = ["image", "part", "end", *CORNERS]
Row = tuple[str, str, str | None, float, float, float, float]


def frame(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def derive(rows: list[Row], bottom: dict[str, float]) -> set[tuple[object, ...]]:
    derived = prn_parts(frame(rows), pd.Series(bottom))
    return set(derived.itertuples(index=False, name=None))


def test_head_seen_from_the_front() -> None:
    rows: list[Row] = [
        ("a", "window", None, 20, 5, 80, 30),
        ("a", "light", "front", 70, 42, 90, 50),
        ("a", "light", "front", 10, 40, 30, 50),
    ]
    assert derive(rows, {"a": 95.0}) == {
        ("a", "window", 20, 5, 80, 30),
        ("a", "light", 70, 42, 90, 95),
        ("a", "light", 10, 40, 30, 95),
        ("a", "brand", 30, 40, 70, 95),
    }


@pytest.mark.parametrize(
    "lights",
    [
        [("front", 10, 30)],
        [("front", 10, 30), ("back", 70, 90)],
        [("front", 10, 50), ("front", 45, 90)],
        [("front", 10, 45), ("front", 50, 90)],
        [("front", 10, 20), ("front", 40, 50), ("front", 80, 90)],
    ],
    ids=["one light", "one of each end", "crossing", "narrow strip", "three"],
)
def test_no_brand_without_two_lights_of_one_end_apart(
    lights: list[tuple[str, float, float]],
) -> None:
    rows: list[Row] = [("a", "light", end, x1, 40, x2, 50) for end, x1, x2 in lights]
    assert not any(part == "brand" for _, part, *_ in derive(rows, {"a": 90.0}))


def test_both_ends_give_a_brand_each() -> None:
    rows: list[Row] = [
        ("a", "light", end, x, 1, x + 10, 2)
        for end, x in (("front", 0), ("front", 30), ("back", 60), ("back", 85))
    ]
    brands = {row for row in derive(rows, {"a": 9.0}) if row[1] == "brand"}
    assert brands == {("a", "brand", 10, 1, 30, 9), ("a", "brand", 70, 1, 85, 9)}


def slow_parts(rows: list[Row], bottom: dict[str, float]) -> set[tuple[object, ...]]:
    """The definitions, one image and end at a time."""
    result: set[tuple[object, ...]] = set()
    for image in {row[0] for row in rows}:
        for _, part, _, x1, y1, x2, y2 in (row for row in rows if row[0] == image):
            result.add((image, part, x1, y1, x2, bottom[image] if part == "light" else y2))
        for end in ("front", "back", None):
            lights = sorted(
                (row[3:] for row in rows if row[:3] == (image, "light", end)),
                key=lambda box: (box[0], box[2]),
            )
            if len(lights) != 2:
                continue
            (left, top, x1, _), (x2, top_, right, _) = lights
            if x2 - x1 >= MIN_STRIP * (max(right, x1) - left):
                result.add((image, "brand", x1, min(top, top_), x2, bottom[image]))
    return result


side = st.integers(0, 30)
row = st.builds(
    lambda image, part, end, x, y, w, h: (image, part, end, x, y, x + w, y + h),
    st.sampled_from("ab"),
    st.sampled_from(["light", "light", "window"]),
    st.sampled_from(["front", "back", None]),
    *(side, side, st.integers(1, 10), st.integers(1, 10)),
)


@settings(max_examples=60)
@given(st.lists(row, min_size=1, max_size=8))
def test_matches_the_definitions_taken_one_by_one(rows: list[Row]) -> None:
    bottom = {image: float(max(row[6] for row in rows)) for image in "ab"}
    assert derive(rows, bottom) == slow_parts(rows, bottom)


def test_bottom_is_the_lowest_box_or_the_vehicles() -> None:
    boxes = pd.DataFrame(
        [("a", "car", 80.0), ("a", "shadow", 99.0), ("b", "wheel", 70.0), ("b", "door", 60.0)],
        columns=["image", "name", "y2"],
    )
    assert vehicle_bottom(boxes).to_dict() == {"a": 99.0, "b": 70.0}
    assert vehicle_bottom(boxes, "car").to_dict() == {"a": 80.0, "b": 70.0}


def test_a_brand_is_as_sure_and_as_hand_drawn_as_its_lights() -> None:
    rows: list[Row] = [("a", "light", "front", x, 40, x + 20, 50) for x in (10, 70)]
    rows += [("b", "light", None, x, 40, x + 20, 50) for x in (10, 70)]
    scores, sources = [0.75, 0.5, 1.0, 1.0], ["label", "detector", "label", "label"]
    given = frame(rows).assign(score=scores, source=sources)
    derived = prn_parts(given, pd.Series({"a": 95.0, "b": 95.0}))
    assert derived["score"].tolist() == [*scores, 0.5, 1.0]
    assert derived["source"].tolist() == [*sources, "detector", "label"]

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.boxes import CORNERS, DETECTOR, IDENTITY_MEAN, NAMES, Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.vocabulary import load_vocabulary
from detection.fill import fill_boxes

PRN = load_vocabulary("prn")


def _boxes(rows: list[tuple[str, str, float, float]]) -> Boxes:
    """Make boxes from (image, part, x1, score)."""
    frame = pd.DataFrame(rows, columns=["image", "part", "x1", "score"])
    return Boxes(
        frame.assign(x2=frame["x1"] + 0.1, y1=0.2, y2=0.3 + frame["x1"] / 10, source=DETECTOR)
    )


def _images(identities: dict[str, str | None]) -> Images:
    frame = pd.DataFrame({"image": list(identities), "identity": list(identities.values())})
    return Images(frame, Path())


def _slow_instances(rows: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """The instances of one image: (part, side) -> corners and score."""
    found = {}
    for part in PRN.parts:
        mine = [
            row[[*CORNERS, "score"]].to_numpy(float)
            for _, row in rows.iterrows()
            if row["part"] == part.name
        ]
        if not mine:
            continue
        if part.partner != part.name:
            found[part.name, ""] = max(mine, key=lambda row: row[4])
            continue
        mine = sorted(mine, key=lambda row: (row[0] + row[2]) / 2)
        if len(mine) == 1:
            left = (mine[0][0] + mine[0][2]) / 2 < 0.5
            found[part.name, "left" if left else "right"] = mine[0]
        else:
            found[part.name, "left"], found[part.name, "right"] = mine[0], mine[-1]
    return found


def _slow_fill(boxes: pd.DataFrame, identities: dict[str, str | None]) -> list[tuple]:
    shown = {image: _slow_instances(boxes[boxes["image"] == image]) for image in identities}
    filled = []
    for image, identity in identities.items():
        if identity is None:
            continue
        others = [o for o, i in identities.items() if i == identity and o != image]
        for key in [(p.name, side) for p in PRN.parts for side in ("", "left", "right")]:
            there = [shown[other][key] for other in others if key in shown[other]]
            if key not in shown[image] and there:
                filled.append((image, key[0], *np.round(np.mean(there, axis=0), 9)))
    return sorted(filled)


IMAGES = [f"{n}.jpg" for n in range(7)]
# Distinct positions and scores: between equals neither way is more right.
PLACES = st.lists(st.integers(0, 89), min_size=1, max_size=20, unique=True)


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(["a", "b", None]), min_size=7, max_size=7),
    PLACES,
    st.randoms(use_true_random=False),
)
def test_filling_agrees_with_a_plain_loop(identities, places, random):
    rows = [
        (random.choice(IMAGES), random.choice(PRN.names), place / 100, (90 - place) / 100)
        for place in places
    ]
    boxes, of = _boxes(rows), dict(zip(IMAGES, identities, strict=True))
    result, report = fill_boxes(boxes, _images(of), PRN)
    new = result.frame[result.frame["source"] == IDENTITY_MEAN]
    fast = [(r.image, r.part, *np.round(tuple(r)[2:7], 9)) for r in new.itertuples(index=False)]
    assert sorted(fast) == _slow_fill(boxes.frame, of)
    pd.testing.assert_frame_equal(result.frame[: len(boxes)], boxes.frame)
    assert list(report["part"]) == list(PRN.names)
    totals = report[["detected", "filled", "absent"]].sum(axis=1)
    assert list(totals) == [7, 14, 7]
    assert report["filled"].sum() == len(new)
    again, _ = fill_boxes(result, _images(of), PRN)
    pd.testing.assert_frame_equal(again.frame, result.frame)


def test_left_and_right_lights_are_averaged_apart():
    boxes = _boxes([("1", "light", 0.1, 0.8), ("1", "light", 0.7, 0.6), ("2", "light", 0.2, 0.4)])
    result, report = fill_boxes(boxes, _images({"1": "v", "2": "v", "3": "v"}), PRN)
    new = result.frame[3:].sort_values(["image", "x1"])
    assert list(new["image"]) == ["2", "3", "3"]
    assert new["x1"].to_numpy() == pytest.approx([0.7, 0.15, 0.7])
    assert new["score"].to_numpy() == pytest.approx([0.6, 0.6, 0.6])
    light = report.set_index("part").loc["light"]
    assert list(light[["detected", "filled", "absent"]]) == [3, 3, 0]


def test_only_the_images_given_are_filled_and_count():
    boxes = _boxes([("train", "window", 0.1, 0.8), ("test", "window", 0.7, 0.6)])
    identities = {"train": "v", "train2": "v", "unknown": None}
    result, _ = fill_boxes(boxes, _images(identities), PRN)
    new = result.frame[result.frame["source"] == IDENTITY_MEAN]
    assert list(new["image"]) == ["train2"]
    assert list(new["x1"]) == pytest.approx([0.1])
    assert "test" in set(result.frame["image"])


def test_boxes_of_another_data_set_are_an_error():
    with pytest.raises(InputError, match="another data set"):
        fill_boxes(_boxes([("x", "window", 0.1, 0.8)]), _images({"y": "v"}), PRN)


def test_no_box_at_all_fills_nothing():
    result, report = fill_boxes(Boxes.none(), _images({"1": "v", "2": "v"}), PRN)
    assert len(result) == 0
    assert list(result.frame.columns) == NAMES
    assert list(report["absent"]) == [2, 4, 2]

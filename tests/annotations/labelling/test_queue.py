from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.boxes import DETECTOR, LABEL, Boxes
from annotations.images import Images
from annotations.labelling.queue import plain_order, teaching_order
from annotations.vocabulary import load_vocabulary

PRN = load_vocabulary("prn")
NONE = Boxes.none()


def images(count: int, **columns: list[str | None]) -> Images:
    return Images(pd.DataFrame({"image": [str(n) for n in range(count)], **columns}), Path())


def boxes(*rows: tuple[str, str, float, float], source: str = DETECTOR) -> Boxes:
    """Boxes of (image, part, x1, score), 0.2 wide."""
    frame = pd.DataFrame(rows, columns=["image", "part", "x1", "score"])
    return Boxes(frame.assign(x2=frame["x1"] + 0.2, y1=0.2, y2=0.6, source=source))


def sure(*names: str) -> list[tuple[str, str, float, float]]:
    """Rows of a detector that finds all of a vehicle."""
    parts = [("window", 0.3), ("light", 0.1), ("light", 0.6), ("brand", 0.35)]
    return [(name, part, x, 0.99) for name in names for part, x in parts]


def order(of: Images, *, done=(), labels=NONE, seed=0, **others) -> pd.DataFrame:
    return teaching_order(of, done, PRN, labels=labels, seed=seed, **others)


def reason(found: pd.DataFrame, image: str) -> str:
    return found.set_index("image")["reason"][image]


GROUP = st.sampled_from([None, "a", "b", "c"])
SHARE = st.floats(0, 0.8)
ROW = st.tuples(st.integers(0, 25).map(str), st.sampled_from([*PRN.names, "?"]), SHARE, SHARE)


@settings(max_examples=8)
@given(
    st.lists(st.tuples(GROUP, GROUP, GROUP), min_size=1, max_size=25),
    st.sets(st.integers(0, 30).map(str)),
    *[st.lists(ROW, max_size=25)] * 2,
    st.lists(ROW, max_size=10),
    st.integers(0, 3),
)
def test_every_image_that_is_not_done_comes_once(groups, done, first, second, labels, seed):
    identity, camera, viewpoint = (list(column) for column in zip(*groups, strict=True))
    of = images(len(groups), identity=identity, camera=camera, viewpoint=viewpoint)
    left = [name for name in of.frame["image"] if name not in done]
    drawn = boxes(*labels, source=LABEL)
    for detectors in (
        {},
        {"proposals": boxes(*first)},
        {"proposals": boxes(*first), "earlier": boxes(*second)},
    ):
        found = order(of, done=done, labels=drawn, seed=seed, **detectors)
        assert list(found.columns) == ["image", "priority", "reason"]
        assert sorted(found["image"]) == sorted(left)
        assert found["priority"].between(0, 1).all()
        assert found["priority"].is_monotonic_decreasing
        assert found["reason"].map(bool).all()
        again = order(of, done=done, labels=drawn, seed=seed, **detectors)
        pd.testing.assert_frame_equal(found, again)

        # Three of a vehicle in a row only where no other image is left.
        vehicles = [dict(zip(of.frame["image"], identity, strict=True))[n] for n in found["image"]]
        runs = [(name, len(list(run))) for name, run in groupby(vehicles)]
        assert all(length <= 2 for name, length in runs[:-1] if name is not None)
    plain = plain_order(of, done)
    assert list(plain["image"]) == left
    assert set(plain["reason"]) <= {"in order"}
    assert all(one > other for one, other in pairwise(plain["priority"]))


def test_a_score_near_even_comes_first_and_is_named():
    rows = [("0", "light", 0.1, 0.95), ("1", "light", 0.1, 0.41), ("2", "light", 0.1, 0.8)]
    found = order(images(3), proposals=boxes(*rows))
    assert list(found["image"]) == ["1", "2", "0"]
    assert list(found["reason"]) == [
        "the detector is unsure: light 0.41",
        "the detector is sure of it",
        "the detector is sure of it",
    ]


def test_a_part_missing_that_most_images_show():
    rows = [row for row in sure(*map(str, range(10))) if row[:2] != ("7", "brand")]
    found = order(images(10), proposals=boxes(*rows))
    assert found["image"][0] == "7"
    assert found["reason"][0] == "the detector found no brand, which most images show"


@pytest.mark.parametrize("change", ["moved", "gone", "new"])
def test_what_two_detectors_disagree_on(change):
    proposals = sure("0", "1", "2")
    earlier = [row for row in proposals if row[:2] != ("1", "window")]
    if change == "moved":
        earlier.append(("1", "window", 0.42, 0.99))  # 0.08 / 0.32 = 0.25 overlap
    if change == "new":
        proposals, earlier = earlier, proposals
    found = order(images(3), proposals=boxes(*proposals), earlier=boxes(*earlier))
    assert found["image"][0] == "1"
    assert found["reason"][0] == "two detectors disagree on window"
    assert set(found["reason"][1:]) == {"the detector is sure of it"}


def test_a_detector_that_has_no_box_of_an_image_does_not_disagree():
    found = order(images(2), proposals=boxes(*sure("0", "1")), earlier=boxes(*sure("1")))
    assert set(found["reason"]) == {"the detector is sure of it"}


def test_a_part_rare_among_the_labels():
    labels = [("9", "light", 0.1, 1.0)] * 20 + [("9", "window", 0.1, 1.0)] * 20
    rows = [("0", "light", 0.1, 0.99), ("1", "brand", 0.1, 0.99), ("2", "window", 0.1, 0.99)]
    drawn = boxes(*labels, source=LABEL)
    of = images(10)
    found = order(of, done=[str(n) for n in range(3, 10)], labels=drawn, proposals=boxes(*rows))
    assert found["image"][0] == "1"
    assert found["reason"][0] == "brand is rare so far"


def test_viewpoints_not_or_hardly_labelled():
    views = ["front"] * 6 + ["rear-left", "rear", "rear"]
    found = order(images(9, viewpoint=views), done=["0", "1", "2", "3", "7"])
    assert list(found["image"][:2]) == ["6", "8"]
    assert list(found["reason"][:2]) == [
        "no rear-left image labelled yet",
        "few rear images labelled yet",
    ]
    assert set(found["reason"][2:]) == {"drawn at random"}


def test_a_cold_start_takes_turns_of_vehicles_cameras_and_viewpoints():
    names = [str(n // 8) for n in range(40)]
    of = images(40, identity=names)
    found = order(of, done=["0"])
    vehicles = of.frame.set_index("image")["identity"][found["image"]].tolist()
    assert sorted(vehicles[:4]) == ["1", "2", "3", "4"]
    for start in range(4, 39, 5):
        assert sorted(vehicles[start : start + 5]) == ["0", "1", "2", "3", "4"]
    assert list(found["reason"][:4]) == [f"first image of vehicle {name}" for name in vehicles[:4]]
    assert set(found["reason"][4:]) == {"drawn at random"}

    for column in ("camera", "viewpoint"):
        crowded = images(40, **{column: ["a"] * 30 + ["b"] * 10})
        first = order(crowded)["image"][:20].astype(int)
        assert (first >= 30).sum() == 10


def test_another_seed_draws_another_order_and_labelling_leaves_the_rest_as_it_is():
    of = images(50)
    found = order(of, seed=1)["image"].tolist()
    assert found != order(of, seed=2)["image"].tolist()
    rest = order(of, done=found[:10], seed=1)["image"].tolist()
    assert rest == found[10:]


def test_images_that_the_detector_has_not_looked_at_come_in_the_middle():
    scores = [0.5, 0.55, 0.9, 0.95]
    rows = [(str(n), "light", 0.1, score) for n, score in enumerate(scores)]
    found = order(images(6), proposals=boxes(*rows))
    assert list(found["image"][:2]) == ["0", "1"]
    assert set(found["image"][2:4]) == {"4", "5"}
    assert list(found["image"][4:]) == ["2", "3"]
    assert reason(found, "4") == "drawn at random"


def test_one_doubtful_vehicle_does_not_come_three_times_in_a_row():
    rows = [(str(n), "light", 0.1, 0.5 if n < 6 else 1.0) for n in range(9)]
    of = images(9, identity=["a"] * 6 + ["b", "c", "d"])
    found = order(of, proposals=boxes(*rows))
    vehicles = "".join(of.frame.set_index("image")["identity"][found["image"]])
    assert "aaa" not in vehicles.rstrip("a")
    assert vehicles[0] == "a"


def test_a_thing_done_is_no_more_asked_for():
    of = images(3, identity=["a", "b", "b"])
    assert order(of, done=["0", "1", "2", "no such image"]).empty
    assert plain_order(of, ["0", "1", "2"]).empty
    assert np.dtype(order(of, done=["0", "1", "2"])["priority"].dtype) == np.dtype("float64")

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.boxes import CORNERS, Boxes
from annotations.check import DUPLICATE_IOU, _duplicates, check_labels
from annotations.formats import ForeignLabels
from annotations.importing import import_labels, read_foreign
from annotations.labels import LabelledSet


def test_every_kind_of_problem_is_reported(tmp_path: Path, draw: Callable[..., Path]) -> None:
    for name in ("a.jpg", "bare.jpg", "other.jpg"):
        draw(tmp_path / name, 100, 50)
    (tmp_path / "text.jpg").write_text("text")
    rows = [
        ("a.jpg", "plate", 10.0, 10.0, 50.0, 30.0, None, "row 2"),
        ("a.jpg", "plate", 10.0, 10.0, 50.0, 29.0, None, "row 3"),
        ("a.jpg", "wheel", 10.0, 10.0, 50.0, 30.0, None, "row 4"),
        ("a.jpg", "wheel", 90.0, 10.0, 120.0, 30.0, None, "row 5"),
        ("other.jpg", "wheel", 5.0, 10.0, 5.0, 30.0, None, "row 6"),
        ("text.jpg", "wheel", 1.0, 1.0, 5.0, 3.0, None, "row 7"),
        ("gone.jpg", "wheel", 1.0, 1.0, 5.0, 3.0, None, "row 8"),
    ]
    sizes = {"other.jpg": (50, 100)}
    names = ["a.jpg", "bare.jpg", "other.jpg", "text.jpg", "gone.jpg"]
    images = [(name, *sizes.get(name, (100, 50))) for name in names]
    report = check_labels(ForeignLabels.from_rows(images, rows, tmp_path, "labels"))
    found = report.problems[["problem", "image", "where"]].values.tolist()
    assert sorted(found) == sorted(
        [
            ["missing image", "gone.jpg", ""],
            ["unreadable image", "text.jpg", ""],
            ["size mismatch", "other.jpg", ""],
            ["outside image", "a.jpg", "row 5"],
            ["without area", "other.jpg", "row 6"],
            ["duplicate", "a.jpg", "row 3"],
            ["image without labels", "bare.jpg", ""],
        ]
    )
    assert report.counts.eq(1).all()
    details = report.problems.set_index("problem")["detail"]
    assert details["size mismatch"] == "labels say 50 x 100, file is 100 x 50"
    assert details["duplicate"] == "plate: of row 2"
    assert report.classes.values.tolist() == [["plate", 2, 1, True], ["wheel", 5, 4, True]]
    assert report.images == 5


def test_labelled_set_reports_which_parts_it_labels(labels: LabelledSet) -> None:
    report = check_labels(labels)
    classes = report.classes.set_index("part")
    assert classes.loc["wheel"].tolist() == [3, 2, True]
    assert classes.loc["logo"].tolist() == [0, 0, False]
    assert report.problems[["problem", "image"]].values.tolist() == [
        ["image without labels", "bare.jpg"]
    ]


def test_set_without_boxes(labels: LabelledSet) -> None:
    empty = LabelledSet(labels.images, Boxes.none(), labels.vocabulary, labels.labelled)
    report = check_labels(empty)
    assert report.counts["image without labels"] == 3
    assert report.classes["boxes"].sum() == 0


def test_unreadable_image_with_fractions(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "a.jpg")
    (tmp_path / "bad.jpg").write_text("text")
    (tmp_path / "x.csv").write_text(
        "image,part,x1,y1,x2,y2\na.jpg,plate,0,0,1,1\nbad.jpg,plate,0,0,1,1\n"
    )
    report = check_labels(read_foreign(tmp_path / "x.csv"))
    assert report.problems["problem"].tolist() == ["unreadable image"]


corner = st.integers(0, 30)
rows = st.lists(
    st.builds(
        lambda image, name, x, y, w, h: (image, name, x, y, x + w, y + h),
        *(st.sampled_from("ab"), st.sampled_from("pq"), st.integers(0, 2), st.integers(0, 2)),
        *(st.integers(18, 22), st.integers(18, 22)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=50)
@given(rows)
def test_duplicates_match_a_plain_loop(rows: list[tuple[str, str, int, int, int, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["image", "name", *CORNERS]).astype(
        dict.fromkeys(CORNERS, np.float64)
    )
    frame["where"] = [str(place) for place in range(len(rows))]
    expected = []
    for second, (image, name, *b) in enumerate(rows):
        for image_, name_, *a in rows[:second]:
            width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
            both = width * max(0, min(a[3], b[3]) - max(a[1], b[1]))
            total = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - both
            if (image, name) == (image_, name_) and both / total > DUPLICATE_IOU:
                expected.append(str(second))
                break
    later, earlier = _duplicates(frame)
    assert sorted(later["where"]) == sorted(expected)
    assert all(later["where"].astype(int).to_numpy() > earlier["where"].astype(int).to_numpy())


def test_real_sets_are_clean(real: Path) -> None:
    for path in ("carparts/annotations.json", "plates/boxes.csv"):
        foreign = read_foreign(real / path)
        report = check_labels(foreign)
        assert report.problems.empty
        assert report.classes["boxes"].sum() == len(foreign.boxes)
    imported = check_labels(import_labels(real / "plates" / "boxes.csv", mapping="plates-eia"))
    assert imported.classes.set_index("part").loc["plate"].tolist() == [521, 427, True]

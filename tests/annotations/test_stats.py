from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.boxes import Boxes
from annotations.coverage import coverage, find_rows, not_covered
from annotations.errors import InputError
from annotations.images import Images
from annotations.labels import LabelledSet, label_rows
from annotations.stats import box_sizes, by_viewpoint, count_parts, shown_parts, together
from annotations.vocabulary import load_vocabulary

PARTS = ("window", "light", "brand")
NAMES = [f"{number}.jpg" for number in range(6)]

fraction = st.floats(0.01, 0.5)
boxes = st.lists(
    st.builds(
        lambda image, part, x, y, w, h: (image, part, x, y, x + w, y + h),
        *(st.sampled_from(NAMES), st.sampled_from(PARTS)),
        *(fraction, fraction, fraction, fraction),
    ),
    max_size=25,
)
sides = st.lists(
    st.one_of(st.none(), st.tuples(st.integers(8, 900), st.integers(8, 900))),
    min_size=len(NAMES),
    max_size=len(NAMES),
)
viewpoints = st.lists(
    st.one_of(st.none(), st.sampled_from(["front", "rear", "side"])),
    min_size=len(NAMES),
    max_size=len(NAMES),
)


def labelled(rows: list[tuple], parts: tuple[str, ...] = PARTS, root: str = "r") -> LabelledSet:
    images = Images(pd.DataFrame({"image": NAMES}), Path(root))
    frame = label_rows([row for row in rows if row[1] in parts])
    return LabelledSet(images, Boxes(frame), load_vocabulary("prn"), frozenset(parts))


def showing(rows: list[tuple], part: str) -> set[str]:
    return {row[0] for row in rows if row[1] == part}


def percentile(values: list[float], share: float) -> float:
    if not values:
        return math.nan
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


@settings(max_examples=15)
@given(boxes)
def test_counts_match_a_plain_loop(rows):
    table = count_parts(labelled(rows))
    assert list(table["part"]) == list(PARTS)
    for row in table.itertuples():
        images = showing(rows, row.part)
        assert row.boxes == sum(1 for given_ in rows if given_[1] == row.part)
        assert row.images == len(images)
        assert row.share == pytest.approx(len(images) / len(NAMES))
    shown = shown_parts(labelled(rows))
    for name in NAMES:
        for part in PARTS:
            assert shown.loc[name, part] == (name in showing(rows, part))


@settings(max_examples=15)
@given(boxes, sides)
def test_sizes_match_a_plain_loop(rows, sides):
    known = {name: side for name, side in zip(NAMES, sides, strict=True) if side}
    pixels = pd.DataFrame(
        [(name, *side) for name, side in known.items()], columns=["image", "width", "height"]
    )
    table = box_sizes(labelled(rows), pixels)
    assert len(table) == 6 * len(PARTS)
    for row in table.itertuples():
        values = []
        for image, part, x1, y1, x2, y2 in rows:
            if part != row.part or (row.unit == "pixels" and image not in known):
                continue
            wide, high = known[image] if row.unit == "pixels" else (1, 1)
            width, height = (x2 - x1) * wide, (y2 - y1) * high
            values.append({"width": width, "height": height, "area": width * height}[row.measure])
        assert row.boxes == len(values)
        for name, share in (("p10", 0.1), ("median", 0.5), ("p90", 0.9)):
            assert getattr(row, name) == pytest.approx(percentile(values, share), nan_ok=True)


@settings(max_examples=15)
@given(boxes)
def test_what_is_seen_together_matches_a_plain_loop(rows):
    table = together(labelled(rows))
    for one in PARTS:
        for other in PARTS:
            with_one = showing(rows, one)
            both = with_one & showing(rows, other)
            expected = len(both) / len(with_one) if with_one else math.nan
            assert table.loc[one, other] == pytest.approx(expected, nan_ok=True)


@settings(max_examples=15)
@given(boxes, viewpoints)
def test_parts_by_viewpoint_match_a_plain_loop(rows, words):
    table = by_viewpoint(labelled(rows), pd.Series(words, dtype="string"))
    there = sorted({word for word in words if word})
    assert list(zip(table["viewpoint"], table["part"], strict=True)) == [
        (word, part) for word in there for part in PARTS
    ]
    for row in table.itertuples():
        mine = [n for n, word in zip(NAMES, words, strict=True) if word == row.viewpoint]
        seen = [name for name in mine if name in showing(rows, row.part)]
        assert (row.images, row.showing) == (len(mine), len(seen))
        assert row.share == pytest.approx(len(seen) / len(mine))


def test_a_part_that_was_not_looked_for_is_not_counted():
    rows = [("0.jpg", "window", 0.1, 0.1, 0.2, 0.2)]
    some = labelled(rows, ("window", "light"))
    nothing = pd.DataFrame({"image": [], "width": [], "height": []})
    for table in (count_parts(some), box_sizes(some, nothing), together(some).reset_index()):
        assert set(table["part"]) == {"window", "light"}


cells = st.lists(
    st.tuples(
        st.one_of(st.none(), st.sampled_from(["x", "y", "z"])),
        st.one_of(st.none(), st.sampled_from(["c1", "c2"])),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15)
@given(cells)
def test_coverage_matches_a_plain_loop(cells):
    names = [f"{place}.jpg" for place in range(len(cells))]
    frame = pd.DataFrame(
        {
            "image": names,
            "identity": pd.array([cell[0] for cell in cells], dtype="string"),
            "camera": pd.array([cell[1] for cell in cells], dtype="string"),
        }
    )
    data = Images(frame, Path("r"))
    chosen = [name for name, cell in zip(names, cells, strict=True) if cell[2]]
    if not chosen:
        return
    rows, how = find_rows(Images(pd.DataFrame({"image": chosen}), Path("r")), data)
    assert how == "file"
    columns = ["identity", "camera", "viewpoint"]
    table = coverage(data, rows, columns).set_index("of")
    missing = not_covered(data, rows, columns)
    for place, column in enumerate(columns[:2]):
        there = {cell[place] for cell in cells if cell[place]}
        covered = {cell[place] for cell in cells if cell[place] and cell[2]}
        if not there:
            assert column not in table.index
            continue
        expected = [len(there), len(covered), len(covered) / len(there)]
        assert table.loc[column].tolist() == pytest.approx(expected)
        left = missing[missing["of"] == column]
        assert set(left["value"]) == there - covered
        for row in left.itertuples():
            assert row.images == sum(1 for cell in cells if cell[place] == row.value)
        assert left["images"].is_monotonic_decreasing
    assert "viewpoint" not in table.index


def test_labelled_images_are_found_by_file_before_name(tmp_path):
    def images(root: Path, *names: str) -> Images:
        return Images(pd.DataFrame({"image": list(names)}), root)

    # The same name is another file in another folder; the file decides.
    data = images(tmp_path, "b/1.jpg", "a/1.jpg", "1.jpg")
    rows, how = find_rows(images(tmp_path / "a", "1.jpg", "none.jpg"), data)
    assert (rows.tolist(), how) == ([1, -1], "file")
    rows, how = find_rows(images(tmp_path / "copy", "1.jpg", "2.jpg"), data)
    assert (rows.tolist(), how) == ([2, -1], "name")
    with pytest.raises(InputError, match=r"none of the 1 images .* like '2\.jpg'"):
        find_rows(images(tmp_path / "copy", "2.jpg"), data)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.boxes import CORNERS, Boxes
from annotations.disagreement import CONFLICTS
from annotations.errors import InputError
from annotations.images import Images
from annotations.labels import LabelledSet, label_rows
from annotations.merging import merge_labels
from annotations.vocabulary import Part, Viewpoint, Vocabulary, load_vocabulary

EIA = load_vocabulary("eia")
Corners = tuple[float, float, float, float]
Row = tuple[str, str, float, float, float, float]

A: Corners = (0.0, 0.0, 0.5, 0.5)
NEAR_A: Corners = (0.0, 0.0, 0.5, 0.45)
B: Corners = (0.6, 0.6, 0.9, 0.9)


def labelled(
    root: Path,
    images: list[str],
    rows: list[Row],
    parts: str = "wheel plate",
    vocabulary: Vocabulary = EIA,
) -> LabelledSet:
    table = Images.from_rows([{"image": image} for image in images], root, str(root))
    return LabelledSet(table, Boxes(label_rows(rows)), vocabulary, frozenset(parts.split()))


def of(labels: LabelledSet) -> set[Row]:
    frame = labels.boxes.frame[["image", "part", *CORNERS]]
    return set(frame.itertuples(index=False, name=None))


def listed(conflicts: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(conflicts[["image", "part", "conflict"]].itertuples(index=False, name=None))


def test_images_of_their_own_are_put_together(tmp_path: Path) -> None:
    one = labelled(tmp_path / "x" / "one", ["a.jpg", "s/a.jpg"], [("a.jpg", "wheel", *A)])
    two = labelled(tmp_path / "x" / "two", ["a.jpg"], [("a.jpg", "plate", *B)])
    merged, conflicts = merge_labels({"one": one, "two": two})
    assert merged.images.root == tmp_path / "x"
    assert list(merged.images.frame["image"]) == ["one/a.jpg", "one/s/a.jpg", "two/a.jpg"]
    assert merged.images.paths == [*one.images.paths, *two.images.paths]
    assert of(merged) == {("one/a.jpg", "wheel", *A), ("two/a.jpg", "plate", *B)}
    assert (merged.labelled, merged.vocabulary) == (one.labelled, EIA)
    assert list(conflicts) == CONFLICTS
    assert conflicts.empty


def test_a_root_below_another_keeps_the_upper_names(tmp_path: Path) -> None:
    upper = labelled(tmp_path, ["b.jpg", "s/a.jpg"], [("s/a.jpg", "wheel", *A)])
    lower = labelled(tmp_path / "s", ["a.jpg", "c.jpg"], [("a.jpg", "wheel", *NEAR_A)])
    merged, conflicts = merge_labels({"upper": upper, "lower": lower})
    assert list(merged.images.frame["image"]) == ["b.jpg", "s/a.jpg", "s/c.jpg"]
    assert of(merged) == {("s/a.jpg", "wheel", *A)}
    assert conflicts.empty


def test_a_file_under_two_names_is_one_image(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "one" / "a.jpg")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "b.jpg").symlink_to(tmp_path / "one" / "a.jpg")
    one = labelled(tmp_path / "one", ["a.jpg"], [("a.jpg", "wheel", *A)], "wheel")
    two = labelled(tmp_path / "two", ["b.jpg"], [("b.jpg", "plate", *B)], "plate")
    merged, _ = merge_labels({"one": one, "two": two})
    assert of(merged) == {("one/a.jpg", "wheel", *A), ("one/a.jpg", "plate", *B)}
    draw(tmp_path / "three" / "a.jpg")
    (tmp_path / "three" / "b.jpg").symlink_to(tmp_path / "three" / "a.jpg")
    twice = labelled(tmp_path / "three", ["a.jpg", "b.jpg"], [])
    with pytest.raises(InputError, match="three: two of its images are the same file"):
        merge_labels({"one": one, "three": twice})


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([A], [NEAR_A], []),
        ([A, B], [B, NEAR_A], []),
        ([A], [B], ["elsewhere"]),
        ([A], [], ["only in one"]),
        ([], [B], ["only in one"]),
        ([A, B], [NEAR_A], ["only in one"]),
        ([B], [A, (0.0, 0.6, 0.2, 0.9)], ["elsewhere", "only in one"]),
    ],
)
@pytest.mark.parametrize("prefer", ["first", "last"])
def test_disagreements_are_listed_and_one_set_is_believed(
    tmp_path: Path,
    first: list[Corners],
    second: list[Corners],
    expected: list[str],
    prefer: str,
) -> None:
    one = labelled(tmp_path, ["a.jpg"], [("a.jpg", "wheel", *box) for box in first])
    two = labelled(tmp_path, ["a.jpg"], [("a.jpg", "wheel", *box) for box in second])
    merged, conflicts = merge_labels({"one": one, "two": two}, prefer=prefer)
    assert of(merged) == of(one if prefer == "first" else two)
    assert sorted(conflicts["conflict"]) == sorted(expected)
    sides = ["one", "two"] if prefer == "first" else ["two", "one"]
    assert conflicts[["kept", "other"]].values.tolist() == [sides] * len(expected)


def test_the_threshold_is_the_persons(tmp_path: Path) -> None:
    one = labelled(tmp_path, ["a.jpg"], [("a.jpg", "wheel", *A)])
    two = labelled(tmp_path, ["a.jpg"], [("a.jpg", "wheel", *NEAR_A)])
    _, conflicts = merge_labels({"one": one, "two": two}, overlap=0.95)
    assert listed(conflicts) == [("a.jpg", "wheel", "elsewhere")]
    assert conflicts["iou"].tolist() == pytest.approx([0.9])


def test_more_boxes_than_a_vehicle_has_are_listed(tmp_path: Path) -> None:
    rows: list[Row] = [("a.jpg", "plate", 0.0, 0.0, 0.1 * n, 0.1) for n in (1, 2, 3)]
    one = labelled(tmp_path, ["a.jpg"], rows)
    merged, conflicts = merge_labels({"one": one, "two": labelled(tmp_path, ["b.jpg"], [])})
    assert len(merged.boxes) == 3
    assert listed(conflicts) == [("a.jpg", "plate", "too many")]
    assert conflicts["detail"].tolist() == ["3 boxes, at most 1 expected"]


def test_what_is_known_of_images_is_joined_and_contradictions_listed(tmp_path: Path) -> None:
    def known(**cells: object) -> LabelledSet:
        images = Images.from_rows([{"image": "a.jpg", **cells}], tmp_path, "x")
        return LabelledSet(images, Boxes.none(), EIA, frozenset({"wheel"}))

    one, two = known(identity="7", year=1999), known(identity="8", camera="c1", year=1999)
    merged, conflicts = merge_labels({"one": one, "two": two})
    row = merged.images.frame.loc[0]
    assert (row["identity"], row["camera"], row["year"]) == ("7", "c1", 1999)
    assert conflicts["detail"].tolist() == ["identity: kept 7, not 8"]
    merged, _ = merge_labels({"one": one, "two": two}, prefer="last")
    assert merged.images.frame.loc[0, "identity"] == "8"


def test_sets_of_different_parts_are_merged_only_where_nothing_is_unknown(tmp_path: Path) -> None:
    wheels = labelled(tmp_path, ["a.jpg", "b.jpg"], [("a.jpg", "wheel", *A)], "wheel")
    plates = labelled(tmp_path, ["a.jpg", "b.jpg"], [("a.jpg", "plate", *B)], "plate")
    merged, conflicts = merge_labels({"wheels": wheels, "plates": plates})
    assert merged.labelled == {"wheel", "plate"}
    assert of(merged) == {("a.jpg", "wheel", *A), ("a.jpg", "plate", *B)}
    assert conflicts.empty
    with pytest.raises(
        InputError, match=r"on 1 of 2 images .*\(on 'b.jpg' for plate\).*'partreid parts train'"
    ):
        merge_labels({"wheels": wheels, "plates": plates.only(["a.jpg"])})
    elsewhere = labelled(tmp_path / "s", ["c.jpg"], [], "plate")
    with pytest.raises(InputError, match="on 3 of 3 images nobody looked for some"):
        merge_labels({"wheels": wheels, "plates": elsewhere})


def own(name: str, *parts: Part) -> Vocabulary:
    return Vocabulary(name, parts)


WHEEL = Part(name="wheel", colour="#000000", partner="wheel", count=4)
DOOR = Part(name="door", colour="#ff0000", count=2)
ROOF = Part(name="roof", colour="#00ff00")


def test_vocabularies_are_joined(tmp_path: Path) -> None:
    blue = WHEEL.model_copy(update={"colour": "#0000ff"})
    one = labelled(tmp_path, ["a.jpg"], [], "wheel roof", own("one", ROOF, WHEEL))
    two = labelled(tmp_path, ["a.jpg"], [], "wheel door", own("two", blue, DOOR))
    merged, _ = merge_labels({"one": one, "two": two})
    assert merged.vocabulary == own("one+two", ROOF, WHEEL, DOOR)
    same = labelled(tmp_path, ["a.jpg"], [], "wheel", own("copy of one", ROOF, WHEEL))
    assert merge_labels({"one": one, "same": same})[0].vocabulary.name == "one"
    given = own("given", DOOR, blue, ROOF)
    assert merge_labels({"one": one, "two": two}, vocabulary=given)[0].vocabulary == given
    with pytest.raises(InputError, match="vocabulary 'eia' has no part 'door'"):
        merge_labels({"one": one, "two": two}, vocabulary=EIA)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 2}, "part 'wheel' has count 4 in the vocabulary of one and 2 in that of two"),
        ({"partner": None}, "part 'wheel' has partner wheel in .* of one and None in that of two"),
    ],
)
def test_one_name_for_two_things_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    one = labelled(tmp_path, ["a.jpg"], [], "wheel", own("v", WHEEL))
    other = own("w", WHEEL.model_copy(update=change))
    two = labelled(tmp_path, ["a.jpg"], [], "wheel", other)
    with pytest.raises(InputError, match=message):
        merge_labels({"one": one, "two": two})
    merged, _ = merge_labels({"one": one, "two": two}, vocabulary=other)
    assert merged.vocabulary == other


def test_a_union_of_views_can_be_written_and_read(tmp_path: Path) -> None:
    views = load_vocabulary("views")
    one = labelled(tmp_path / "p", ["a.jpg"], [], "front rear side", views)
    two = labelled(tmp_path / "p", ["a.jpg"], [], "door", own("doors", DOOR))
    merged, _ = merge_labels({"one": one, "two": two})
    merged.write(tmp_path / "out")
    again = LabelledSet.read(tmp_path / "out").vocabulary
    assert again.names == ("front", "rear", "side", "door")
    assert (again.apart, again.viewpoints) == (views.apart, views.viewpoints)
    strange = Vocabulary(
        "x", views.parts, (), (Viewpoint(name="left", shows=("rear",), partner="right"),)
    )
    with pytest.raises(InputError, match="viewpoint 'left' has shows"):
        merge_labels({"one": one, "two": labelled(tmp_path / "p", ["a.jpg"], [], "side", strange)})


def test_mistakes_are_explained(tmp_path: Path) -> None:
    one = labelled(tmp_path, ["a.jpg"], [])
    with pytest.raises(InputError, match="give two labelled sets"):
        merge_labels({"one": one})
    with pytest.raises(InputError, match="did you mean 'first'"):
        merge_labels({"one": one, "two": one}, prefer="frist")


IMAGES, PARTS = ["a.jpg", "b.jpg", "c.jpg"], ["wheel", "plate"]
corners = st.tuples(*[st.floats(0, 0.9), st.floats(0.01, 0.1)] * 2).map(
    lambda four: (four[0], four[2], four[0] + four[1], four[2] + four[3])
)
a_set = st.tuples(
    st.sets(st.sampled_from(IMAGES), min_size=1),
    st.lists(st.tuples(st.sampled_from(IMAGES), st.sampled_from(PARTS), corners), max_size=6),
)


@settings(max_examples=8, deadline=None)
@given(st.lists(a_set, min_size=2, max_size=3), st.sampled_from(["first", "last"]))
def test_any_sets_are_merged_as_said(
    given: list[tuple[set[str], list[tuple[str, str, Corners]]]], prefer: str
) -> None:
    root = Path("nowhere")
    drawn = [
        (sorted(images), [(image, part, *box) for image, part, box in boxes if image in images])
        for images, boxes in given
    ]
    sets = {str(n): labelled(root, images, rows) for n, (images, rows) in enumerate(drawn)}
    merged, conflicts = merge_labels(sets, prefer=prefer)
    expected: set[Row] = set()
    agreed = set()
    for image in IMAGES:
        for part in PARTS:
            told = [
                [r[2:] for r in rows if r[:2] == (image, part)] for s, rows in drawn if image in s
            ]
            if told:
                kept = told[0] if prefer == "first" else told[-1]
                expected |= {(image, part, *box) for box in kept}
                if all(sorted(each) == sorted(kept) for each in told):
                    agreed.add((image, part))
    assert of(merged) == expected
    assert set(merged.images.frame["image"]) == set().union(*(images for images, _ in drawn))
    between = conflicts[conflicts["conflict"] != "too many"]
    assert not agreed & set(zip(between["image"], between["part"], strict=True))

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.boxes import Boxes
from annotations.errors import InputError, suggest
from annotations.images import Images
from annotations.labels import label_rows
from annotations.table import Column, check_table

BOX = ("a.jpg", "light", 0.1, 0.2, 0.3, 0.4)


def test_text_stays_text_and_spaces_go(tmp_path: Path) -> None:
    (tmp_path / "images.csv").write_text("image,identity,camera\na.jpg, 0002,NA\nb.jpg,None,\n")
    frame = Images.read(tmp_path / "images.csv").frame
    assert frame["identity"].tolist() == ["0002", "None"]
    assert frame["camera"][0] == "NA"
    assert frame["camera"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        (["camera"], [["1"]], "column 'image' is missing"),
        (["image"], [["a"], ["a"]], r"row 3 .*the same image twice"),
        (["image"], [["a"], [None]], r"row 3 .*'image' is empty"),
        (["image", "split"], [["a", "trian"]], "did you mean 'train'"),
        (["image", "time"], [["a", "noon"]], r"row 2 .*'time' is neither a number"),
        (["image"], [], "no image"),
    ],
)
def test_bad_images_table_is_named(columns: list[str], rows: list[list[str]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Images(pd.DataFrame(rows, columns=columns), Path(), "images.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x2": 0.1}, "x1 must be smaller than x2"),
        ({"y1": -0.1}, "'y1' is below 0.0"),
        ({"x2": 1.5}, "'x2' is above 1.0"),
        ({"score": float("nan")}, "'score' is empty"),
        ({"source": "guess"}, "'source' is 'guess'"),
        ({"part": ""}, "'part' is empty"),
    ],
)
def test_bad_boxes_table_is_named(change: dict[str, object], message: str) -> None:
    frame = label_rows([BOX, BOX]).assign(**change)
    with pytest.raises(InputError, match=message):
        Boxes(frame)


def test_integer_and_choice_columns_allow_empty_cells() -> None:
    frame = pd.DataFrame({"image": ["a", "b"], "year": [2001, None], "split": ["train", None]})
    checked = Images(frame, Path()).frame
    assert str(checked["year"].dtype) == "Int64"
    assert checked["split"].isna().tolist() == [False, True]


def test_tables_survive_parquet_and_csv(tmp_path: Path) -> None:
    rows = [{"image": "a.jpg", "identity": "01", "year": 1999, "mood": "good"}, {"image": "b.jpg"}]
    images = Images.from_rows(rows, tmp_path, "here")
    boxes = Boxes(label_rows([BOX, BOX]), {"detector": "x"})
    for suffix in (".parquet", ".csv"):
        images.write(tmp_path / f"images{suffix}")
        boxes.write(tmp_path / f"boxes{suffix}")
        again = Images.read(tmp_path / f"images{suffix}")
        pd.testing.assert_frame_equal(again.frame, images.frame, check_dtype=False)
        assert again.root.resolve() == tmp_path.resolve()
        boxes_again = Boxes.read(tmp_path / f"boxes{suffix}")
        pd.testing.assert_frame_equal(boxes_again.frame, boxes.frame)
    assert Boxes.read(tmp_path / "boxes.parquet").about == {"detector": "x"}


def test_unreadable_tables_are_named(tmp_path: Path) -> None:
    for name, content in (("a.parquet", b"PAR1 no"), ("a.csv", b""), ("b.csv", b"\xff\xfe\x00")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            Boxes.read(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        Boxes.read(tmp_path / "absent.csv")


def test_boxes_of_another_data_set_are_refused() -> None:
    images = Images.from_rows([{"image": "z.jpg"}], Path(), "z")
    with pytest.raises(InputError, match="boxes of another data set"):
        Boxes(label_rows([BOX])).of(images)
    assert len(Boxes.none().of(images)) == 0


def test_splits_and_requirements() -> None:
    rows = [{"image": "a", "split": "train", "identity": "1"}, {"image": "b", "split": "query"}]
    images = Images.from_rows(rows, Path("nowhere"), "set")
    assert images.split("query").frame["image"].tolist() == ["b"]
    with pytest.raises(InputError, match="split 'gallery'"):
        images.split("gallery")
    with pytest.raises(InputError, match=r"1 of 2 images have no 'identity'.*'b'"):
        images.require("identity", "training")
    with pytest.raises(InputError, match="2 of 2 image files are missing"):
        images.require_files()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_range_check_is_exact(values: list[float]) -> None:
    frame = pd.DataFrame({"v": values})
    column = Column("v", kind="number", required=True, low=0.0, high=1.0)
    if all(0 <= value <= 1 for value in values):
        assert check_table(frame, [column], [], "t")["v"].tolist() == values
    else:
        with pytest.raises(InputError, match=r"'v' is (below|above)"):
            check_table(frame, [column], [], "t")


def test_suggestion_names_the_nearest_word() -> None:
    assert suggest("windw", ["window", "light"]) == "did you mean 'window'? known: light, window"
    assert suggest("zzz", ["window", "light"]) == "known: light, window"

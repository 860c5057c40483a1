from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from annotations.errors import InputError
from annotations.images import Images
from annotations.pairs import Pairs
from pipelines.fleet.pairs import write_pairs

ROWS = [("a.jpg", "b.jpg", 1), ("a.jpg", "007", 0)]
FRAME = pd.DataFrame(ROWS, columns=["first", "second", "same"])


def check(pairs: Pairs) -> None:
    assert list(pairs.frame["same"]) == [True, False]
    assert pairs.frame["same"].dtype == bool
    assert list(pairs.frame["second"]) == ["b.jpg", "007"]
    assert len(pairs) == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("words", [{}, {1: True, 0: False}])
def test_tables(tmp_path: Path, suffix: str, words: dict[int, bool]) -> None:
    frame = FRAME.assign(same=FRAME["same"].map(words or {1: 1, 0: 0}), level="easy")
    path = tmp_path / f"pairs.{suffix}"
    if suffix == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    pairs = Pairs.read(path)
    check(pairs)
    assert list(pairs.frame["level"]) == ["easy", "easy"]


def test_the_fleets_own_files(tmp_path: Path) -> None:
    write_pairs({"model-easy": FRAME}, tmp_path / "pairs")
    check(Pairs.read(tmp_path / "pairs" / "verification_pairs_model_easy.txt"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.txt", "a b 1\n\na b\n", "line 3: 'a b' is not two images and 0 or 1"),
        ("p.txt", "a b 2\n", "line 1: 'a b 2' is not two images"),
        ("p.txt", "\n", "nothing in it"),
        ("p.csv", "first,second,same\na,b,1\na,,0\n", "row 3 .*'second' is empty"),
        ("p.csv", "first,second,same\na,b,2\n", "row 2 .*'same' is above 1"),
        ("p.csv", "first,second,same\na,b,perhaps\n", "row 2 .*'same' is not a number"),
        ("p.csv", "first,second\na,b\n", "column 'same' is missing"),
        ("p.csv", "first,second,same\n", "no pair"),
    ],
)
def test_mistakes_name_file_and_row(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=f"{name}: {message}"):
        Pairs.read(tmp_path / name)


def test_an_image_that_is_not_in_the_table(tmp_path: Path) -> None:
    images = Images(pd.DataFrame({"image": ["a.jpg", "b.jpg"]}), tmp_path, "table")
    FRAME.to_csv(tmp_path / "p.csv", index=False)
    FRAME.to_csv(tmp_path / "p.txt", sep=" ", header=False, index=False)
    for name, row in (("p.csv", 3), ("p.txt", 2)):
        with pytest.raises(
            InputError, match=rf"{name}: row {row}: table has no image '007' \(1 of 2"
        ):
            Pairs.read(tmp_path / name).require_images(images)
    Pairs(FRAME.iloc[:1]).require_images(images)


def test_rows_are_counted_with_blank_lines_and_contradictions_refused(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("a.jpg b.jpg 1\n\n\na.jpg missing.jpg 0\n")
    images = Images(pd.DataFrame({"image": ["a.jpg", "b.jpg"]}), tmp_path, "table")
    with pytest.raises(InputError, match=r"row 4: table has no image 'missing\.jpg'"):
        Pairs.read(path).require_images(images)
    path.write_text("a.jpg b.jpg 1\na.jpg b.jpg 0\n")
    with pytest.raises(InputError, match=r"'a\.jpg' and 'b\.jpg' are said to be the same and"):
        Pairs.read(path)

import sys

import pandas as pd
import pytest

from annotations.boxes import Boxes
from annotations.images import Images
from annotations.labels import LabelledSet, label_rows
from annotations.vocabulary import load_vocabulary
from pipelines.cli.main import main


@pytest.fixture
def sets(tmp_path):
    """Two sets of one image each says something else about, by their names."""
    for name, part, right in (("one", "wheel", 0.5), ("two", "wheel", 0.1), ("bare", "plate", 0.1)):
        images = Images.from_rows([{"image": "a.jpg"}], tmp_path / "photos", "photos")
        boxes = Boxes(label_rows([("a.jpg", part, 0.0, 0.0, right, 0.5)]))
        vocabulary = load_vocabulary("eia")
        LabelledSet(images, boxes, vocabulary, frozenset({part})).write(tmp_path / name)
    return tmp_path


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["partreid", "parts", "merge", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


@pytest.mark.parametrize(("prefer", "right"), [("first", 0.5), ("last", 0.1)])
def test_conflicts_are_shown_and_written_beside_the_set(monkeypatch, capsys, sets, prefer, right):
    words = (sets / "one", sets / "two", sets / "out", "--prefer", prefer)
    assert run(monkeypatch, *words) == 0
    said = capsys.readouterr().out
    assert "conflicts: 1, on 1 images" in said
    assert "elsewhere" in said
    table = pd.read_csv(sets / "out-conflicts.csv")
    kept = sets / ("one" if prefer == "first" else "two")
    assert table[["image", "part", "conflict", "kept"]].values.tolist() == [
        ["a.jpg", "wheel", "elsewhere", str(kept)]
    ]
    assert table["iou"].tolist() == [pytest.approx(0.2)]
    merged = LabelledSet.read(sets / "out")
    assert merged.boxes.frame["x2"].tolist() == [right]
    assert merged.images.root.resolve() == (sets / "photos").resolve()


def test_without_conflicts_the_table_is_empty(monkeypatch, capsys, sets):
    words = (sets / "one", sets / "bare", sets / "out", "--vocabulary", "eia")
    assert run(monkeypatch, *words) == 0
    assert "conflicts: none" in capsys.readouterr().out
    assert pd.read_csv(sets / "out-conflicts.csv").empty
    assert LabelledSet.read(sets / "out").labelled == {"wheel", "plate"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("one", "two"), "the last folder named"),
        (("one", "two", "bare"), "the last folder named"),
        (("one", "out"), "give two labelled sets"),
        (("one", "one", "out"), "named twice"),
        (("one", "photos", "out"), "not a labelled set"),
        (("one", "two", "out", "--prefer", "frist"), "did you mean 'first'"),
        (("one", "two", "out", "--vocabulary", "prn"), "has no part 'wheel'"),
    ],
)
def test_mistakes_are_one_line_and_change_nothing(monkeypatch, capsys, sets, words, message):
    given = [
        word if word[0] == "-" or "--" in words[i - 1] else sets / word
        for i, word in enumerate(words)
    ]
    assert run(monkeypatch, *given) == 2
    assert message in capsys.readouterr().err
    assert not (sets / "out").exists()
    assert LabelledSet.read(sets / "two").boxes.frame["x2"].tolist() == [0.1]

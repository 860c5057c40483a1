from pathlib import Path

import pandas as pd
import pytest

from annotations.datasets.compcars import VIEWPOINTS as COMPCARS
from annotations.datasets.veri776 import VIEWPOINTS as VERI
from annotations.errors import InputError
from annotations.images import Images
from annotations.viewpoint_words import class_of, mirrored_class
from annotations.viewpoints import shown_from, visible_views
from annotations.vocabulary import Vocabulary, load_vocabulary

VIEWS = load_vocabulary("views")


def table(*words):
    return Images(
        pd.DataFrame({"image": [f"{n}.jpg" for n in range(len(words))], "viewpoint": words}), Path()
    )


def test_semantic_labels_are_those_of_the_paper():
    """A vehicle image with the front-side viewpoint is [1, 0, 1] (front, rear, side)."""
    found = visible_views(table("front-right", "front", "left", "rear-left", "rear+side"), VIEWS)
    assert found.astype(int).tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 1]]


@pytest.mark.parametrize("word", sorted({*VERI.values(), *COMPCARS.values()}))
def test_the_viewpoints_of_public_data_sets_are_known(word):
    shown = shown_from(word, VIEWS)
    assert set(shown) == {"side" if end in ("left", "right") else end for end in word.split("-")}


def test_the_fleets_viewpoints_are_known_and_mirror():
    from pipelines.fleet.traffic import VIEWPOINTS

    by_name = {each.name: each for each in VIEWS.viewpoints}
    for word in VIEWPOINTS:
        swapped = word.replace("left", "x").replace("right", "left").replace("x", "right")
        assert by_name[word].partner == swapped


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("front", "bakc"), r"row 3 \(image '1.jpg'\): viewpoint 'bakc'"),
        (("front+rear",), "no image shows both front and rear"),
        (("front+top",), "view 'top'"),
        (("front", None), "1 of 2 images have no 'viewpoint'.*'1.jpg'"),
    ],
)
def test_wrong_labels_name_their_row(words, told):
    with pytest.raises(InputError, match=told):
        visible_views(table(*words), VIEWS)


def test_the_words_that_are_known_are_told_once_and_in_order():
    with pytest.raises(InputError) as caught:
        visible_views(table("top"), VIEWS)
    told = str(caught.value).partition("known: ")[2].split(", ")
    assert told == sorted({each.name for each in VIEWS.viewpoints} | set(VIEWS.names))


def test_some_of_the_views(tmp_path):
    two = VIEWS.only(("side", "front"))
    assert visible_views(table("front-left", "left"), two).tolist() == [[True, True], [True, False]]
    with pytest.raises(InputError, match="viewpoint 'rear'"):
        visible_views(table("rear"), two)
    assert Vocabulary.from_record(VIEWS.record()) == VIEWS
    assert "viewpoints" not in load_vocabulary("prn").record()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("apart: [[a, c]]", "'c' is not a part"),
        ("viewpoints: [{name: x, shows: [c], partner: x}]", "shows 'c', not a part"),
        ("apart: [[a, b]]\nviewpoints: [{name: x, shows: [a, b], partner: x}]", "are apart"),
        ("viewpoints: [{name: x, shows: [a], partner: y}]", "must be partners mutually"),
        ("viewpoints: [{name: x, shows: [], partner: x}]", "shows"),
    ],
)
def test_a_vocabulary_that_contradicts_itself_is_refused(tmp_path, more, told):
    path = tmp_path / "mine.yaml"
    path.write_text(
        f"parts:\n  - {{name: a, colour: '#000000'}}\n  - {{name: b, colour: '#111111'}}\n{more}\n"
    )
    with pytest.raises(InputError, match=told):
        load_vocabulary(str(path))


@pytest.mark.parametrize(
    ("score", "told"),
    [("high", "is not a"), ("NaN", "is not a"), ("1.5", "is above 1"), ("-1", "is below 0")],
)
def test_a_score_that_is_none_names_file_and_row(tmp_path, score, told):
    path = tmp_path / "mine.csv"
    path.write_text(f"image,viewpoint,viewpoint_score\na.jpg,front,0.5\nb.jpg,rear,{score}\n")
    with pytest.raises(InputError, match=rf"mine\.csv: row 3 .*b\.jpg.*'viewpoint_score' {told}"):
        Images.read(path)


@pytest.mark.parametrize("name", ["mine.csv", "mine.parquet"])
def test_an_empty_score_stays_empty(tmp_path, name):
    frame = table("front", "rear").frame.assign(viewpoint_score=[1.0, float("nan")])
    Images(frame, tmp_path).write(tmp_path / name)
    assert Images.read(tmp_path / name).frame["viewpoint_score"].isna().tolist() == [False, True]


def test_words_that_mean_the_same_are_one_class():
    for viewpoint in VIEWS.viewpoints:
        assert class_of(viewpoint.name, VIEWS) == viewpoint.name
        assert mirrored_class(viewpoint.name, VIEWS) == viewpoint.partner
    # Named by views, nobody said which side it is.
    for word, known in (("front+side", "front-side"), ("side + rear", "rear-side")):
        assert class_of(word, VIEWS) == known
    with pytest.raises(InputError, match="no image shows both front and rear"):
        class_of("front+rear", VIEWS)


def test_views_without_viewpoints_are_classes_of_their_own(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "parts:\n"
        "  - {name: nose, colour: '#112233'}\n"
        "  - {name: left, colour: '#332211', partner: right}\n"
        "  - {name: right, colour: '#221133', partner: left}\n"
    )
    mine = load_vocabulary(str(file))
    assert class_of("left+nose", mine) == class_of(" nose+left ", mine) == "nose+left"
    assert mirrored_class("nose+left", mine) == "nose+right"
    assert mirrored_class("nose", mine) == "nose"
    with pytest.raises(InputError, match=r"viewpoint 'tail': .*nose"):
        class_of("tail", mine)

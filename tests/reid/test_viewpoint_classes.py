from pathlib import Path

import pandas as pd
import pytest

from annotations.datasets.veri776 import VIEWPOINTS
from annotations.errors import InputError
from annotations.images import Images
from reid.data.viewpoint_classes import mirrored_classes, viewpoint_classes
from reid.recipe import parse_recipe
from reid.training.viewpoints import divide_identities

EIGHT = tuple(VIEWPOINTS.values())
OWN = {"ends": ["front", "rear"], "sides": ["left", "right", "side"]}


def table(*words, **columns):
    columns = columns or {"viewpoint": words}
    names = [f"{number}.jpg" for number in range(len(next(iter(columns.values()))))]
    return Images(pd.DataFrame({"image": names, **columns}), Path(), "images.csv")


def told(classes, *words):
    """Return the class's name of each word."""
    names, numbers = viewpoint_classes(table(*words), classes)
    return [names[number] for number in numbers.tolist()]


def test_two_classes_are_the_front_and_everything_else():
    words = (*EIGHT, "side", "front-side", "rear-side", "side+front")
    assert dict(zip(words, told(2, *words), strict=True)) == {
        "front": "front",
        "front-left": "front",
        "front-right": "front",
        "front-side": "front",
        "side+front": "front",
        "rear": "rear",
        "rear-left": "rear",
        "rear-right": "rear",
        "rear-side": "rear",
        "left": "rear",
        "right": "rear",
        "side": "rear",
    }


def test_four_classes_have_the_pure_sides_apart():
    words = (*EIGHT, "rear+side")
    assert told(4, *words) == [
        {"l": "left", "r": "right", "f": "front", "b": "rear"}[letter] for letter in "fblfbrfbb"
    ]


def test_eight_classes_are_the_words_of_veri():
    names, numbers = viewpoint_classes(table(*EIGHT, "front"), 8)
    assert names == EIGHT
    assert numbers.tolist() == [*range(8), 0]
    assert str(numbers.dtype) == "torch.int64"


def test_classes_of_ones_own_keep_their_order():
    names, numbers = viewpoint_classes(table("left", "rear", "side", "front"), OWN)
    assert names == ("ends", "sides")
    assert numbers.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("classes", "words", "message"),
    [
        (2, ("front", "raer"), r"images.csv: row 3 \(image '1.jpg'\): .*did you mean 'rear'"),
        (2, ("front", None, None), r"row 3 \(image '1.jpg'\): no viewpoint, as 2 of 3.*views lab"),
        (4, ("front", "side"), r"row 3 \(image '1.jpg'\): viewpoint 'side' is of none.*2 classes"),
        (8, ("side",), "viewpoint 'side' is of none of the viewpoint classes front, rear, left"),
        (8, ("front", "rear+side"), "row 3 .*'rear.side' is of none"),
        (OWN, ("left", "rear-left"), "row 3 .*viewpoint 'rear-left' is of none.*add it to one"),
        (3, ("front",), "3 viewpoint classes: give 2, 4 or 8"),
        (1, ("front",), "1 viewpoint classes: give 2, 4 or 8"),
        (2, ("front", "front-left"), r"no image is of the viewpoint class 'rear'; .*front \(2\)"),
        (4, ("front", "rear", "left", "rear"), r"class 'right'.*front \(1\), rear \(2\), left"),
        ({"a": ["front"]}, ("front",), "1 viewpoint classes: give at least two"),
        ({"a": ["front"], "b": []}, ("front",), "class 'b' has no viewpoint"),
        ({"a": ["front"], "b": ["raer"]}, ("front",), "class 'b': .*did you mean 'rear'"),
        ({"a": ["front"], "b": ["rear", "front"]}, ("front",), "'front' is in two.*'a' and 'b'"),
    ],
)
def test_what_is_wrong_is_named(classes, words, message):
    with pytest.raises(InputError, match=message):
        viewpoint_classes(table(*words), classes)


@pytest.fixture
def words_of_ones_own(tmp_path):
    """Return a file of views and viewpoints that are called otherwise."""
    path = tmp_path / "own.yaml"
    path.write_text(
        "parts:\n"
        "  - {name: nose, colour: '#112233', partner: nose}\n"
        "  - {name: tail, colour: '#332211', partner: tail}\n"
        "  - {name: port, colour: '#221133', partner: starboard}\n"
        "  - {name: starboard, colour: '#22ff33', partner: port}\n"
        "apart: [[nose, tail], [port, starboard]]\n"
        "viewpoints:\n"
        "  - {name: flank-l, shows: [port], partner: flank-r}\n"
        "  - {name: flank-r, shows: [starboard], partner: flank-l}\n"
    )
    return str(path)


def test_a_vocabulary_of_ones_own_says_what_words_there_are(words_of_ones_own):
    sides = {"ends": ["nose", "tail"], "left": ["flank-l", "nose+port"],
             "right": ["flank-r", "nose+starboard"]}  # fmt: skip
    words = ("nose", "starboard+nose", "flank-l", "nose+port", "flank-r", "tail")
    images = table(viewpoint=words, identity=["1", "1", "1", "2", "2", "2"])
    names, numbers = viewpoint_classes(images, sides, words_of_ones_own)
    assert [names[number] for number in numbers] == ["ends", "right", "left", "left", "right",
                                                      "ends"]  # fmt: skip
    assert mirrored_classes(images, sides, words_of_ones_own).tolist() == [0, 2, 1]
    recipe = parse_recipe(
        {
            "method": "composed",
            "parts": {"use": []},
            "loss": {"viewpoint": {"weight": 1.0, "classes": sides,
                                   "vocabulary": words_of_ones_own}},
        },
        "mine.yaml",
    )  # fmt: skip
    assert parse_recipe(recipe.model_dump(mode="json"), "again") == recipe
    assert divide_identities(recipe, images).shown.all()
    with pytest.raises(InputError, match=r"row 2 .*'nose': known: .*right, side$"):
        viewpoint_classes(images, 2)
    with pytest.raises(InputError, match=r"'ends': viewpoint 'nose'.*\(loss.*vocabulary: views\)"):
        viewpoint_classes(images, sides)
    with pytest.raises(InputError, match=r"views front and rear, which the vocabulary .*own\.yaml"):
        viewpoint_classes(images, 2, words_of_ones_own)
    with pytest.raises(InputError, match="no vocabulary 'viwes'; did you mean 'views'"):
        viewpoint_classes(images, 2, "viwes")


def test_the_vocabulary_is_written_down_where_it_is_another():
    plain = parse_recipe({}, "test")
    assert "vocabulary" not in plain.loss.viewpoint.model_dump()


def test_words_that_mean_the_same_are_of_one_class():
    names, numbers = viewpoint_classes(
        table("side+front", "front-side", "rear"), {"a": ["front-side"], "b": ["rear"]}
    )
    assert [names[number] for number in numbers] == ["a", "a", "b"]
    with pytest.raises(InputError, match=r"'front\+side' is in two classes, 'a' and 'b'"):
        viewpoint_classes(table("front"), {"a": ["front-side"], "b": ["front+side"]})


def test_the_row_of_a_selected_image_is_that_of_its_file():
    images = table(viewpoint=["front", "rear", "raer"], split=["query", "train", "train"])
    with pytest.raises(InputError, match=r"images.csv: row 4 \(image '2.jpg'\)"):
        viewpoint_classes(images.split("train"), 2)
    words, splits = ["front", "front", "rear", None], ["query", "train", "train", "train"]
    images = table(viewpoint=words, split=splits)
    with pytest.raises(InputError, match=r"row 5 \(image '3.jpg'\): no viewpoint"):
        viewpoint_classes(images.split("train").where([False, True, True]), 2)


def test_a_table_without_viewpoints_is_refused():
    with pytest.raises(InputError, match=r"images.csv: no column 'viewpoint'.*views learn"):
        viewpoint_classes(table("x", identity=["1"]), 2)

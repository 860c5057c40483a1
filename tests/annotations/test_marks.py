from itertools import pairwise

import pandas as pd
import pytest

from annotations.errors import InputError
from annotations.images import Images
from annotations.marks import with_marks
from annotations.pairs import Pairs


@pytest.fixture
def place(tmp_path):
    """A data set of five images and six files beside it, each of another content."""
    for name in ("data/a1", "data/a2", "data/b1", "data/t1", "data/t2", *"pqrstu"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def data(place, split=True):
    rows = {
        "image": ["a1", "a2", "b1", "t1", "t2"],
        "identity": ["a", "a", "b", "t", "t"],
        "camera": ["1", "2", "1", "1", "2"],
    }
    if split:
        rows["split"] = ["train", "train", "train", "query", "gallery"]
    return Images(pd.DataFrame(rows), place / "data", "data")


def marks(place, *rows, name="marks.csv"):
    frame = pd.DataFrame(rows, columns=["first", "second", "same"])
    frame.to_csv(place / name, index=False)
    return Pairs.read(place / name)


def identities(made):
    return dict(zip(made.images.frame["image"], made.images.frame["identity"], strict=True))


def test_right_marks_join_what_they_touch_through_others_too(place):
    pairs = marks(place, ("p", "q", 1), ("r", "q", 1), ("s", place / "data/b1", 1), ("t", "p", 0),
                  ("u", "t", 0), ("s", "t", 0))  # fmt: skip
    made = with_marks(data(place), pairs, place)
    told = identities(made)
    names = {name: str(place / name) for name in "pqrstu"}
    assert told[names["p"]] == told[names["q"]] == told[names["r"]]
    assert told[names["s"]] == "b"
    alone = {told[names[name]] for name in "ptu"}
    assert len(alone) == 3 and alone.isdisjoint({"a", "b", "t"})
    assert sorted(made.added) == sorted(names.values())
    frame = made.images.frame.set_index("image").loc[list(names.values())]
    assert (frame["split"] == "train").all() and frame["camera"].isna().all()
    assert made.images.paths[-1].is_file()
    # What the data set said of its own images is as it was.
    pd.testing.assert_frame_equal(made.images.frame.head(5), data(place).frame, check_dtype=False)
    assert "6 images are added to 3 training images" in made.notes[0]
    assert "3 vehicles are new" in made.notes[0]


def test_names_are_as_the_data_set_has_them(place):
    (place / "data/new").write_text("new")
    made = with_marks(data(place), marks(place, (place / "data/new", "data/../data/a1", 1)), place)
    assert made.added == ("new",) and identities(made)["new"] == "a"


def test_vehicles_of_the_test_are_left_out(place):
    pairs = marks(place, ("p", "data/t1", 1), ("p", "q", 1), ("r", "data/a1", 1), ("r", "p", 0))
    made = with_marks(data(place), pairs, place)
    assert made.added == (str(place / "r"),)
    assert made.images.frame["split"].tolist()[3:5] == ["query", "gallery"]
    assert "3 images are left out: their 1 vehicles" in made.notes[1]
    with pytest.raises(InputError, match="none of its images can be trained on"):
        with_marks(data(place), marks(place, ("p", "data/t1", 1), ("q", "p", 1)), place)
    # Where nothing says that there is a test, everything is trained on.
    assert len(with_marks(data(place, split=False), pairs, place).added) == 3


def test_images_that_the_data_set_does_not_know_the_vehicle_of_are_trained_on_now(place):
    frame = data(place).frame
    frame.loc[2, "identity"] = pd.NA
    frame.loc[3:, "split"] = pd.NA
    images = Images(frame, place / "data", "data")
    made = with_marks(images, marks(place, ("data/b1", "data/t1", 1)), place)
    assert made.added == () and identities(made)["b1"] == "t"
    assert made.images.frame["split"].tolist()[:4] == ["train"] * 4
    assert made.images.frame["split"].isna().tolist() == [False] * 4 + [True]
    assert "2 more of data are trained on now" in made.notes[0]


def test_copies_are_one_image(place):
    (place / "copy").write_text("data/a1")
    (place / "again").write_text("p")
    made = with_marks(data(place), marks(place, ("copy", "p", 1), ("again", "q", 1)), place)
    assert sorted(made.added) == [str(place / "p"), str(place / "q")]
    assert identities(made)[str(place / "q")] == "a"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("p", "q", 1), ("s", "t", 1), ("q", "r", 1), ("r", "p", 0)],
            r"row 5 says that 'r' and 'p' are different vehicles, but rows 2 and 4 say",
        ),
        ([("p", "q", 1), ("q", "p", 0)], r"row 3 says .* but row 2 says that they are the same"),
        ([("data/a1", "p", 1), ("p", "data/b1", 1)], r"rows 2 and 3 say that .*a1' and '.*b1' are "
         r"one vehicle, which have the identities a and b in data"),
        ([("data/a1", "data/a2", 0)], "the data set has both as identity a"),
        ([("data/a1", "p", 1), ("data/a2", "p", 0)], "the data set has both as identity a"),
        ([("p", "p", 0)], "they are the same picture"),
        ([("p", "q", 1), ("p", "lost", 0)], r"row 3: no image 'lost'; give --root"),
    ],
)  # fmt: skip
def test_contradictions_name_their_rows(place, rows, message):
    with pytest.raises(InputError, match=message):
        with_marks(data(place), marks(place, *rows), place)


def test_a_long_chain_is_one_vehicle(place):
    files = [f"n{number}" for number in range(500)]
    for name in files:
        (place / name).write_text(name)
    rows = [(one, other, 1) for one, other in pairwise(files)]
    made = with_marks(data(place), marks(place, *rows[::-1]), place)
    assert set(made.images.frame["identity"][5:]) == {"marked-1"}

import numpy as np
import pytest

from annotations.errors import InputError
from annotations.images import Images
from annotations.viewpoints import visible_views
from annotations.vocabulary import load_vocabulary
from reid.attention.settings import ViewpointSettings
from reid.attention.viewpoints import (
    SCORE,
    ViewpointFinder,
    fill_viewpoints,
    told_before,
    train_viewpoints,
)

TINY = ViewpointSettings(
    backbone="resnet18", weights=None, size=32, steps=40, batch=14, lr=0.003, zoom=0.0,
    colour=0.0, hold_out=0.25, precision="float32",
)  # fmt: skip


def train(images, out, settings=TINY):
    return train_viewpoints(images, out, settings, device="cpu", workers=0, progress=False)


def test_viewpoints_are_learned_and_only_empty_ones_are_filled(street, tmp_path):
    images, _ = street
    known = images.frame["viewpoint"].where(np.arange(len(images)) < 42)
    known.iloc[0] = "rear-side"  # a person's word stays, right or wrong
    given = Images(images.frame.assign(viewpoint=known), images.root)
    finder = train(given, tmp_path)
    # The mirror images of corners are corners, too, so both sides are known.
    assert {"front-left", "front-right", "left", "right"} <= set(finder.viewpoints)
    right = finder.tested["found"] == finder.tested["viewpoint"]
    assert len(right) == round(0.25 * 42)
    filled = fill_viewpoints(ViewpointFinder.load(tmp_path), given, device="cpu", progress=False)
    told = filled.frame
    assert (told["viewpoint"][:42] == known[:42]).all()
    assert told[SCORE][:42].isna().all()
    assert told[SCORE][42:].between(0, 1).all()
    end = lambda words: words.str.split("-").str[0].replace({"right": "left"})  # noqa: E731
    assert (end(told["viewpoint"][42:]) == end(images.frame["viewpoint"][42:])).mean() > 0.7
    sure = fill_viewpoints(finder, given, least=1.01, device="cpu", progress=False)
    assert sure.frame["viewpoint"][42:].isna().all()
    assert train(given, tmp_path).viewpoints == finder.viewpoints


@pytest.mark.parametrize(
    ("viewpoint", "words"),
    [(None, "no image has a 'viewpoint' that .* a few hundred, which 'partreid views sample'"),
     ("frnt", "did you mean 'front'"),
     ("front", "a classifier needs two")],
)  # fmt: skip
def test_labels_that_teach_nothing_are_refused(street, tmp_path, viewpoint, words):
    images, _ = street
    with pytest.raises(InputError, match=words):
        train(Images(images.frame.assign(viewpoint=viewpoint), images.root), tmp_path / "net")
    assert not (tmp_path / "net").exists()


def test_views_by_name_are_learned_and_told(street, tmp_path):
    images, _ = street
    quick = TINY.model_copy(update={"steps": 1})
    joined = images.frame["viewpoint"].replace({"front-left": "side+front", "front-right": "front"})
    finder = train(
        Images(images.frame.assign(viewpoint=joined), images.root), tmp_path / "net", quick
    )
    assert {"front-side", "front", "left", "right"} <= set(finder.viewpoints)
    assert "front-left" not in finder.viewpoints
    assert set(finder.tested["viewpoint"]) <= set(finder.viewpoints)
    # A vocabulary of views that names no viewpoint.
    vocabulary = tmp_path / "mine.yaml"
    vocabulary.write_text(
        "parts:\n"
        "  - {name: front, colour: '#112233'}\n"
        "  - {name: left, colour: '#332211', partner: right}\n"
        "  - {name: right, colour: '#221133', partner: left}\n"
    )
    mine = quick.model_copy(update={"vocabulary": str(vocabulary)})
    words = np.where(np.arange(len(images)) % 2, "left+front", "front")
    given = Images(images.frame.assign(viewpoint=words), images.root)
    finder = train(given, tmp_path / "own", mine)
    assert finder.viewpoints == ("front", "front+left", "front+right")
    bare = images.frame.assign(viewpoint=None)
    filled = fill_viewpoints(finder, Images(bare, images.root), device="cpu", progress=False)
    assert visible_views(filled, load_vocabulary(str(vocabulary))).any(1).all()
    wrong = Images(images.frame.assign(viewpoint="top"), images.root, "street")
    with pytest.raises(InputError, match=r"street: row 2 .*viewpoint 'top': .*front, left, right"):
        train(wrong, tmp_path / "wrong", mine)


def test_what_was_told_is_no_label_until_its_score_is_emptied(street, tmp_path):
    images, _ = street
    told = images.frame.assign(**{SCORE: 0.5})
    with pytest.raises(InputError, match=r"56 viewpoints were told before .* empty 'viewpoint_sco"):
        train(Images(told, images.root), tmp_path / "net")
    told.loc[:13, SCORE] = np.nan
    assert told_before(Images(told, images.root)).sum() == 42
    quick = TINY.model_copy(update={"steps": 1, "hold_out": 0.5})
    assert len(train(Images(told, images.root), tmp_path / "net", quick).tested) == 7


@pytest.mark.parametrize(
    ("hold_out", "count", "words"),
    [
        (0.6, 3, r"hold_out=0.6 keeps 2 of 3 .* leaves 1 to learn from, all of viewpoint"),
        (0.9, 3, r"hold_out=0.9 keeps 3 of 3 .* leaves 0 to learn from; .* set hold_out lower"),
    ],
)
def test_a_hold_out_that_leaves_nothing_to_tell_apart_is_refused(
    street, tmp_path, hold_out, count, words
):
    images, _ = street
    settings = TINY.model_copy(update={"hold_out": hold_out})
    with pytest.raises(InputError, match=words):
        train(images.where(np.arange(len(images)) < count), tmp_path / "net", settings)
    assert not (tmp_path / "net").exists()


def test_two_images_of_two_viewpoints_are_enough(street, tmp_path):
    images, _ = street
    settings = TINY.model_copy(update={"hold_out": 0.0, "steps": 1})
    finder = train(images.where(np.arange(len(images)) < 2), tmp_path / "net", settings)
    assert finder.viewpoints == ("front", "rear")


def test_labelled_images_that_cannot_be_read_are_said_before_training(street, tmp_path):
    images, _ = street
    for name in images.frame["image"][:4]:
        (tmp_path / name).write_bytes(b"torn")
    torn = Images(images.frame[:4], tmp_path, "torn")
    with pytest.raises(InputError, match=r"none of 4 images can be read; the first: .*000\.png"):
        train(torn, tmp_path / "net")
    assert not (tmp_path / "net").exists()

import numpy as np
import pytest

from annotations.errors import InputError
from annotations.images import Images
from reid.attention.settings import ViewpointSettings
from reid.attention.viewpoints import SCORE, ViewpointFinder, fill_viewpoints, train_viewpoints

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
    [(None, "no image has a 'viewpoint'"), ("frnt", "did you mean 'front'"),
     ("front", "a classifier needs two")],
)  # fmt: skip
def test_labels_that_teach_nothing_are_refused(street, tmp_path, viewpoint, words):
    images, _ = street
    with pytest.raises(InputError, match=words):
        train(Images(images.frame.assign(viewpoint=viewpoint), images.root), tmp_path / "net")
    assert not (tmp_path / "net").exists()

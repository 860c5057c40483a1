import numpy as np
import pytest

from annotations.errors import InputError
from annotations.images import Images
from annotations.masks import Masks
from reid.attention.agreement import Truth, agreement
from reid.attention.learning import BalancedSampler
from reid.attention.settings import SpanSettings
from reid.attention.span import train_span

TINY = SpanSettings(
    backbone="resnet18", weights=None, size=64, epochs=14, batch=14, cell=4, lr=0.004,
    zoom=0.0, colour=0.0, precision="float32",
)  # fmt: skip
TRUTH = Truth({"front": 1, "rear": 2, "side": 3})


def train(images, foreground, out, settings=TINY):
    return train_span(images, foreground, out, settings, device="cpu", workers=0, progress=False)


def quick(**changes):
    return TINY.model_copy(update={"epochs": 1, **changes})


def test_views_are_told_apart_by_viewpoints_alone(street, foreground, tmp_path):
    images, true = street
    finder, notes = train(images, foreground, tmp_path / "net")
    assert (finder.views, notes) == (("front", "rear", "side"), ())
    found = finder.find(images, tmp_path / "masks", device="cpu", progress=False).found
    tables = [
        agreement(masks, mask, finder.views, TRUTH)
        for masks, mask in zip(found.of(images), true, strict=True)
    ]
    assert np.nanmean([table["iou"] for table in tables]) > 0.6
    assert np.nanmean([table["false"] for table in tables]) < 0.1
    assert finder.vocabulary.names == finder.views


def test_images_without_a_foreground_or_viewpoint_are_left_out(street, tmp_path):
    images, true = street
    whole = ((true > 0) * 255).astype(np.uint8)[:, None]
    whole[0], whole[7] = 0, 255
    names = list(images.frame["image"])
    foreground = Masks.from_values(names[:-1], whole[:-1], ("foreground",), {})
    frame = images.frame.copy()
    frame.loc[1, "viewpoint"] = None
    _, notes = train(Images(frame, images.root), foreground, tmp_path, quick())
    told = "\n".join(notes)
    assert "1 of 56 images have no viewpoint" in told
    assert "000.png: its foreground is 0% of the image" in told
    assert "007.png: its foreground is 100% of the image" in told
    assert "055.png: has no foreground mask" in told
    assert len(notes) == 4
    assert (tmp_path / "problems.txt").read_text().count("\n") == 4


@pytest.mark.parametrize(
    ("viewpoints", "settings", "words"),
    [
        (lambda v: v.where(v == "front"), {}, "no image shows the view 'rear'"),
        (lambda v: v.where(v == "front"), {"views": ("front",)}, "at least two"),
        (
            lambda v: v.where(v.isin(["front-left", "rear"])),
            {},
            "every image that shows 'front' shows 'side'",
        ),
        (lambda v: v.replace("left", "lefft"), {}, "viewpoint 'lefft': did you mean 'left'"),
        (lambda v: v.replace("left", "front+rear"), {}, "no image shows both front and rear"),
        (lambda v: v.where(v == "none"), {}, "have no 'viewpoint'"),
        (lambda v: v, {"views": ("front", "top")}, "has no part 'top'"),
    ],
)
def test_labels_that_teach_nothing_are_refused(
    street, foreground, tmp_path, viewpoints, settings, words
):
    images, _ = street
    frame = images.frame.assign(viewpoint=viewpoints(images.frame["viewpoint"]))
    with pytest.raises(InputError, match=words):
        train(Images(frame, images.root, "street"), foreground, tmp_path / "net", quick(**settings))
    assert not (tmp_path / "net").exists()


def test_foregrounds_of_other_images_are_refused(street, foreground, tmp_path):
    images, _ = street
    frame = foreground.frame.assign(image="x" + foreground.frame["image"])
    other = Masks(frame, foreground.views, foreground.size, source="other")
    with pytest.raises(InputError, match="masks of another data set"):
        train(images, other, tmp_path / "net", quick())


def test_views_of_the_users_own(street, foreground, tmp_path):
    images, _ = street
    vocabulary = tmp_path / "ends.yaml"
    vocabulary.write_text(
        "parts:\n"
        "  - {name: end, colour: '#112233'}\n"
        "  - {name: flank, colour: '#332211'}\n"
        "viewpoints:\n"
        "  - {name: front, shows: [end], partner: front}\n"
        "  - {name: rear, shows: [end], partner: rear}\n"
        "  - {name: left, shows: [flank], partner: left}\n"
        "  - {name: corner, shows: [end, flank], partner: corner}\n"
    )
    words = images.frame["viewpoint"].replace(
        {word: "corner" for word in ("front-left", "front-right", "rear-left", "rear-right")}
    )
    mine = Images(images.frame.assign(viewpoint=words), images.root)
    finder, _ = train(mine, foreground, tmp_path / "net", quick(vocabulary=str(vocabulary)))
    assert finder.views == ("end", "flank")
    assert finder.vocabulary.parts[0].colour == "#112233"


def test_every_group_is_drawn_as_often():
    groups = np.array([0] * 50 + [1] * 5 + [2] * 9)
    sampler = BalancedSampler(groups, 3, lambda: 1)
    drawn = [index for index, _ in sampler]
    assert len(drawn) == len(sampler) == 64
    counts = np.bincount(groups[drawn])
    assert counts.max() - counts.min() <= 2
    assert drawn == [index for index, _ in BalancedSampler(groups, 3, lambda: 1)]
    assert drawn != [index for index, _ in BalancedSampler(groups, 3, lambda: 2)]
    assert len(set(np.array(drawn)[groups[drawn] == 0])) == counts[0]

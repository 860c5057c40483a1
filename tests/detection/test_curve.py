from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

import detection.curve
import detection.train
from annotations.boxes import CORNERS, Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.labels import LabelledSet
from detection.curve import curve_table, plan_curve, train_curve
from detection.gain import doubling_weights, last_gains
from detection.resampled import draw_images, resampled_ap50
from detection.scores import score_boxes
from detection.settings import DetectorSettings

SETTINGS = DetectorSettings(
    weights="yolo11n.yaml", image_size=32, epochs=1, batch=4, hold_out=3, mosaic=0.0
)


def names(labels):
    return list(labels.images.frame["image"])


def test_the_sizes_are_nested_and_tested_on_the_same_images(labels):
    plan = plan_curve(labels, SETTINGS, [5, 2, 5, 9])
    sizes = [len(step.labels) for step in plan.steps]
    assert sizes == [2, 5, 7]
    for small, large in zip(plan.steps, plan.steps[1:], strict=False):
        assert set(names(small.labels)) < set(names(large.labels))
    every = set(names(plan.steps[-1].labels))
    assert len(plan.testing) == 3
    assert every | set(names(plan.testing)) == set(names(labels))
    assert {step.settings.hold_out for step in plan.steps} == {0.0}
    other = plan_curve(labels, SETTINGS.model_copy(update={"seed": 1}), [2, 5])
    assert set(names(other.testing)) != set(names(plan.testing))


@pytest.mark.parametrize(("epochs", "batch"), [(60, 4), (7, 2), (1, 16)])
def test_every_size_has_about_as_many_steps(labels, epochs, batch):
    settings = SETTINGS.model_copy(update={"epochs": epochs, "batch": batch})
    plan = plan_curve(labels, settings, [2, 5])
    most = plan.steps[-1]
    assert most.settings.epochs == epochs
    for step in plan.steps:
        each = -(-len(step.labels) // batch)
        assert step.batches == each * step.settings.epochs
        assert abs(step.batches - most.batches) <= each / 2


def test_what_a_curve_cannot_be_drawn_of_is_an_error(labels):
    for sizes, changes, message in (
        ([7, 9], {}, "from 7 images needs more .* 7 of 10 are left beside 3 held out"),
        ([0, 4], {}, "each at least 1"),
        ([], {}, "give numbers of images"),
        ([2], {"hold_out": 10}, "cannot hold out 10 of 10"),
        ([2], {"hold_out": 0}, "cannot hold out 0 of 10"),
    ):
        with pytest.raises(InputError, match=message):
            plan_curve(labels, SETTINGS.model_copy(update=changes), sizes)
    bare = LabelledSet(labels.images, Boxes.none(), labels.vocabulary, labels.labelled)
    with pytest.raises(InputError, match="no held-out image has a box"):
        plan_curve(bare, SETTINGS, [2])
    held_out = plan_curve(labels, SETTINGS, [2]).testing.boxes
    few = LabelledSet(labels.images, held_out, labels.vocabulary, labels.labelled)
    with pytest.raises(InputError, match="none of the 2 images of the smallest"):
        plan_curve(few, SETTINGS, [2])


def test_unreadable_images_and_copies_of_held_out_ones_are_left_out(labels, tmp_path):
    root = tmp_path / "images"
    shutil.copytree(labels.images.root, root)
    moved = LabelledSet(
        Images(labels.images.frame, root), labels.boxes, labels.vocabulary, labels.labelled
    )
    plan = plan_curve(moved, SETTINGS, [2])
    twin, broken = names(plan.steps[-1].labels)[:2]
    shutil.copy(root / names(plan.testing)[0], root / twin)
    assert plan_curve(moved, SETTINGS, [2]).left_out == (
        f"{twin}: the same file as a held-out image",
    )
    (root / broken).write_text("not an image")
    (problem,) = (p for p in plan_curve(moved, SETTINGS, [2]).left_out if "readable" in p)
    assert broken in problem


def test_a_curve_is_trained_once(labels, tmp_path, monkeypatch):
    plan = plan_curve(labels, SETTINGS, [4])
    scores = train_curve(plan, tmp_path, device="cpu", progress=False)
    assert list(scores) == [4, 7]
    assert all(each.images == 3 for each in scores.values())
    table = curve_table(plan, scores)
    assert list(table["part"]) == ["window", "light", "all"] * 2
    assert table["batches"].tolist() == [2] * 6
    assert table["images"].tolist() == [4] * 3 + [7] * 3
    gains = last_gains(table, scores, names(plan.testing)).set_index("part")
    assert gains["boxes"].tolist() == [3, 6, 9]
    monkeypatch.setattr(detection.train, "PartTraining", None)
    again = curve_table(plan, train_curve(plan, tmp_path, device="cpu", progress=False))
    pd.testing.assert_frame_equal(again, table)
    other = plan_curve(labels, SETTINGS.model_copy(update={"flip": 0.0}), [4])
    with pytest.raises(InputError, match="4: holds a training with other flip"):
        train_curve(other, tmp_path, device="cpu", progress=False)
    fewer = plan_curve(labels, SETTINGS.model_copy(update={"hold_out": 2}), [4])
    with pytest.raises(InputError, match=r"other .*trained_on"):
        train_curve(fewer, tmp_path, device="cpu", progress=False)


@pytest.mark.parametrize("sizes", [[50, 100, 200, 320], [100, 200, 400], [50, 300], [200, 320]])
def test_the_last_doubling_is_read_off_the_curve(sizes):
    # Over the logarithm of the size a straight line gains the same by every doubling.
    line = 0.03 * np.log2(sizes) + 0.2
    assert doubling_weights(sizes) @ line == pytest.approx(0.03)
    assert doubling_weights(sizes).sum() == pytest.approx(0)
    halved = {100: 0.5, 200: 0.7, 400: 0.8}
    assert doubling_weights(list(halved)) @ list(halved.values()) == pytest.approx(0.1)


def scene(images: int = 12) -> tuple[pd.DataFrame, pd.DataFrame]:
    generator = np.random.default_rng(3)
    truth, found = [], []
    for image in range(images):
        for part in ("window", "light"):
            for _ in range(generator.integers(0, 3)):
                low = generator.uniform(0, 0.6, 2)
                box = np.concatenate([low, low + generator.uniform(0.1, 0.4, 2)])
                truth.append((str(image), part, *box))
                near = box + generator.normal(0, 0.03, 4)
                found.append((str(image), part, *near, generator.uniform(0.2, 1)))
            low = generator.uniform(0, 0.6, 2)
            found.append((str(image), part, *low, *(low + 0.2), generator.uniform(0, 0.9)))
    return (
        pd.DataFrame(found, columns=["image", "part", *CORNERS, "score"]),
        pd.DataFrame(truth, columns=["image", "part", *CORNERS]),
    )


def test_a_draw_scores_as_a_table_in_which_images_are_repeated():
    found, truth = scene()
    images, parts = [str(number) for number in range(12)], ["window", "light", "brand"]
    draws = draw_images(12, 5, seed=0)
    assert (draws.sum(axis=1) == 12).all()
    draws[-1] = 0
    draws[-1, 0] = 12  # image 0 shows no window, or no light
    scores = resampled_ap50(found, truth, parts, images, draws)
    for draw, row in zip(draws, scores, strict=True):
        copies = [(name, f"{name}-{k}") for name, n in zip(images, draw, strict=True)
                  for k in range(n)]  # fmt: skip
        tables = [
            pd.concat([f[f["image"] == name].assign(image=copy) for name, copy in copies])
            for f in (found, truth)
        ]
        slow = score_boxes(tables[0], tables[1], parts).set_index("part").loc[parts, "AP50"]
        np.testing.assert_allclose(row, slow.to_numpy(float), atol=1e-9)
    assert np.isnan(scores[:, 2]).all()
    assert not np.isnan(scores[:4, :2]).any()


def test_a_gain_that_every_image_shares_is_sure_and_none_is_none():
    found, truth = scene()
    images = sorted(set(truth["image"]) | set(found["image"]))

    def scored(boxes: pd.DataFrame) -> detection.curve.DetectorScores:
        table = score_boxes(boxes, truth, ["window", "light"])
        return detection.curve.DetectorScores(table, 12, 0, [], boxes, truth)

    exact = truth.assign(score=0.9)
    scores = {100: scored(found), 200: scored(exact), 400: scored(exact)}
    curve = pd.concat([each.table.assign(size=n, images=n) for n, each in scores.items()])
    still = last_gains(curve, scores, images).set_index("part")
    assert still[["gain", "low", "high"]].to_numpy() == pytest.approx(0)
    del scores[400]
    risen = last_gains(curve[curve["size"] < 400], scores, images).set_index("part")
    for part in ("window", "light", "all"):
        row = risen.loc[part]
        assert row["gain"] == pytest.approx(row["AP50"] - row["before"])
        assert 0 < row["low"] < row["gain"] < row["high"]

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.boxes import Boxes
from annotations.labels import LabelledSet, label_rows
from annotations.vocabulary import Part, Vocabulary
from detection.augment import crop_to_vehicle, degrade, fit
from detection.dataset import MirrorParts, PartDataset
from detection.settings import DetectorSettings

SIDES = st.integers(20, 200)


def _coordinates(width: int, height: int) -> np.ndarray:
    """An image whose red and green say where each pixel was, as shares of 250."""
    rows, columns = np.mgrid[:height, :width]
    channels = (columns / (width - 1), rows / (height - 1), np.zeros_like(rows))
    return np.stack([250 * c for c in channels], axis=-1).astype(np.uint8)


@settings(max_examples=60)
@given(SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_a_crop_keeps_every_box_on_its_pixels(width, height, seed):
    generator = np.random.default_rng(seed)
    low = generator.uniform(0, 0.7, (3, 2))
    boxes = np.concatenate([low, low + generator.uniform(0.1, 0.3, (3, 2))], axis=1)
    image = _coordinates(width, height)
    cut, moved = crop_to_vehicle(image, boxes.astype(np.float32), generator)
    assert cut.shape[0] <= height
    assert cut.shape[1] <= width
    assert (moved[:, :2] < moved[:, 2:]).all()
    for (x1, y1, x2, y2), (u1, v1, u2, v2) in zip(boxes, moved, strict=True):
        for x, y, u, v in ((x1, y1, u1, v1), (x2, y2, u2, v2)):
            column = min(int(u * cut.shape[1]), cut.shape[1] - 1)
            row = min(int(v * cut.shape[0]), cut.shape[0] - 1)
            red, green, _ = cut[row, column] / 250
            assert red == pytest.approx(x, abs=2 / width + 0.01)
            assert green == pytest.approx(y, abs=2 / height + 0.01)


def test_a_crop_needs_two_boxes():
    image = _coordinates(40, 40)
    boxes = np.array([[0.4, 0.4, 0.5, 0.5]], np.float32)
    cut, same = crop_to_vehicle(image, boxes, np.random.default_rng(0))
    assert cut is image
    assert same is boxes


@settings(max_examples=40)
@given(SIDES, SIDES, st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_fitting_bounds_the_stretch(width, height, stretch, seed):
    fitted = fit(_coordinates(width, height), 320, stretch, np.random.default_rng(seed))
    assert max(fitted.shape[:2]) == 320
    change = fitted.shape[1] / fitted.shape[0] * height / width
    slack = 1 + 2 / min(fitted.shape[:2])
    assert 1 / (1 + stretch) / slack <= change <= (1 + stretch) * slack


def test_degrading_keeps_the_size_and_loses_detail():
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (120, 90, 3), dtype=np.uint8)
    for _ in range(10):
        worse = degrade(image, generator)
        assert worse.shape == image.shape
        assert worse.dtype == np.uint8
        detail, left = (cv2.Laplacian(i, cv2.CV_64F).var() for i in (image, worse))
        assert left < 0.9 * detail


HANDED = Vocabulary(
    "handed",
    (
        Part(name="window", colour="#000000"),
        Part(name="left light", colour="#000001", partner="right light"),
        Part(name="right light", colour="#000002", partner="left light"),
    ),
)


def _dataset(labels: LabelledSet, vocabulary: Vocabulary, **choices: float) -> PartDataset:
    from ultralytics.cfg import get_cfg

    still = {"crop_to_vehicle": 0, "degrade": 0, "stretch": 0, "mosaic": 0, "flip": 0}
    chosen = DetectorSettings(image_size=64, **{**still, **choices})
    hyp = get_cfg(
        overrides={"mosaic": 0.0, "scale": 0.0, "translate": 0.0, "fliplr": 0.0, "hsv_h": 0.0,
                   "hsv_s": 0.0, "hsv_v": 0.0}
    )  # fmt: skip
    names = dict(enumerate(vocabulary.names))
    data = {"names": names, "nc": len(names), "channels": 3}
    return PartDataset(labels, vocabulary, chosen, img_path="", imgsz=64, hyp=hyp, data=data)


def test_mirroring_moves_boxes_and_swaps_left_and_right(labels):
    name = labels.images.frame["image"][0]
    rows = [(name, "left light", 0.1, 0.6, 0.3, 0.8), (name, "window", 0.1, 0.2, 0.6, 0.4)]
    handed = LabelledSet(
        labels.only([name]).images, Boxes(label_rows(rows)), HANDED, frozenset(HANDED.names)
    )
    plain = _dataset(handed, HANDED)[0]
    mirrored = _dataset(handed, HANDED, flip=1)[0]
    assert plain["cls"].flatten().tolist() == [1, 0]
    assert mirrored["cls"].flatten().tolist() == [2, 0]
    assert (mirrored["img"].numpy() == plain["img"].numpy()[:, :, ::-1]).all()
    expected = plain["bboxes"].numpy().copy()
    expected[:, 0] = 1 - expected[:, 0]
    assert mirrored["bboxes"].numpy() == pytest.approx(expected, abs=1e-6)


def test_a_mirrored_image_was_searched_for_the_mirrored_parts(labels):
    name = labels.images.frame["image"][0]
    row = (name, "left light", 0.1, 0.6, 0.3, 0.8)
    left = LabelledSet(
        labels.only([name]).images, Boxes(label_rows([row])), HANDED, frozenset({"left light"})
    )
    for flip, known, part in ((0, [False, True, False], 1), (1, [False, False, True], 2)):
        item = _dataset(left, HANDED, flip=flip)[0]
        assert item["known"].tolist() == known
        assert item["cls"].flatten().tolist() == [part]


def test_mirroring_happens_as_often_as_asked():
    random.seed(0)
    mirror = MirrorParts(0.25, (0,))

    class Still:
        normalized = True

        def convert_bbox(self, format):
            pass

        def fliplr(self, width):
            pass

    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    times = 0
    for _ in range(1000):
        given = {"img": image, "instances": Still(), "cls": np.zeros((1, 1), np.float32),
                 "known": np.ones(1, bool)}  # fmt: skip
        times += bool((mirror(given)["img"] != image).any())
    assert 200 < times < 300


def test_training_images_keep_boxes_on_drawn_parts(labels):
    random.seed(0)
    vocabulary = labels.vocabulary.only(["window", "light"])
    dataset = _dataset(labels, vocabulary, crop_to_vehicle=1, stretch=0.2, flip=0.5)
    for index in range(len(dataset)):
        item = dataset[index]
        image = item["img"].numpy()
        for part, (x, y, *_) in zip(item["cls"].flatten(), item["bboxes"].numpy(), strict=True):
            red, _, blue = image[:, int(y * 64), int(x * 64)].astype(int)
            assert (blue > red) == (part == 0)

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.errors import InputError
from annotations.pixels import read_image
from annotations.vocabulary import Part, Vocabulary
from detection.card import DetectorCard
from detection.detector import Detector
from detection.letterbox import letterbox
from detection.settings import DetectSettings

LOW = DetectSettings(confidence=0.001, overlap=0.6)


@pytest.fixture
def photos(labels):
    return [read_image(path) for path in labels.images.paths[:4]]


@settings(max_examples=50)
@given(st.integers(8, 400), st.integers(8, 400), st.sampled_from([32, 64, 320]))
def test_a_letterboxed_image_is_whole_and_in_the_middle(width, height, side):
    square = letterbox(np.full((height, width, 3), 7, np.uint8), side)
    left, top, new_width, new_height = square.place.astype(int)
    inside = square.pixels[top : top + new_height, left : left + new_width]
    assert (inside == 7).all()
    assert (square.pixels == 7).sum() == inside.size
    assert max(new_width, new_height) == side
    assert abs(left - (side - left - new_width)) <= 1
    assert abs(top - (side - top - new_height)) <= 1


def test_boxes_agree_with_ultralytics_own_prediction(stirred, stir, trained, labels):
    from ultralytics import YOLO

    images = [np.ascontiguousarray(read_image(p)[:60, :60]) for p in labels.images.paths[:3]]
    found = stirred.detect(images, LOW, capped=False)
    assert found["score"].nunique() > 20
    model = YOLO(trained / "weights.pt")
    stir(model.model.model[-1])
    bgr = [image[..., ::-1] for image in images]
    results = model.predict(
        bgr, imgsz=64, conf=LOW.confidence, iou=LOW.overlap, max_det=1000, verbose=False,
        device="cpu",
    )  # fmt: skip
    for place, theirs in enumerate(results):
        boxes = theirs.boxes
        assert len(boxes) > 5
        ours = found[found["image"] == place]
        # Ultralytics keeps one part per anchor where we keep each part that scores enough.
        for part, score, corners in zip(boxes.cls, boxes.conf, boxes.xyxyn.numpy(), strict=True):
            name = stirred.vocabulary.names[int(part)]
            same = ours[(ours["part"] == name) & np.isclose(ours["score"], score, atol=1e-4)]
            gaps = np.abs(same[["x1", "y1", "x2", "y2"]].to_numpy() - corners)
            assert gaps.max(axis=1).min() < 2e-3


def test_an_image_is_seen_alike_alone_and_in_a_batch(stirred, photos):
    together = stirred.detect(photos, LOW)
    for place, photo in enumerate(photos):
        alone = stirred.detect([photo], LOW).drop(columns="image")
        batched = together[together["image"] == place].drop(columns="image")
        assert list(alone["part"]) == list(batched["part"])
        numbers = ["x1", "y1", "x2", "y2", "score"]
        assert alone[numbers].to_numpy() == pytest.approx(batched[numbers].to_numpy(), abs=1e-4)


def test_no_more_boxes_than_a_part_has(stirred, photos):
    everything = stirred.detect(photos, LOW, capped=False)
    capped = stirred.detect(photos, LOW)
    for (image, part), group in everything.groupby(["image", "part"]):
        limit = stirred.vocabulary[part].count
        kept = capped[(capped["image"] == image) & (capped["part"] == part)]
        assert list(kept["score"]) == sorted(group["score"], reverse=True)[:limit]
    corners = capped[["x1", "y1", "x2", "y2"]].to_numpy()
    assert ((corners >= 0) & (corners <= 1)).all()
    assert (corners[:, :2] < corners[:, 2:]).all()


def test_a_part_can_have_its_own_threshold(stirred, photos):
    everything = stirred.detect(photos, LOW, capped=False)
    level = float(everything["score"].median())
    chosen = DetectSettings(confidence=level, confidences={"light": 0.001}, overlap=0.6)
    found = stirred.detect(photos, chosen, capped=False)
    by_part = found.groupby("part")["score"].min()
    assert by_part["light"] < level <= by_part["window"]
    with pytest.raises(InputError, match="no part 'lihgt'; did you mean 'light'"):
        stirred.detect(photos, DetectSettings(confidences={"lihgt": 0.1}))


def test_sixteen_bits_change_little(stirred, photos):
    squares = torch.from_numpy(np.stack([letterbox(p, 64).pixels for p in photos]))
    with torch.inference_mode():
        exact_boxes, exact_scores = stirred.forward(squares)
        stirred.precision = torch.bfloat16
        boxes, scores = stirred.forward(squares)
    assert (boxes - exact_boxes).abs().mean() < 0.5
    assert (scores - exact_scores).abs().mean() < 0.02
    assert boxes.dtype == torch.float32


def test_nothing_given_nothing_found(detector):
    assert detector.detect([]).empty


def test_a_changed_weights_file_is_an_error(trained, tmp_path):
    for name in ("weights.pt", "detector.json"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    with (tmp_path / "weights.pt").open("ab") as file:
        file.write(b"x")
    with pytest.raises(InputError, match=r"not the weights that detector\.json describes"):
        Detector.load(tmp_path, "cpu")
    (tmp_path / "detector.json").write_text("{}")
    with pytest.raises(InputError, match="not a detector's card"):
        Detector.load(tmp_path, "cpu")
    with pytest.raises(InputError, match="not a trained detector"):
        Detector.load(tmp_path / "none", "cpu")


def test_a_card_keeps_the_vocabulary_whole(trained):
    card = DetectorCard.read(trained)
    assert card.vocabulary == Vocabulary(
        "prn",
        (
            Part(name="window", colour="#1f77b4"),
            Part(name="light", colour="#ff7f0e", partner="light", count=2),
        ),
    )

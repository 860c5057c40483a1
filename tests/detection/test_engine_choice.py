"""A detector gives the same boxes by another engine; the fastest looks at many images."""

import numpy as np
import pytest
import torch
from PIL import Image

import detection.engine_choice as engine_choice
import engines.choice as choice
from annotations.errors import InputError
from annotations.images import Images
from detection.detect import detect_parts
from detection.settings import DetectSettings
from engines.choice import ENGINES, PARITY, SINGLE, TORCH, Tried

LOW = DetectSettings(confidence=0.01)


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    rows = []
    for number in range(7):
        coarse = random.integers(0, 256, (9, 9, 3), dtype=np.uint8)
        name = f"{number}.png"
        Image.fromarray(coarse).resize((60, 40)).save(tmp_path / "images" / name)
        rows.append({"image": name})
    return Images.from_rows(rows, tmp_path / "images", "folder")


@pytest.mark.parametrize("name", ["openvino", "onnx"])
def test_boxes_are_the_same_by_another_engine(name, stirred, folder, tmp_path):
    if why := ENGINES[name].lacks(torch.device("cpu")):
        pytest.skip(why)
    pixels = torch.randint(0, 256, (5, 64, 64, 3), dtype=torch.uint8)
    with torch.inference_mode():
        boxes, scores = stirred.forward(pixels)
        with stirred.computed_by(ENGINES[name], 3, 64):
            found, sure = stirred.forward(pixels)
    torch.testing.assert_close(found, boxes, atol=0.05, rtol=0)
    torch.testing.assert_close(sure, scores, atol=1e-3, rtol=0)
    counts = []
    for engine in (TORCH, name):
        report = detect_parts(
            stirred, folder, tmp_path / engine, LOW, batch=3, engine=engine, progress=False
        )
        counts.append(len(report.boxes.frame))
    assert counts[0] > 10
    assert abs(counts[0] - counts[1]) <= 2  # of nearly equal scores


def test_many_images_are_looked_at_by_the_fastest_engine(stirred, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PARTREID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(choice, "candidates", lambda count: [TORCH, SINGLE])
    measured = []

    def measure(names, using, exact, device, agree):
        with using(SINGLE) as compute:
            torch.testing.assert_close(compute(), exact)
        measured.append((tuple(names), len(exact)))
        return [Tried(TORCH, 10.0, 1.0), Tried(SINGLE, 50.0, 1.0)]

    monkeypatch.setattr(engine_choice, "measure", measure)
    seen = []
    forward = type(stirred).forward
    monkeypatch.setattr(
        type(stirred), "forward",
        lambda self, pixels: seen.append(self.precision) or forward(self, pixels),
    )  # fmt: skip
    stirred.precision = torch.bfloat16
    for _ in range(2):  # the second time nothing is left to look at
        detect_parts(stirred, folder, tmp_path / "a", batch=3, engine="auto", progress=False)
    assert measured == [((TORCH, SINGLE), 6)]
    assert seen[-3:] == [None] * 3
    assert stirred.precision is torch.bfloat16


def test_boxes_are_not_forgotten_for_an_engine_that_is_not_there(
    stirred, folder, tmp_path, monkeypatch
):
    out = tmp_path / "a"
    detect_parts(stirred, folder, out, LOW, batch=3, progress=False)
    before = (out / "boxes.parquet").read_bytes()
    monkeypatch.setattr(type(ENGINES["openvino"]), "lacks", lambda self, device: "is not here")
    with pytest.raises(InputError, match="engine 'openvino': is not here"):
        detect_parts(stirred, folder, out, LOW, redo=True, engine="openvino", progress=False)
    assert (out / "boxes.parquet").read_bytes() == before


@pytest.mark.parametrize(
    ("what", "fine"), [("same", True), ("no scores", False), ("moved", False), ("unsure", True)]
)
def test_an_engine_that_loses_scores_or_moves_boxes_does_not_agree(what, fine):
    generator = torch.Generator().manual_seed(0)
    exact = torch.rand(2, 4 + 3, 2100, generator=generator)
    exact[:, 4:] *= 0.05
    exact[:, 5, :5] = 0.9
    found = exact.clone()
    if what == "no scores":
        found[:, 4:] = 0
    if what == "moved":
        found[:, :4, :5] += 0.02
    if what == "unsure":
        found[:, :4, 5:] += 0.02
    agrees = engine_choice.agreement(3)(found.flatten(1), exact.flatten(1)) >= PARITY
    assert agrees == fine

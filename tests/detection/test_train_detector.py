from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import detection.train
from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.labels import LabelledSet
from detection.detector import Detector
from detection.evaluate import evaluate_detector
from detection.settings import DetectorSettings
from detection.start import find_start
from detection.train import train_detector
from detection.trainer import PartTraining

TINY = DetectorSettings(weights="yolo11n.yaml", image_size=32, epochs=2, batch=4)


def _die(*_args: object) -> None:
    raise KeyboardInterrupt


def _train(labels: LabelledSet, out: Path, **changes: object) -> Detector:
    settings = TINY.model_copy(update=changes)
    return train_detector(labels, out, settings, device="cpu", progress=False)


def test_the_folder_says_what_the_detector_is(trained, labels):
    card = json.loads((trained / "detector.json").read_text())
    assert sorted(p.name for p in trained.iterdir()) == [
        "detector.json", "training.csv", "weights.pt",
    ]  # fmt: skip
    assert [part["name"] for part in card["vocabulary"]["parts"]] == ["window", "light"]
    assert len(card["held_out"]) == 3
    assert set(card["held_out"]) | set(card["trained_on"]) == set(labels.images.frame["image"])
    log = pd.read_csv(trained / "training.csv")
    assert list(log["epoch"]) == [1]
    assert np.isfinite(log.filter(like="loss").to_numpy()).all()


def test_the_same_seed_gives_the_same_weights_without_the_network(labels, tmp_path, monkeypatch):
    asked = []
    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, lambda *args, **_: asked.append(args))
    monkeypatch.setattr(socket.socket, "connect", lambda *args: asked.append(args))
    first = _train(labels, tmp_path / "first", epochs=1)
    assert first.hash == _train(labels, tmp_path / "second", epochs=1).hash
    assert first.hash != _train(labels, tmp_path / "third", epochs=1, seed=1).hash
    assert not asked


def test_a_finished_training_is_only_loaded(labels, tmp_path, monkeypatch):
    first = _train(labels, tmp_path, epochs=1)
    monkeypatch.setattr(detection.train, "PartTraining", None)
    assert _train(labels, tmp_path, epochs=1).hash == first.hash
    with pytest.raises(InputError, match="other epochs, flip"):
        _train(labels, tmp_path, epochs=3, flip=0.0)
    with pytest.raises(InputError, match="other boxes, trained_on"):
        _train(labels.only(labels.images.frame["image"][:6]), tmp_path, epochs=1)


def test_a_killed_training_goes_on(labels, tmp_path, monkeypatch):
    save = PartTraining.save_model

    def save_and_die(self: PartTraining) -> bool:
        save(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PartTraining, "save_model", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            _train(labels, tmp_path, epochs=3)
    assert not (tmp_path / "detector.json").exists()
    with pytest.raises(InputError, match="other epochs"):
        _train(labels, tmp_path, epochs=4)
    epochs = []
    monkeypatch.setattr(
        PartTraining, "save_model", lambda self: epochs.append(self.epoch) or save(self)
    )
    _train(labels, tmp_path, epochs=3)
    assert epochs == [1, 2]
    assert list(pd.read_csv(tmp_path / "training.csv")["epoch"]) == [1, 2, 3]


def test_a_training_killed_at_its_very_end_needs_no_further_epoch(labels, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(
            detection.train, "_keep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            _train(labels, tmp_path, epochs=1)
    monkeypatch.setattr(detection.train, "PartTraining", None)
    assert _train(labels, tmp_path, epochs=1).card.weights


def test_the_last_average_is_what_is_kept(labels, tmp_path, monkeypatch):
    seen = {}
    save = PartTraining.save_model

    def remember(self: PartTraining) -> bool:
        seen.update({k: v.clone().half() for k, v in self.ema.ema.state_dict().items()})
        return save(self)

    monkeypatch.setattr(PartTraining, "save_model", remember)
    _train(labels, tmp_path)
    kept = torch.load(tmp_path / "weights.pt", weights_only=False)["model"].state_dict()
    assert all(torch.equal(kept[name], value) for name, value in seen.items())


def test_an_unreadable_image_is_left_out_and_named(labels, tmp_path):
    root = tmp_path / "images"
    names = list(labels.images.frame["image"][:5])
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((labels.images.root / name).read_bytes())
    (root / names[0]).write_text("not an image")
    few = labels.only(names)
    broken = LabelledSet(Images(few.images.frame, root), few.boxes, few.vocabulary, few.labelled)
    card = _train(broken, tmp_path / "out", epochs=1).card
    assert list(card.unreadable) == [names[0]]
    assert names[0] not in card.trained_on


def test_labels_without_a_box_are_an_error(labels, tmp_path):
    empty = LabelledSet(labels.images, Boxes.none(), labels.vocabulary, labels.labelled)
    with pytest.raises(InputError, match="no box"):
        _train(empty, tmp_path)


@pytest.fixture
def segmenter(tmp_path):
    from ultralytics.nn.tasks import SegmentationModel

    path = tmp_path / "seg.pt"
    torch.save({"model": SegmentationModel("yolo11n-seg.yaml", nc=5, verbose=False)}, path)
    return path


def test_a_segmenting_network_lends_its_weights(labels, segmenter, tmp_path, monkeypatch):
    start = find_start(DetectorSettings(weights=str(segmenter)))
    assert start.architecture == "yolo11n.yaml"
    lent = torch.load(segmenter, weights_only=False)["model"].state_dict()
    begun = {}
    setup = PartTraining.setup_model

    def remember(self: PartTraining):
        result = setup(self)
        begun.update({name: value.clone() for name, value in self.model.state_dict().items()})
        return result

    monkeypatch.setattr(PartTraining, "setup_model", remember)
    _train(labels, tmp_path / "out", epochs=1, weights=str(segmenter))
    same = [name for name in begun if name in lent and torch.equal(begun[name], lent[name])]
    # All but the three class convolutions, whose width is the number of parts.
    assert len(begun) - len(same) == 6


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"weights": "yolo11q.pt"}, "did you mean 'yolo11"),
        ({"weights": "yolo11q.yaml"}, "no architecture 'yolo11q.yaml'"),
        ({"weights": "yolo11n.yaml", "architecture": "yolo11n.yaml"}, "leave 'architecture' out"),
    ],
)
def test_an_unknown_start_is_an_error(choices, message):
    with pytest.raises(InputError, match=message):
        find_start(DetectorSettings(**choices))


def test_a_damaged_weights_file_is_an_error(tmp_path):
    path = tmp_path / "photo.pt"
    Image.new("RGB", (9, 9)).save(path, "jpeg")
    with pytest.raises(InputError, match="not the weights of an ultralytics model"):
        find_start(DetectorSettings(weights=str(path)))


def test_weights_that_cannot_be_fetched_are_an_error(tmp_path, monkeypatch):
    def offline(*_args):
        raise ConnectionError

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("detection.start.attempt_download_asset", offline)
    with pytest.raises(InputError, match=r"from scratch with 'yolo11n\.yaml'"):
        find_start(DetectorSettings())


def test_evaluation_leaves_out_what_was_trained_on(detector, labels):
    scores = evaluate_detector(detector, labels, progress=False)
    assert (scores.images, scores.trained_on, scores.problems) == (3, 7, [])
    assert list(scores.table["part"]) == ["window", "light", "all"]
    assert list(scores.table["boxes"]) == [3, 6, 9]
    with pytest.raises(InputError, match="trained on all 7"):
        evaluate_detector(detector, labels.only(detector.card.trained_on), progress=False)


def test_evaluation_leaves_out_parts_that_nobody_labelled(detector, labels):
    frame = labels.boxes.frame
    windows = LabelledSet(
        labels.images,
        Boxes(frame[frame["part"] == "window"]),
        labels.vocabulary,
        frozenset({"window"}),
    )
    table = evaluate_detector(detector, windows, progress=False).table
    assert list(table["part"]) == ["window", "all"]
    other = LabelledSet(labels.images, Boxes.none(), labels.vocabulary, frozenset({"brand"}))
    with pytest.raises(InputError, match="no part in common"):
        evaluate_detector(detector, other, progress=False)


@pytest.mark.slow
def test_drawn_vehicles_are_learned(draw, tmp_path):
    training, testing = draw(tmp_path / "a", 64), draw(tmp_path / "b", 16, seed=1)
    plain = {"degrade": 0.0, "crop_to_vehicle": 0.0, "mosaic": 0.0}
    detector = _train(training, tmp_path / "out", epochs=40, image_size=96, batch=8, **plain)
    table = evaluate_detector(detector, testing, progress=False).table.set_index("part")
    assert table.loc["all", "AP50"] > 0.8

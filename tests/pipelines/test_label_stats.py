from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.boxes import Boxes
from annotations.images import Images
from annotations.labels import LabelledSet, label_rows
from annotations.vocabulary import load_vocabulary
from detection.evaluate import DetectorScores
from detection.scores import score_boxes
from pipelines.cli.main import main
from pipelines.jobs.label_surroundings import stats_folder

NAMES = [f"{number:02d}.png" for number in range(12)]
VIEWS = ["front", "rear", None]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Labels of twelve images, windows on all and brands on every third, beside their table."""
    root = tmp_path / "data" / "images"
    root.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 255, (12, 20, 40, 3), dtype=np.uint8)
    for name, pixels in zip(NAMES, noise, strict=True):
        Image.fromarray(pixels).save(root / name)
    rows = [(name, "window", 0.25, 0.1, 0.75, 0.6) for name in NAMES]
    rows += [(name, "brand", 0.4, 0.7, 0.6, 0.9) for name in NAMES[::3]]
    images = Images(pd.DataFrame({"image": NAMES}), root, "photos")
    parts = frozenset({"window", "light", "brand"})
    labels = LabelledSet(images, Boxes(label_rows(rows)), load_vocabulary("prn"), parts)
    labels.write(tmp_path / "labels")
    there = [f"images/{name}" for name in NAMES]
    other = there[0].replace("00", "99")
    Image.fromarray(noise[0]).save(tmp_path / "data" / other)
    table = pd.DataFrame(
        {
            "image": [*there, other],
            "identity": [*"aabbccddeeff", "z"],
            "camera": ["c1"] * 13,
            "viewpoint": [*VIEWS * 4, "side"],
        }
    )
    table.to_csv(tmp_path / "data" / "images.csv", index=False)
    return tmp_path


def run(monkeypatch, *words) -> int:
    monkeypatch.setattr(sys, "argv", ["partreid", "parts", "stats", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_tables_and_picture_are_written_beside_the_labels(monkeypatch, capsys, place):
    assert run(monkeypatch, place / "labels", "--data", place / "data") == 0
    out = place / "stats" / "labels"
    assert capsys.readouterr().out.rstrip().endswith(f"tables and pictures: {out}")
    tables = {path.name: pd.read_csv(path) for path in out.glob("*.csv")}
    assert tables["parts.csv"].values.tolist() == [
        ["window", 12, 12, 1.0],
        ["light", 0, 0, 0.0],
        ["brand", 4, 4, pytest.approx(1 / 3)],
    ]
    sizes = tables["sizes.csv"].set_index(["part", "measure", "unit"])["median"]
    assert sizes["window", "width", "pixels"] == pytest.approx(20)
    assert sizes["brand", "height", "pixels"] == pytest.approx(4)
    views = tables["viewpoints.csv"].set_index(["viewpoint", "part"])
    assert views.loc[("front", "brand"), ["images", "share"]].tolist() == [4, 1.0]
    assert views.loc[("rear", "brand"), ["images", "share"]].tolist() == [4, 0.0]
    assert tables["coverage.csv"]["covered"].tolist() == [6, 1, 2]
    assert tables["not-covered.csv"].values.tolist() == [["identity", "z", 1],
                                                         ["viewpoint", "side", 1]]  # fmt: skip
    with Image.open(out / "labels.png") as picture:
        assert picture.width > 1000
    # What an earlier run knew of a data set does not stay behind.
    assert run(monkeypatch, place / "labels") == 0
    told = capsys.readouterr().out
    assert "no viewpoint is known" in told
    assert not {"coverage.csv", "viewpoints.csv"} & {path.name for path in out.iterdir()}


def test_a_set_without_boxes_or_readable_images_is_described(monkeypatch, capsys, place):
    labels = LabelledSet.read(place / "labels")
    bare = LabelledSet(labels.images, Boxes.none(), labels.vocabulary, frozenset({"window"}))
    bare.write(place / "bare")
    for path in labels.images.paths[:2]:
        path.write_text("not an image")
    assert run(monkeypatch, place / "bare", "--out", place / "found") == 0
    told = capsys.readouterr().out
    assert "2 of 12 images cannot be read" in told
    assert "unknown: light, brand" in told
    assert (place / "found" / "labels.png").is_file()


def test_results_are_not_put_among_images_or_into_a_labelled_set(place):
    labels, root = place / "labels", place / "data" / "images"
    assert stats_folder(labels, [root], None) == place / "stats" / "labels"
    assert stats_folder(root / "labels", [root], None) == place / "data" / "stats" / "labels"
    above = stats_folder(root / "labels", [root, place / "data"], None)
    assert above == place / "stats" / "labels"
    assert stats_folder(root / "labels", [place / "data", root], None) == above


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "{labels}/stats"), "is in the labelled set"),
        (("--viewpoint", "viewpoin", "--data", "{data}"), "did you mean 'viewpoint'"),
        (("--sizes", "4"), "add --curve"),
        (("--curve", "--sizes", "4,x"), "--sizes 4,x: give whole numbers"),
        (("--curve",), "a curve from 50 images needs more"),
        (("--curve", "--sizes", "4", "--set", "hold_out=12"), "cannot hold out 12 of 12"),
        (("--curve", "--sizes", "4", "--set", "epoch=3"), "did you mean 'epochs'"),
        (("--curve", "--sizes", "4", "--set", "weights=no.pt"), "no.pt"),
        (("--data", "{other}"), "none of the 12 images"),
    ],
)
def test_a_mistake_is_told_before_anything_is_done(monkeypatch, capsys, place, words, message):
    other = place / "other"
    other.mkdir()
    Image.new("RGB", (9, 9)).save(other / "else.png")
    places = {"labels": place / "labels", "data": place / "data", "other": other}
    assert run(monkeypatch, place / "labels", *[word.format(**places) for word in words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not (place / "stats").exists()


def test_the_curve_answers_by_part(monkeypatch, capsys, place):
    asked = []

    def drawn(planned, out, *, device, redo):
        """Find every window, and brands only with all images."""
        asked.append((out, device, redo))
        truth = planned.testing.boxes.frame
        scores = {}
        for step in planned.steps:
            found = truth.assign(score=0.9)
            if step is not planned.steps[-1]:
                found = found[found["part"] == "window"]
            table = score_boxes(found, truth, ["window", "light", "brand"])
            size = len(step.labels)
            scores[size] = DetectorScores(table, len(planned.testing), 0, [], found, truth)
        return scores

    monkeypatch.setattr("pipelines.jobs.learning_curve.train_curve", drawn)
    changes = ("--set", "hold_out=6", "--set", "weights=yolo11n.yaml", "--set", "epochs=8")
    words = (place / "labels", "--curve", "--sizes", "2,3", *changes, "--device", "cpu", "--redo")
    assert run(monkeypatch, *words) == 0
    out = place / "stats" / "labels"
    assert asked == [(out / "curve", "cpu", True)]
    told = capsys.readouterr().out
    gains = pd.read_csv(out / "gains.csv").set_index("part")
    assert f"window: flat ({gains.loc['window', 'AP50']:.2f} to " in told
    assert gains.loc["window", "verdict"] == "flat"
    assert gains.loc["light", "verdict"] == "unseen"
    assert gains.loc["brand", "gain"] == pytest.approx(gains.loc["brand", "AP50"])
    assert gains.loc["brand", "answer"] in told
    curve = pd.read_csv(out / "curve.csv")
    assert sorted(set(curve["size"])) == [2, 3, 6]
    assert set(curve["batches"]) == {8}
    with Image.open(out / "curve.png") as picture:
        assert picture.width > 1000

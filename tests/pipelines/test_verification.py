import json
import re
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images
from annotations.labels import LabelledSet
from annotations.vocabulary import load_vocabulary
from detection.settings import DetectorSettings
from detection.train import train_detector
from pipelines.cli.main import main
from pipelines.jobs.calibration import calibrate
from pipelines.jobs.pairs_asked import PairsAsked
from pipelines.jobs.verification import verify
from pipelines.recipes import load_recipe
from pipelines.report.pairs_page import order
from reid.evaluation.protocols.pairs import draw_pairs
from reid.explain.says import absence, colour_of, signed
from reid.training.fit import fit
from reid.verification.calibration import Calibration
from reid.verification.judgement import NO_COMMON_PART

SMALL = ["epochs=1", "image.height=32", "image.width=32", "batch.size=8"]
SMALL += ["parts={vocabulary: prn, use: [window, light, brand]}"]
EIANET = ["backbone={name: resnet10t, weights: null}", "label=model", "batch.size=6",
          "batch.per_identity=2", "dimension=8"]  # fmt: skip


def train(fleet, out, recipe, changes):
    boxes = Boxes.read(fleet / "boxes/prn.parquet")
    fit(load_recipe(recipe, [*SMALL, *changes]), read_images(fleet), boxes, out,
        device="cpu", workers=0, progress=False)  # fmt: skip


def learn(run, fleet, **given):
    asked = {
        "dataset": None, "pairs": None, "same": ("identity",), "split": (),
        "boxes": fleet / "boxes/prn.parquet", "branches": "global", "device": "cpu",
        "count": None if "pairs" in given else 400, "seed": None,
    }  # fmt: skip
    return calibrate(run, fleet, **{**asked, **given})


@pytest.fixture(scope="module")
def work(fleet, tmp_path_factory):
    """A folder with a PRN and an EIA-Net that hardly learned, calibrated to tell vehicles apart."""
    folder = tmp_path_factory.mktemp("work")
    for recipe, changes in (("prn-demo", []), ("eianet-small", EIANET)):
        run = folder / recipe / "run"
        train(fleet, run, recipe, changes)
        learn(run, fleet)
    return folder


@pytest.fixture
def pairs(fleet, tmp_path):
    """A CSV of five pairs whose truth is known, one with a file that is no image."""
    for name in ("000000.jpg", "000001.jpg", "000002.jpg", "000003.jpg"):
        shutil.copy(fleet / "images" / name, tmp_path / name)
    (tmp_path / "bad.jpg").write_bytes(b"nothing")
    images = fleet.resolve() / "images/000004.jpg"
    path = tmp_path / "pairs.csv"
    path.write_text(
        "first,second,same\n000000.jpg,000001.jpg,1\n000000.jpg,000002.jpg,0\n"
        f"000001.jpg,bad.jpg,1\n000003.jpg,{images},0\n000002.jpg,000002.jpg,1\n"
    )
    return path


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["partreid", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


@pytest.mark.parametrize("recipe", ["prn-demo", "eianet-small"])
def test_pairs_are_judged_and_shown(work, fleet, pairs, tmp_path, capsys, recipe):
    run = work / recipe / "run"
    asked = PairsAsked.read(pairs)
    boxes = fleet / "boxes/prn.parquet"
    judged = verify(asked, run, boxes, None, tmp_path / "out", work, "cpu")
    said = capsys.readouterr().out
    assert "bad.jpg: not a readable image" in said
    assert "1 unreadable" in said
    table = pd.read_csv(tmp_path / "out/results.csv")
    known = table["judged"].dropna()
    assert f"{int((known == 'right').sum())} of 4 pairs right" in said
    assert table.loc[2, "note"] == "unreadable"
    assert table.loc[2, ["distance", "probability", "same"]].isna().all()
    calibration = Calibration.read(run)
    read = table.drop(index=2)
    expected = calibration.whole.probability(read["distance"])
    np.testing.assert_allclose(read["probability"], expected)
    assert (read["same"] == (expected >= 0.5)).all()
    # An image is as near to itself as can be, and each of its parts says so.
    assert table.loc[4, "distance"] == pytest.approx(0, abs=1e-6)
    seen = judged.evidence.seen[4].all(axis=1)
    for place, part in enumerate(judged.evidence.parts):
        says = table.loc[4, f"log-odds {part}"]
        expected = calibration.parts[part].say(0.0) if seen[place] else np.nan
        assert says == pytest.approx(expected, abs=1e-4, nan_ok=True)
    assert seen.any()
    page = (tmp_path / "out/results.html").read_text()
    assert page.count("<section") == 5
    assert page.count("data:image/jpeg") == 8 + 1  # the pair of an image with itself shows it twice
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_two_images_are_judged_by_the_one_calibrated_run(
    work, fleet, tmp_path, monkeypatch, capsys
):
    one, other = (fleet / f"images/00000{n}.jpg" for n in (0, 1))
    words = ("verify", one, other, "--boxes", fleet / "boxes/prn.parquet", "--device", "cpu")
    assert command(monkeypatch, *words, "--work", work / "eianet-small",
                   "--out", tmp_path / "out") == 0  # fmt: skip
    said = capsys.readouterr().out
    assert re.search(r"same vehicle: (yes|no), probability 0\.\d\d \(distance", said)
    for part in ("window", "light", "brand"):
        assert part in said
    assert (tmp_path / "out/results.html").is_file()
    assert command(monkeypatch, *words, "--work", work, "--out", tmp_path / "o") == 2
    assert "several calibrated runs" in capsys.readouterr().err


def test_no_common_part_is_said(work, fleet, tmp_path, capsys):
    named = Boxes.read(fleet / "boxes/prn.parquet")
    image, part = named.frame["image"], named.frame["part"]
    keep = (image == "000000.jpg") & (part == "window")
    keep |= (image == "000001.jpg") & (part == "light")
    Boxes(named.frame[keep], named.about).write(tmp_path / "boxes.parquet")
    asked = PairsAsked.of_two(*(fleet / f"images/00000{n}.jpg" for n in (0, 1)))
    run = work / "prn-demo/run"
    verify(asked, run, tmp_path / "boxes.parquet", None, tmp_path / "out", work, "cpu")
    said = capsys.readouterr().out
    assert NO_COMMON_PART in said
    assert "not seen in B" in said
    assert "No part is seen in both images" in (tmp_path / "out/results.html").read_text()


def test_prn_judges_without_boxes_and_says_so(work, fleet, tmp_path, capsys):
    asked = PairsAsked.of_two(*(fleet / f"images/00000{n}.jpg" for n in (0, 1)))
    judged = verify(asked, work / "prn-demo/run", None, None, tmp_path / "out", work, "cpu")
    assert "judged without parts: give --detector" in capsys.readouterr().out
    assert judged.table["note"].tolist() == [""]


def test_the_detector_beside_the_run_is_taken_and_its_boxes_kept(work, fleet, tmp_path, capsys):
    job = tmp_path / "job"
    shutil.copytree(work / "eianet-small/run", job / "reid-eianet-small")
    scratch = DetectorSettings(weights="yolo11n.yaml", image_size=64, epochs=1, batch=8)
    labels = LabelledSet.read(fleet / "labels")
    train_detector(labels, job / "detector", scratch, device="cpu", progress=False)
    asked = PairsAsked.of_two(*(fleet / f"images/00000{n}.jpg" for n in (0, 1)))
    for _ in range(2):
        verify(asked, None, None, None, tmp_path / "out", tmp_path, "cpu")
        said = capsys.readouterr().out
        assert f"part detector: {job / 'detector'}" in said
        assert "not of the detector that the run was calibrated with" in said
    assert len(list((tmp_path / "out").glob("parts-*/boxes.parquet"))) == 1
    recipe = load_recipe("eianet-small", [*SMALL, *EIANET, "parts={vocabulary: eia, use: [wheel]}"])
    boxes = Boxes.read(fleet / "boxes/eia.parquet")
    other = job / "reid-wheels"
    fit(recipe, read_images(fleet), boxes, other, device="cpu", workers=0, progress=False)
    learn(other, fleet, boxes=fleet / "boxes/eia.parquet")
    with pytest.raises(InputError, match=r"and not wheel, which .* looks at"):
        verify(asked, other, None, None, tmp_path / "o", tmp_path, "cpu")
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("first,second\n{a},{a}\n{a},lost.jpg\n", "row 3: no image 'lost.jpg' in"),
        ("first,second,same\n{a},{a},2\n", "'same' is above 1"),
        ("first\n{a}\n", "column 'second' is missing"),
        ("first,second\n", "no pair"),
    ],
)
def test_wrong_pairs_are_named(fleet, tmp_path, content, message):
    path = tmp_path / "pairs.csv"
    path.write_text(content.format(a=fleet.resolve() / "images/000000.jpg"))
    with pytest.raises(InputError, match=message):
        PairsAsked.read(path)


def test_text_pairs_start_from_a_root(fleet):
    path = next((fleet / "pairs").glob("*.txt"))
    with pytest.raises(InputError, match=r"row 1: no image .* give --root"):
        PairsAsked.read(path)
    asked = PairsAsked.read(path, fleet / "images")
    assert asked.frame["same"].notna().all()
    with pytest.raises(InputError, match="give a second one, or a CSV"):
        PairsAsked.read(fleet / "images/000000.jpg")
    with pytest.raises(InputError, match="no such image"):
        PairsAsked.of_two(fleet / "images/000000.jpg", fleet / "lost.jpg")


def test_what_is_missing_is_said_before_any_work(work, fleet, tmp_path):
    asked = PairsAsked.of_two(*(fleet / f"images/00000{n}.jpg" for n in (0, 1)))
    out = tmp_path / "out"

    def refused(run, message, **more):
        given = {"boxes": None, "detector": None, **more}
        with pytest.raises(InputError, match=message):
            verify(asked, run, out=out, work=tmp_path, device="cpu", **given)
        assert not out.exists()

    refused(None, "no run beneath it; make one with 'partreid train'")
    run = tmp_path / "job/run"
    shutil.copytree(work / "eianet-small/run", run)
    refused(run, "its network looks at parts, and there is no detector")
    refused(run, "give one of the two", boxes=out, detector=out)
    refused(run, "not a trained detector", detector=tmp_path)
    boxes = Boxes.read(fleet / "boxes/prn.parquet")
    vocabulary = load_vocabulary("prn").only(["window"]).record()
    Boxes(boxes.frame, {"vocabulary": vocabulary}).write(tmp_path / "few.parquet")
    refused(run, "finds window, and not light, brand", boxes=tmp_path / "few.parquet")
    path = run / Calibration.FILE
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "model": "0" * 64}))
    refused(run, "of other weights")
    path.unlink()
    refused(run, "run 'partreid calibrate .*run DATA' first")
    refused(None, "no calibrated run; calibrate one first: partreid calibrate")


def test_calibration_says_what_it_was_learned_from(work, fleet, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(work / "eianet-small/run", run)
    frame = read_images(fleet).training().frame
    couples = frame.merge(frame, how="cross", suffixes=("", "_2")).query("image < image_2")
    truth = (couples["identity"] == couples["identity_2"]).astype(int)
    for name, same in (("pairs", truth), ("wrong", 1 - truth)):
        table = {"first": couples["image"], "second": couples["image_2"], "same": same}
        pd.DataFrame(table).to_csv(tmp_path / f"{name}.csv", index=False)
    made = learn(run, fleet, pairs=tmp_path / "pairs.csv", same=())
    said = capsys.readouterr().out
    assert "of 24 images are ones to train on" in said
    assert f"same model? {len(truth)} pairs ({truth.sum()} same)" in said
    for word in ("accuracy", "Brier score", "calibration error", "window"):
        assert word in said
    assert made == Calibration.read(run)
    assert made.same == ("make", "model")
    assert made.source == str(tmp_path / "pairs.csv")
    assert Image.open(run / "calibration.png").size[0] > 400

    made = learn(run, fleet, split=("query", "gallery"))
    assert "are ones to train on" not in capsys.readouterr().out
    assert made.question == "same vehicle"
    assert made.source.startswith("pairs drawn from")
    before = (run / Calibration.FILE).read_bytes()
    learn(run, fleet, split=("query", "gallery"))
    assert (run / Calibration.FILE).read_bytes() == before
    for given, message in (
        ({"pairs": tmp_path / "wrong.csv"}, "does not tell them apart"),
        ({"split": ("validation",)}, "no image has split 'validation'"),
        ({"boxes": None}, "give --boxes"),
        ({"same": ("kinds",)}, "no column 'kinds'"),
        ({"pairs": tmp_path / "wrong.csv", "split": ("train",)}, "--split: is for pairs that are"),
        ({"pairs": tmp_path / "wrong.csv", "count": 50}, "--count: is for pairs that are drawn"),
        ({"pairs": tmp_path / "wrong.csv", "seed": 0}, "--seed: is for pairs that are drawn"),
    ):
        with pytest.raises(InputError, match=message):
            learn(run, fleet, **given)
        assert (run / Calibration.FILE).read_bytes() == before


def test_images_of_no_split_are_not_drawn_from(work, fleet, tmp_path, capsys):
    # Published sets leave images of their other test lists without a split.
    images = read_images(fleet)
    frame = images.frame.assign(split=images.frame["split"].where(images.frame["split"] == "train"))
    Images(frame, images.root).write(tmp_path / "images.parquet")
    run = tmp_path / "run"
    shutil.copytree(work / "prn-demo/run", run)
    boxes = fleet / "boxes/prn.parquet"
    made = learn(run, tmp_path / "images.parquet", boxes=boxes, count=40)
    assert "warning: 24 of 24 images are ones to train on" in capsys.readouterr().out
    assert made.pairs == 40


def test_pairs_of_another_question_are_noticed(work, fleet, tmp_path, capsys):
    images = read_images(fleet)
    some = draw_pairs(images.split("train"), ["identity"], 80).frame
    some["same"] ^= np.arange(len(some)) % 16 == 0
    some.astype({"same": int}).to_csv(tmp_path / "pairs.csv", index=False)
    run = tmp_path / "run"
    shutil.copytree(work / "prn-demo/run", run)
    asked = {"boxes": fleet / "boxes/prn.parquet", "pairs": tmp_path / "pairs.csv"}
    learn(run, fleet, **asked)
    assert f"{-(-len(some) // 16)} of {len(some)} pairs are wrong" in capsys.readouterr().out
    some["same"] ^= np.arange(len(some)) % 16 == 0
    some.astype({"same": int}).to_csv(tmp_path / "pairs.csv", index=False)
    learn(run, fleet, **asked)
    assert "are wrong" not in capsys.readouterr().out
    with pytest.raises(InputError, match="has no column 'modle'"):
        learn(run, fleet, **asked, same=("modle",))


def test_the_page_begins_with_the_surest_mistake_and_ends_with_what_cannot_be_read():
    probability = pd.Series([0.9, 0.45, np.nan, 0.3, 0.95, 0.6])
    judged = SimpleNamespace(table=pd.DataFrame({"probability": probability}))
    right = pd.Series([True, True, pd.NA, False, False, pd.NA], dtype="boolean")
    assert order(judged, right).tolist() == [4, 3, 1, 5, 0, 2]


def test_how_a_say_looks():
    assert colour_of(0.0) == colour_of(-1e-9)
    assert colour_of(9.0) == colour_of(2.0) != colour_of(1.0) != colour_of(-1.0)
    assert [signed(say) for say in (1.25, -0.04, -2.0)] == ["+1.2", "0.0", "\N{MINUS SIGN}2.0"]
    sides = [(True, True), (True, False), (False, True), (False, False)]
    assert [absence(*each) for each in sides] == ["", "not seen in B", "not seen in A", "not seen"]


@pytest.mark.parametrize("name", ["calibrate", "verify"])
def test_the_commands_explain_themselves(monkeypatch, capsys, name):
    assert command(monkeypatch, name, "--help") == 0
    assert "Usage:" in capsys.readouterr().out

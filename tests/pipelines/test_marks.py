"""From the marks of the search page to a network trained and calibrated with them."""

import itertools
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.images import Images
from pipelines.cli.main import main
from pipelines.recipes import load_recipe
from reid.methods import build_model
from reid.retrieval.service.marks import Marks
from reid.run import Run, save_model
from reid.verification.calibration import Calibration
from reid.verification.curve import fit_curve
from reid.verification.described import describe
from reid.verification.pair_distances import whole_distances

SMALL = ["image.height=32", "image.width=32", "epochs=1", "batch.size=8"]


def command(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["partreid", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    return stopped.value.code or 0, said.out, said.err


@pytest.fixture
def marks(fleet, tmp_path):
    """What was said of copies of four of the fleet's vehicles; one is joined to the original."""
    images = read_images(fleet).training()
    said = Marks(tmp_path / "marks.jsonl")
    vehicles = list(images.frame.groupby("identity")["image"].apply(list))[:4]
    roots = [tmp_path / "left", tmp_path / "right"]
    for number, names in enumerate(vehicles):
        for name in names:
            place = roots[number % 2] / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(images.root / name, place)
            with place.open("ab") as stream:
                stream.write(b"\0")  # another file, of the same pixels
    files = [[str(roots[number % 2] / name) for name in names]
             for number, names in enumerate(vehicles)]  # fmt: skip
    for one in files:
        for first, second in itertools.combinations(one, 2):
            said.say(first, second, True, None)
    for one, other in itertools.combinations(files, 2):
        for first, second in zip(one, other, strict=True):
            said.say(first, second, False, None)
    # The vehicle of the first is one that the data set knows.
    said.say(files[0][0], str((images.root / vehicles[0][0]).resolve()), True, None)
    said.pairs().to_csv(tmp_path / "marks.csv", index=False)
    return files


def test_from_marks_to_a_trained_network(fleet, marks, tmp_path, monkeypatch, capsys):
    boxes = fleet / "boxes/prn.parquet"
    out = tmp_path / "job" / "run"
    words = ["train", "prn-demo", fleet, out, "--marks", tmp_path / "marks.csv", "--boxes", boxes,
             "--device", "cpu", "--workers", 0]  # fmt: skip
    for change in SMALL:
        words += ["--set", change]
    code, said, error = command(monkeypatch, capsys, *words)
    assert code == 0, error
    count = sum(map(len, marks))
    before = read_images(fleet).training()
    assert f"marks: {count} images are added to {len(before)} training images" in said
    assert "3 vehicles are new" in said
    assert f"nothing is known of the parts of {count} added images" in said
    run = Run.load(out)
    known = set(before.frame["identity"])
    assert set(run.identities) == known | {"marked-1", "marked-2", "marked-3"}
    # The same command finds its work done; with one mark less it is another training.
    assert command(monkeypatch, capsys, *words)[0] == 0
    table = pd.read_csv(tmp_path / "marks.csv")
    table.iloc[:-1].to_csv(tmp_path / "marks.csv", index=False)
    code, _, error = command(monkeypatch, capsys, *words)
    assert code == 2 and "holds a run of another images" in error
    code, _, error = command(monkeypatch, capsys, *words[:4], *words[4:], "--set", "label=model")
    assert code == 2 and "this recipe learns by model" in error
    table.loc[len(table)] = [marks[1][0], marks[1][1], 0]
    table.iloc[[*range(1, len(table))]].to_csv(tmp_path / "marks.csv", index=False)
    words[3] = tmp_path / "job" / "other"
    code, _, error = command(monkeypatch, capsys, *words)
    assert code == 2 and "said to be the same and different" in error


def test_a_run_is_calibrated_on_marks(fleet, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    recipe = load_recipe("prn-demo", SMALL)
    (tmp_path / "run").mkdir()
    model = build_model(recipe, 6, start=False)
    save_model(tmp_path / "run" / "model.pt", model, recipe, tuple("abcdef"))
    # An untrained network knows an image from another, hence a copy is what is the same.
    images = read_images(fleet).training()
    own = Boxes.read(fleet / "boxes/prn.parquet")
    frame, rows, boxes = images.frame.head(12), [], [own.frame]
    for name, file in zip(frame["image"], images.paths[:12], strict=True):
        copy = tmp_path / "queries" / f"copy-{name}"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
        rows.append((str(copy), str(file.resolve()), 1))
        boxes.append(own.frame[own.frame["image"] == name].assign(image=copy.name))
    files = [row[1] for row in rows]
    rows += [(one, other, 0) for one, other in zip(files, files[6:] + files[:6], strict=True)]
    table = pd.DataFrame(rows, columns=["first", "second", "same"])
    table.to_csv(tmp_path / "marks.csv", index=False)
    words = ["calibrate", tmp_path / "run", "--pairs", tmp_path / "marks.csv", "--device", "cpu"]
    code, said, error = command(monkeypatch, capsys, *words)
    assert code == 0, error
    assert "calibrated without parts: give --detector or --boxes" in said
    made = Calibration.read(tmp_path / "run")
    assert made.question == "same vehicle" and made.source == str(tmp_path / "marks.csv")
    assert made.pairs == 24 and not made.parts["window"].slope
    run = Run.load(tmp_path / "run")
    names = list(dict.fromkeys([*table["first"], *table["second"]]))
    asked = Images(pd.DataFrame({"image": names}), tmp_path)
    described = describe(run, asked, device="cpu", progress=False)
    place = pd.Index(names)
    sides = [place.get_indexer(table[side]).astype(np.int64) for side in ("first", "second")]
    expected = fit_curve(whole_distances(described, *sides), table["same"].to_numpy(bool))
    assert made.whole.slope == pytest.approx(expected.slope, rel=1e-2)
    assert (made.whole.same, made.whole.different) == (12, 12)

    Boxes(pd.concat(boxes), own.about).write(tmp_path / "boxes.parquet")
    code, said, error = command(monkeypatch, capsys, *words, "--boxes", tmp_path / "boxes.parquet")
    assert code == 0, error
    window = Calibration.read(tmp_path / "run").parts["window"]
    assert window.slope < 0 and 10 <= window.same <= 12

    table.assign(same=1).to_csv(tmp_path / "marks.csv", index=False)
    for more, message in (
        ([], "a probability needs 10 of each"),
        (["--split", "train"], "is for pairs that are drawn"),
    ):
        code, _, error = command(monkeypatch, capsys, *words, *more)
        assert code == 2 and message in error
    code, _, error = command(monkeypatch, capsys, *words[:2])
    assert code == 2 and "give DATA to draw pairs from" in error
    table[["first", "second"]].to_csv(tmp_path / "marks.csv", index=False)
    code, _, error = command(monkeypatch, capsys, *words)
    assert code == 2 and "column 'same'" in error


def test_search_compares_parts_where_boxes_are_given(fleet, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    recipe = load_recipe("prn-demo", SMALL)
    (tmp_path / "job/run").mkdir(parents=True)
    model = build_model(recipe, 6, start=False)
    save_model(tmp_path / "job/run/model.pt", model, recipe, tuple("abcdef"))
    images = read_images(fleet)
    for split in ("query", "gallery"):
        images.split(split).write(tmp_path / f"{split}.parquet")
    run = ["--run", tmp_path / "job/run", "--device", "cpu"]
    place = tmp_path / "yard"
    assert command(monkeypatch, capsys, "gallery", "add", place, tmp_path / "gallery.parquet", *run)[0] == 0  # fmt: skip # noqa: E501
    words = ["search", tmp_path / "query.parquet", "--gallery", place, "--out", tmp_path / "out",
             "--top", 4, *run]  # fmt: skip
    boxes = ["--boxes", fleet / "boxes/prn.parquet"]
    code, said, error = command(monkeypatch, capsys, *words, *boxes, "--evidence", 2)
    assert code == 0, error
    table = pd.read_csv(tmp_path / "out/results.csv", dtype={"query": str, "image": str})
    assert (table["parts"].notna() == (table["rank"] <= 2)).all()
    both = 2 * table["query"].nunique()
    assert f"parts of {both} matches compared" in said
    page = (tmp_path / "out/results.html").read_text()
    assert page.count('class="ev-card"') == both
    # One of them, by hand.
    pair = table.iloc[0]
    two = images.where(images.frame["image"].isin([pair["query"], pair["image"]]))
    found = describe(Run.load(tmp_path / "job/run"), two, Boxes.read(boxes[1]), device="cpu",
                     progress=False)  # fmt: skip
    for word in pair["parts"].split(", "):
        part, apart = word.split()
        a, b = found.parts[:, recipe.parts.use.index(part)].astype(float)
        assert float(apart) == pytest.approx(np.sqrt(((a - b) ** 2).sum()), rel=0.02, abs=0.01)

    code, _, error = command(monkeypatch, capsys, *words)
    assert code == 0 and "No part evidence: no part boxes are known" in (
        tmp_path / "out/results.html").read_text()  # fmt: skip
    assert "parts" not in pd.read_csv(tmp_path / "out/results.csv")
    code, _, error = command(monkeypatch, capsys, *words, "--evidence", 1)
    assert code == 2 and "--evidence: no part boxes are known" in error
    code, _, error = command(monkeypatch, capsys, *words, *boxes, "--evidence", 0)
    assert code == 0 and "part evidence" not in (tmp_path / "out/results.html").read_text()

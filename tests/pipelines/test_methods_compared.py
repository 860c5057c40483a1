import json
import shutil
import sys

import pandas as pd
import pytest
import torch

from annotations.boxes import Boxes
from annotations.images import Images
from benchmarks import methods

CHANGES = ("epochs=1",)


@pytest.fixture
def compare(fleet, tmp_path, monkeypatch):
    """The benchmark's command line, in which training and testing take no time."""

    def run_trial(trial, images, boxes, score, folder, **_):
        if trial.finished(folder):
            return
        aside = folder / "runs" / trial.name
        aside.mkdir(parents=True)
        score(None, aside)
        trained.append(trial.labels["method"])

    def by_rank(*_):
        return lambda run, folder: (folder / "per_query.csv").write_text("image\n")

    def compare(names, x2=0.7, weights=None, seeds=1, changes=CHANGES):
        trained.clear()
        frame = Images.read(fleet / "images.parquet").frame
        rows = [
            (image, part, 0.3, 0.2, x2, 0.5)
            for image in frame["image"]
            for part in ("window", "light", "brand")
        ]
        table = pd.DataFrame(rows, columns=["image", "part", "x1", "y1", "x2", "y2"])
        Boxes(table.assign(score=1.0, source="label")).write(tmp_path / "boxes.parquet")
        asked = ["methods", str(fleet), str(tmp_path / "out"), "--methods", names]
        asked += ["--prn", str(tmp_path / "boxes.parquet"), "--seeds", str(seeds)]
        asked += [] if weights is None else ["--weights", str(weights)]
        asked += [word for change in changes for word in ("--set", change)]
        monkeypatch.setattr(sys, "argv", asked)
        methods.main()
        return list(trained)

    trained = []
    monkeypatch.setattr(methods, "run_trial", run_trial)
    monkeypatch.setattr(methods, "by_rank", by_rank)
    monkeypatch.setattr(methods, "summarise", lambda *_: "")
    return compare


def test_calls_that_train_other_methods_share_a_folder(compare):
    assert compare("baseline") == ["baseline"]
    assert compare("PRN", x2=0.8) == ["PRN"]  # boxes were nothing to the baseline
    assert compare("PRN;baseline", x2=0.8) == []
    assert compare("PRN", x2=0.8, seeds=2) == ["PRN"]


def test_results_of_other_boxes_or_start_weights_are_not_mixed(compare, tmp_path):
    weights = tmp_path / "start.pth"
    torch.save({"a": torch.zeros(1)}, weights)
    assert compare("PRN;baseline", weights=weights) == ["PRN", "baseline"]
    with pytest.raises(SystemExit, match="PRN, seed 0, was given another boxes; give the same"):
        compare("baseline, VAL", weights=weights, x2=0.8)
    with pytest.raises(SystemExit, match="was given another start weights"):
        compare("PRN")
    moved = weights.rename(tmp_path / "moved.pth")
    assert compare("PRN;baseline", weights=moved) == []
    torch.save({"a": torch.ones(1)}, moved)
    with pytest.raises(SystemExit, match="was given another start weights"):
        compare("PRN", weights=moved)


def test_results_of_another_recipe_are_not_mixed(compare, tmp_path, monkeypatch):
    compare("baseline")
    recipe = methods.METHODS["baseline"][0]
    monkeypatch.setitem(methods.METHODS, "baseline", (recipe, ("dimension=8",)))
    with pytest.raises(SystemExit, match=r"baseline, seed 0, was given another recipe"):
        compare("PRN")
    shutil.rmtree(tmp_path / "out" / "runs" / "baseline-seed0")  # what the message says
    assert compare("baseline") == ["baseline"]
    path = tmp_path / "out" / "runs" / "baseline-seed0" / "given.json"
    assert set(json.loads(path.read_text())) == {"recipe", "start weights"}
    path.unlink()  # as earlier versions left it
    assert compare("PRN") == ["PRN"]

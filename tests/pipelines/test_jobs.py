import shutil

import pandas as pd
import pytest

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.labels import LabelledSet
from pipelines.jobs import whole
from pipelines.jobs.detector import train
from pipelines.jobs.sheet import draw_sheet

DETECTOR = ["weights=yolo11n.yaml", "image_size=64", "epochs=1", "hold_out=0.25", "batch=4"]
NETWORK = ["epochs=1", "image.height=32", "image.width=32", "batch.size=8", "parts.use=[]"]


def test_the_whole_job_from_labels_to_rank_lists(fleet, tmp_path, capsys):
    whole.detect_parts(fleet, [fleet / "labels"], None, DETECTOR, False, tmp_path, "cpu")
    work = tmp_path / "data"
    assert "AP50-95" in capsys.readouterr().out
    assert (work / "detector/scores.csv").is_file()
    assert Boxes.read(work / "parts/boxes.parquet").about["vocabulary"]["name"] == "prn"
    assert (work / "parts-filled.parquet").is_file()

    run, evaluation = whole.train_reid(fleet, "prn-demo", NETWORK, tmp_path, "cpu")
    assert evaluation is not None
    assert "mINP" in capsys.readouterr().out
    assert (run.source / "evaluation/metrics.json").is_file()

    page = whole.retrieve(fleet, None, None, "prn-demo", 5, tmp_path, "cpu")
    results = pd.read_csv(page.with_name("results.csv"))
    # Each query has seven gallery images, of which five are asked for.
    assert results.groupby("query").size().tolist() == [5] * 8
    assert results["match"].isin([True, False]).all()
    assert "data:image/jpeg" in page.read_text()

    capsys.readouterr()
    whole.detect_parts(fleet, [fleet / "labels"], None, DETECTOR, False, tmp_path, "cpu")
    assert "0 images looked at, 40 known from before" in capsys.readouterr().out

    folder = fleet / "images"
    whole.retrieve(fleet, folder, folder, "prn-demo", 3, tmp_path, "cpu")
    found = pd.read_csv(page.with_name("results.csv"))
    assert len(found) == 40 * 3
    assert (found["query"] != found["image"]).all()

    # A method that looks at boxes gets those of the data set, and detects on other folders. One
    # epoch of the detector finds nothing to train on, so these are the true ones.
    changes = [*NETWORK[:-1], "backbone.name=resnet10t", "backbone.weights=null"]
    changes += ["parts.vocabulary=prn", "parts.use=[window, light]"]
    with pytest.raises(InputError, match=r"finds none of window, light with an AP50 of 0\.5"):
        whole.train_reid(fleet, "eianet-small", changes, tmp_path, "cpu")
    shutil.copy(fleet / "boxes/prn.parquet", work / "parts/boxes.parquet")
    _, evaluation = whole.train_reid(fleet, "eianet-small", changes, tmp_path, "cpu")
    assert evaluation is not None
    for times in (1, 2):
        capsys.readouterr()
        whole.retrieve(fleet, folder, folder, "eianet-small", 3, tmp_path, "cpu")
        known = "40 images looked at, 0 known" if times == 1 else "0 images looked at, 40 known"
        assert known in capsys.readouterr().out
    assert len(list((work / "retrieval").glob("parts-*"))) == 1


SMALL = [*NETWORK[:-1], "backbone.name=resnet10t", "backbone.weights=null"]


@pytest.mark.parametrize("recipe", ["mfgnet-small", "baseline-small", "val-small"])
def test_what_looks_at_no_parts_needs_no_detector(fleet, tmp_path, recipe):
    changes = [*SMALL, "stripes=2"] if recipe == "mfgnet-small" else list(SMALL)
    if recipe == "val-small":
        # The cameras of this fleet see fronts alone.
        with pytest.raises(InputError, match="no image is of the viewpoint class 'rear'"):
            whole.train_reid(fleet, recipe, changes, tmp_path, "cpu")
        sides = "{oblique: [front-left, front-right], straight: [front]}"
        changes += [f"loss.viewpoint.classes={sides}"]
    _, evaluation = whole.train_reid(fleet, recipe, changes, tmp_path, "cpu")
    assert evaluation is not None
    assert not (tmp_path / "data/parts").exists()
    page = whole.retrieve(fleet, None, None, recipe, 5, tmp_path, "cpu")
    assert len(pd.read_csv(page.with_name("results.csv"))) == 40


def test_a_detector_of_two_sets_is_tested_on_each(fleet, tmp_path, capsys):
    drawn = LabelledSet.read(fleet / "labels")
    frame = drawn.boxes.frame
    for part in ("window", "light"):
        boxes = Boxes(frame[frame["part"] == part])
        only = LabelledSet(drawn.images, boxes, drawn.vocabulary, frozenset({part}))
        only.write(tmp_path / part)
    folders = [tmp_path / "light", tmp_path / "window"]
    detector = train(folders, tmp_path / "detector", DETECTOR, "cpu")
    assert detector.vocabulary.names == ("window", "light")
    table = pd.read_csv(tmp_path / "detector/scores.csv")
    assert list(zip(table["labels"], table["part"], strict=True)) == [
        (str(folders[0]), "light"), (str(folders[0]), "all"),
        (str(folders[1]), "window"), (str(folders[1]), "all"),
    ]  # fmt: skip
    assert f"images of {folders[1]}" in capsys.readouterr().out


def test_a_sheet_shows_the_boxes(fleet, tmp_path):
    draw_sheet(fleet / "labels", fleet, None, tmp_path / "sheet.png", 10, 0)
    assert (tmp_path / "sheet.png").stat().st_size > 10_000

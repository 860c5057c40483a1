"""Who finds the parts that are compared: the detector given, or the one beside the run."""

import pandas as pd
import pytest
import torch

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.labels import LabelledSet
from annotations.vocabulary import load_vocabulary
from detection.settings import DetectorSettings
from detection.train import train_detector
from pipelines.jobs.marked import with_marked
from pipelines.jobs.parts_compared import compare_found, comparer_for
from pipelines.jobs.serve import _finder
from pipelines.recipes import load_recipe
from reid.methods import build_model
from reid.run import Run, save_model

SMALL = ["image.height=32", "image.width=32"]


@pytest.fixture(scope="module")
def job(fleet, tmp_path_factory):
    """An untrained network with an untrained detector beside it."""
    job = tmp_path_factory.mktemp("job")
    scratch = DetectorSettings(weights="yolo11n.yaml", image_size=64, epochs=1, batch=8)
    labels = LabelledSet.read(fleet / "labels")
    train_detector(labels, job / "detector", scratch, device="cpu", progress=False)
    for name, change in (("run", []), ("plain", ["parts.use=[]"])):
        torch.manual_seed(0)
        recipe = load_recipe("prn-demo", [*SMALL, *change])
        (job / name).mkdir()
        model = build_model(recipe, 2, start=False)
        save_model(job / name / "model.pt", model, recipe, ("0", "1"))
    return job


def test_the_detector_beside_the_run_is_asked_for_what_is_shown_alone(fleet, job, tmp_path):
    run = Run.load(job / "run")
    images = read_images(fleet)
    two = images.where(images.frame.index < 2)
    found = pd.DataFrame({"query": [two.frame["image"][0]], "rank": [1],
                          "file": [str(two.paths[1])]})  # fmt: skip
    assert "no part boxes are known" in comparer_for(
        run, None, None, None, "global", tmp_path, "cpu"
    )
    assert comparer_for(run, None, None, 0, "global", tmp_path, "cpu") == ""
    for given, wanted in ((None, 3), (job / "detector", None)):
        comparer = comparer_for(run, None, given, wanted, "global", tmp_path, "cpu")
        made = compare_found(comparer, found, two, wanted)
        assert made.compared.passes == 2
    kept = pd.read_parquet(next(tmp_path.glob("parts-*/images.parquet")))
    assert sorted(kept["image"]) == sorted(str(path.absolute()) for path in two.paths)
    plain = Run.load(job / "plain")
    assert comparer_for(plain, None, job / "detector", None, "global", tmp_path, "cpu") == (
        "the network was trained without parts"
    )
    with pytest.raises(InputError, match="--evidence: the network was trained without parts"):
        comparer_for(plain, None, None, 2, "global", tmp_path, "cpu")


def test_boxes_that_cannot_be_of_these_images_are_a_reason(fleet, job, tmp_path):
    run = Run.load(job / "run")
    other = Boxes.read(fleet / "boxes/prn.parquet")
    boxes = Boxes(other.frame.assign(image="elsewhere.jpg"), other.about)
    images = read_images(fleet)
    found = pd.DataFrame({"query": [images.frame["image"][0]], "rank": [1],
                          "file": [str(images.paths[1])]})  # fmt: skip
    comparer = comparer_for(run, boxes, None, None, "global", tmp_path, "cpu")
    assert "no box of any of the 2 images" in compare_found(comparer, found, images, None)
    with pytest.raises(InputError, match="no box of any"):
        compare_found(comparer, found, images, 1)


def test_a_server_looks_for_parts_where_it_can(fleet, job, tmp_path):
    run = Run.load(job / "run")
    images = read_images(fleet)
    find = _finder(run, "global", None, "cpu")
    found = find(images.where(images.frame.index < 1))
    assert isinstance(found, Boxes) and not list(tmp_path.iterdir())
    plain = _finder(Run.load(job / "plain"), "global", None, "cpu")
    assert plain == "the network was trained without parts"
    lonely = tmp_path / "lonely"
    (lonely / "run").mkdir(parents=True)
    save_model(lonely / "run/model.pt", run.model, run.recipe, run.identities)
    alone = Run.load(lonely / "run")
    assert "there is no detector at" in _finder(alone, "global", None, "cpu")
    with pytest.raises(InputError, match="not a trained detector"):
        _finder(alone, "global", tmp_path, "cpu")


def test_the_parts_of_marked_images_are_found(fleet, job, tmp_path):
    images = read_images(fleet)
    files = [tmp_path / f"{number}.jpg" for number in range(2)]
    for file, path in zip(files, images.paths, strict=False):
        file.write_bytes(path.read_bytes() + b"\0")
    marks = tmp_path / "marks.csv"
    pd.DataFrame([(*map(str, files), 1)], columns=["first", "second", "same"]).to_csv(
        marks, index=False
    )
    recipe = load_recipe("prn-demo", SMALL)
    known = Boxes.read(fleet / "boxes/prn.parquet")
    boxes = Boxes(known.frame, {"vocabulary": load_vocabulary("prn").record()})
    made, pooled = with_marked(recipe, images, boxes, marks, None, None, job / "new", "cpu")
    assert made.frame["image"].tolist()[-2:] == [str(file) for file in files]
    looked = pd.read_parquet(next((job / "new-marks").glob("parts-*/images.parquet")))
    assert sorted(looked["image"]) == [str(file) for file in files]
    assert len(pooled) >= len(boxes) and not (job / "new").exists()
    other = Boxes(known.frame, {"detector": "another"})
    with pytest.raises(InputError, match="is not the detector that found"):
        with_marked(recipe, images, other, marks, None, None, job / "new", "cpu")

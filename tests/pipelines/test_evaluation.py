import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from annotations.datasets import read_images
from annotations.errors import InputError
from pipelines.jobs.asked import Asked
from pipelines.jobs.evaluation import evaluate
from pipelines.recipes import load_recipe
from reid import cost
from reid.embedding import embed
from reid.evaluation.compare import differences, paired
from reid.run import Run
from reid.training.fit import fit

SMALL = ["epochs=1", "image.height=32", "image.width=32", "batch.size=8", "parts.use=[]"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(cost, "SECONDS", 0.001)
    monkeypatch.setattr(cost, "BATCH", 4)


@pytest.fixture(scope="module")
def runs(fleet, tmp_path_factory):
    made = []
    for seed in (0, 1):
        recipe = load_recipe("prn-demo", [*SMALL, f"seed={seed}"])
        out = tmp_path_factory.mktemp("runs") / f"run{seed}"
        fit(recipe, read_images(fleet), None, out, device="cpu", workers=0, progress=False)
        made.append(out)
    return made


@pytest.fixture(scope="module")
def mirrored(runs, tmp_path_factory):
    """One network twice: once its recipe mirrors, once it was made before there was the key."""
    made = {}
    for mirror in (True, False):
        stored = torch.load(runs[0] / "model.pt", weights_only=True)
        assert "mirror" not in stored["recipe"]
        stored["recipe"] |= {"mirror": True} if mirror else {}
        made[mirror] = tmp_path_factory.mktemp("mirrored") / f"run-{mirror}"
        made[mirror].mkdir()
        torch.save(stored, made[mirror] / "model.pt")
        assert Run.load(made[mirror]).recipe.mirror is mirror
    return made


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_two_runs_are_compared_query_by_query(runs, fleet, tmp_path, capsys):
    first = evaluate(
        runs[0], fleet, None, None, "global", tmp_path, "cpu", Asked(by=("camera",)), runs[1]
    )
    said = capsys.readouterr().out
    assert "by camera" in said
    assert "against run1: paired differences" in said
    one, other = metrics(tmp_path), metrics(tmp_path / "compared")
    both = pd.read_csv(tmp_path / "queries.csv")
    assert (both["run0"] - both["run1"]).mean() == pytest.approx(
        one["metrics"]["mAP"][0] - other["metrics"]["mAP"][0]
    )
    assert one["protocol"].startswith("image to image: 8 queries, 8 gallery images")
    page = (tmp_path / "compared.html").read_text()
    assert "Where they differ most" in page
    for name in ("curve.png", "compared.csv", "costs.csv", "groups.csv", "per_query.csv"):
        assert (tmp_path / name).stat().st_size > 0
    groups = pd.read_csv(tmp_path / "groups.csv")
    assert groups.loc[groups["column"] == "camera", "queries"].sum() == 8
    same = differences(first, first)
    assert same["difference"].abs().max() == 0
    assert paired(first, first)["gain"].abs().max() == 0


def test_pairs_are_verified_with_a_threshold_of_training_pairs(runs, fleet, tmp_path):
    images = read_images(fleet).frame
    tested = images.loc[images["split"].isin(["query", "gallery"]), ["image", "identity"]]
    couples = tested.merge(tested, how="cross", suffixes=("", "_2"))
    couples = couples[couples["image"] < couples["image_2"]]
    path = tmp_path / "verification_pairs_own.csv"
    same = (couples["identity"] == couples["identity_2"]).astype(int)
    table = {"first": couples["image"], "second": couples["image_2"], "same": same}
    pd.DataFrame(table).to_csv(path, index=False)
    evaluate(
        runs[0], fleet, None, None, "global", tmp_path, "cpu", Asked(pairs=(path,)), runs[1]
    )  # fmt: skip
    page = (tmp_path / "compared.html").read_text()
    assert "receiver operating characteristics" in page
    assert "Where they differ most" not in page
    table = pd.read_csv(tmp_path / "compared.csv").set_index(["run", "metric"])
    accuracy = table.loc[("run0", "accuracy")]
    both = pd.read_csv(tmp_path / "queries.csv")
    assert accuracy["difference"] == pytest.approx((both["run0"] - both["run1"]).mean())
    found = metrics(tmp_path)
    assert "pairs own 120; threshold" in found["protocol"]
    assert found["metrics"]["own AUC"][1:] == [None, None]
    every = pd.read_csv(tmp_path / "per_query.csv")
    assert found["metrics"]["own accuracy"][0] == pytest.approx(every["right"].mean())
    threshold = float(found["protocol"].split("threshold ")[1].split()[0])
    judged = every["distance"] <= threshold * (1 + 1e-3)
    assert (judged == (every["same"] == every["right"])).mean() > 0.98


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked(protocol="tracks"), "did you mean 'track'"),
        (Asked(protocol="pairs"), "protocol pairs: give --pairs FILE"),
        (Asked(protocol="image", pairs=("x.csv",)), "the protocol image has no pairs"),
        (Asked(by=("cam",)), "--by: .* has no column 'cam'"),
        (Asked(travel_times=-1.0), "width must be above 0"),
        (Asked(travel_times=9.0), "the euclidean distance has none: re-rank too"),
    ],
)
def test_what_is_asked_wrongly_is_named_before_any_work(runs, fleet, tmp_path, asked, message):
    with pytest.raises(InputError, match=message):
        evaluate(runs[0], fleet, None, None, "global", tmp_path / "out", "cpu", asked)
    assert not (tmp_path / "out").exists()


def test_a_run_is_not_compared_with_itself(runs, fleet, tmp_path):
    with pytest.raises(InputError, match="the same run twice"):
        evaluate(
            runs[0], fleet, None, None, "global", tmp_path, "cpu", Asked(), runs[0] / "." / ""
        )  # fmt: skip


def test_results_of_another_question_have_another_folder():
    asked = [
        Asked(),
        Asked("track"),
        Asked(pairs=("x",)),
        Asked(rerank=True),
        Asked(expand=5),
        Asked(expand=6, rerank=True),
        Asked(travel_times=100.0),
        Asked(mirror=True),
        Asked(mirror=False),
        Asked(mirror=False, rerank=True),
    ]
    names = {
        each.folder_name(Path(data), "global") for each in asked for data in ("a/veri", "a/vric")
    }
    assert len(names) == 2 * len(asked)
    assert {"eval-veri-global", "eval-vric-global-track"} < names
    assert "eval-vric-global-expand6-rerank" in names
    assert "eval-veri-global-no-mirror-rerank" in names


def test_own_columns_are_scored_by(runs, fleet, tmp_path, capsys):
    asked = Asked(by=("weather",))
    scored = evaluate(runs[0], fleet, None, None, "global", tmp_path, "cpu", asked)
    assert (scored.groups["column"] == "weather").any()


def test_what_refines_is_said_and_changes_the_ranking(runs, fleet, tmp_path):
    plain = evaluate(runs[0], fleet, None, None, "global", tmp_path / "a", "cpu", Asked())
    asked = Asked(rerank=True, expand=2)
    refined = evaluate(runs[0], fleet, None, None, "global", tmp_path / "b", "cpu", asked, runs[1])
    assert "queries expanded by 2 (" in refined.protocol
    assert "k-reciprocal re-ranking" in refined.protocol
    assert "re-ranking" not in plain.protocol
    assert (tmp_path / "b/compared.html").is_file()
    pairs = tmp_path / "pairs.csv"
    names = read_images(fleet).frame["image"].tolist()
    pd.DataFrame({"first": names[:2], "second": names[2:4], "same": [0, 1]}).to_csv(
        pairs, index=False
    )
    with pytest.raises(InputError, match="pairs are verified by their own distance"):
        asked = Asked(pairs=(pairs,), training_pairs=pairs, rerank=True)
        evaluate(runs[0], fleet, None, None, "global", tmp_path / "c", "cpu", asked)


def test_mirroring_is_as_each_recipe_says_or_as_is_asked_of_both(mirrored, fleet, tmp_path):
    found = {}
    for asked in (None, True, False):
        folder = tmp_path / str(asked)
        evaluate(
            mirrored[True], fleet, None, None, "global", folder, "cpu", Asked(mirror=asked),
            mirrored[False],
        )  # fmt: skip
        found[asked] = [metrics(folder), metrics(folder / "compared")]
    said = {
        asked: ["mean with the mirror image" in one["protocol"] for one in both]
        for asked, both in found.items()
    }
    assert said == {None: [True, False], True: [True, True], False: [False, False]}
    # The two runs hold one network.
    yes, no = found[True][0], found[False][0]
    assert yes["metrics"] != no["metrics"]
    assert found == {None: [yes, no], True: [yes, yes], False: [no, no]}


def test_an_embedding_without_a_direction_names_its_image(runs, fleet):
    run = Run.load(runs[0])
    with torch.no_grad():
        for parameter in run.model.parameters():
            parameter.zero_()
    recipe = run.recipe.model_copy(update={"distance": "cosine"})
    images = read_images(fleet).split("query")
    unlucky = Run(run.model, recipe, run.identities, run.hash, run.source)
    with pytest.raises(InputError, match=rf"row 0 \({images.paths[0]}\) is all zeros"):
        embed(unlucky, images, device="cpu", progress=False)
    assert not embed(run, images, device="cpu", progress=False).vectors.any()

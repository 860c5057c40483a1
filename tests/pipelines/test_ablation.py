import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pipelines.ablation.trials as trials_module
from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from pipelines.ablation import tables
from pipelines.ablation.claim import claim
from pipelines.ablation.summary import METRICS, difference, means
from pipelines.ablation.table4 import PARTS, ROWS, choose_rows, recipe_of
from pipelines.jobs.ablation import ablation, plan
from pipelines.jobs.fleet_data import find_boxes, find_data
from pipelines.recipes import load_recipe
from reid.evaluation.bootstrap import bootstrap_difference

TINY = ["epochs=1", "image.height=32", "image.width=32", "batch.size=8", "batch.per_identity=2"]
PAPER = Path(__file__).parents[3] / "shared" / "papers" / "prn.txt"


def first_training(frame):
    return frame.loc[frame["split"] == "train", "image"].iloc[0]


@pytest.fixture
def boxes(fleet, tmp_path) -> Path:
    """A window on every image, a light and the brand on all training images but one."""
    frame = Images.read(fleet / "images.parquet").frame
    rows = [(image, "window", 0.3, 0.2, 0.7, 0.5) for image in frame["image"]]
    for image in frame.loc[frame["image"] != first_training(frame), "image"]:
        rows += [(image, "light", 0.1, 0.6, 0.3, 0.8), (image, "brand", 0.4, 0.6, 0.6, 0.8)]
    table = pd.DataFrame(rows, columns=["image", "part", "x1", "y1", "x2", "y2"])
    path = tmp_path / "boxes.parquet"
    Boxes(table.assign(score=1.0, source="label")).write(path)
    return path


def run(fleet, boxes, work, rows, seeds=1, changes=TINY):
    return ablation(fleet, boxes, "prn-demo", seeds, rows, work, changes, "cpu", 0)


@pytest.mark.skipif(not PAPER.is_file(), reason="../shared/papers is not there")
def test_the_papers_numbers_are_the_papers():
    text = PAPER.read_text(errors="replace")
    lines = text[text.index("Table 4. Results") :].splitlines()[2 : 2 + len(ROWS)]
    paper = {line.rsplit(maxsplit=2)[0]: line.split()[-2:] for line in lines}
    assert paper == {row.paper: [f"{row.cmc1:.3f}", f"{row.cmc5:.3f}"] for row in ROWS}


def test_a_row_has_the_branches_that_the_paper_names():
    for row in ROWS:
        assert {part for part in PARTS if part.capitalize() in row.paper} == set(row.parts)
        assert row.has_global == ("Global" in row.paper or "Baseline" in row.paper)


def test_rows_differ_in_their_branches_and_in_nothing_else():
    base = load_recipe("prn-small")
    assert base.loss.triplet > 0
    for row in ROWS:
        recipe = recipe_of(row, base, 4)
        assert recipe.parts.use == row.parts
        assert recipe.seed == 4
        assert (recipe.loss.global_weight, recipe.loss.triplet) == (
            (1.0, base.loss.triplet) if row.has_global else (0.0, 0.0)
        )
        restored = {"parts": base.parts, "loss": base.loss, "seed": base.seed}
        assert recipe.model_copy(update=restored) == base
        assert recipe.loss.margin == base.loss.margin
        assert recipe.parts.weight == base.parts.weight


def test_a_weight_for_each_part_follows_the_branches():
    base = load_recipe("prn-small", ["parts.weight={window: 0.5, light: 0.2, brand: 0.1}"])
    assert [recipe_of(row, base, 0).parts.weights for row in choose_rows("no-light,baseline")] == [
        [0.5, 0.1],
        [],
    ]


def test_plain_and_prn_come_first_for_all_seeds():
    names = [trial.name for trial in plan(choose_rows(None), load_recipe("prn-small"), 2)]
    assert names[:4] == ["baseline-seed0", "full-seed0", "baseline-seed1", "full-seed1"]
    assert all("seed0" in name for name in names[4:9])
    assert len(set(names)) == 14


def made_results(random, queries=12):
    frames = []
    for row, shift in (("full", 0.2), ("baseline", 0.0)):
        for seed in range(3):
            first = random.integers(1, 9, queries)
            frames.append(
                pd.DataFrame(
                    {
                        "row": row,
                        "seed": seed,
                        "image": [f"{i}.jpg" for i in range(queries)],
                        "identity": [str(i // 3) for i in range(queries)],
                        "ap": random.random(queries) * 0.8 + shift,
                        "inp": random.random(queries),
                        "first": first,
                    }
                ).sample(frac=1, random_state=seed)
            )
    return pd.concat(frames, ignore_index=True)


def test_means_spreads_and_differences_are_those_of_plain_loops():
    results = made_results(np.random.default_rng(0))
    table = means(results, "row")
    by_row = {}
    for row in ("full", "baseline"):
        by_seed = []
        for seed in range(3):
            mine = results[(results["row"] == row) & (results["seed"] == seed)]
            hits = [sum(mine["first"] <= k) / len(mine) for k in (1, 5)]
            by_seed.append([mine["ap"].sum() / len(mine), *hits, mine["inp"].sum() / len(mine)])
        assert table.loc[row, list(METRICS)].to_list() == pytest.approx(np.mean(by_seed, 0))
        spread = np.sqrt(((np.array(by_seed) - np.mean(by_seed, 0)) ** 2).sum(0) / 2)
        assert table.loc[row, [f"{m} spread" for m in METRICS]].to_list() == pytest.approx(spread)
        by_row[row] = [
            results[(results["row"] == row) & (results["image"] == f"{i}.jpg")]["ap"].mean()
            for i in range(12)
        ]
    found = difference(results, "row", "full", "baseline", "mAP")
    assert found.value == pytest.approx(np.mean(by_row["full"]) - np.mean(by_row["baseline"]))
    interval = bootstrap_difference(
        by_row["full"], by_row["baseline"], [i // 3 for i in range(12)], n=20_000, seed=1
    )
    assert (found.low, found.high) == pytest.approx(interval, abs=0.02)
    assert found.low < found.value < found.high


def test_only_seeds_that_both_have_are_compared():
    results = made_results(np.random.default_rng(1))
    of_one = results[(results["row"] == "full") | (results["seed"] == 2)]
    found = difference(of_one, "row", "full", "baseline", "mAP")
    assert found == difference(results[results["seed"] == 2], "row", "full", "baseline", "mAP")
    apart = results[(results["row"] == "full") != (results["seed"] == 2)]
    assert difference(apart, "row", "full", "baseline", "mAP") is None


def test_the_chart_and_the_tables_take_whatever_has_finished(tmp_path):
    results = made_results(np.random.default_rng(2))
    compared = tables.difference_table(results)
    assert set(compared["against"]) == {"full", "baseline"}
    tables.draw_chart(compared, "title", tmp_path / "chart.png")
    assert (tmp_path / "chart.png").stat().st_size > 5_000
    people = tables.for_people(tables.score_table(results))
    assert people["network"].to_list() == ["PRN", "plain network"]
    assert people["paper CMC@1"].to_list() == [0.742, 0.645]
    assert tables.to_markdown(people).count("\n") == 4
    alone = results[results["row"] == "baseline"]
    assert tables.difference_table(alone).empty


def test_rows_are_trained_once_and_tested(fleet, boxes, tmp_path, capsys, monkeypatch):
    work = tmp_path / "w"
    folder = run(fleet, boxes, work, "full,parts-only")
    shown = capsys.readouterr().out
    assert "PRN, seed 0: mAP" in shown
    assert "0.742" in shown
    assert "| without global - PRN |" in (folder / "table.md").read_text()
    results = pd.read_csv(folder / "results.csv")
    # Four test identities, two queries each, in each of two rows.
    assert results.groupby("row").size().to_dict() == {"full": 8, "parts-only": 8}
    about = {
        name: json.loads((folder / f"runs/{name}-seed0/metrics.json").read_text())
        for name in ("full", "parts-only")
    }
    table = pd.read_csv(folder / "table.csv").set_index("row")
    assert table.loc["full", "mAP"] == pytest.approx(about["full"]["metrics"]["mAP"][0])
    assert table.loc["full", "rank-5"] == pytest.approx(about["full"]["metrics"]["rank-5"][0])
    assert "branches global" in about["full"]["protocol"]
    assert "branches parts" in about["parts-only"]["protocol"]
    assert {path.name for path in folder.iterdir()} == {
        "about.json", "runs", "results.csv", "table.csv", "differences.csv", "table.md",
        "chart.png",
    }  # fmt: skip

    trained = []

    def stop(recipe, *_, **__):
        trained.append((recipe.parts.use, recipe.seed))
        raise KeyboardInterrupt

    monkeypatch.setattr(trials_module, "fit", stop)
    run(fleet, boxes, work, "parts-only,full")
    assert "2 of 2 trainings known from before" in capsys.readouterr().out
    assert trained == []
    with pytest.raises(KeyboardInterrupt):
        run(fleet, boxes, work, "full,baseline", seeds=2)
    assert trained == [((), 0)]
    for other in (["dimension=8"], ["epochs=2"]):
        with pytest.raises(InputError, match="holds results of another recipe"):
            run(fleet, boxes, work, "full", changes=[*TINY, *other])
    moved = Boxes.read(boxes).frame.assign(x2=0.95)
    Boxes(moved).write(tmp_path / "moved.parquet")
    with pytest.raises(InputError, match="holds results of another boxes"):
        run(fleet, tmp_path / "moved.parquet", work, "full")


def test_training_boxes_are_filled_and_test_boxes_are_not(fleet, boxes, tmp_path, monkeypatch):
    seen = {}

    def by_rank(images, tested, *_):
        seen.update(tested=tested.frame)

    def stop(trial, images, filled, score, folder, **_):
        seen.update(filled=filled.frame)
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.jobs.ablation.by_rank", by_rank)
    monkeypatch.setattr("pipelines.jobs.ablation.run_trial", stop)
    with pytest.raises(KeyboardInterrupt):
        run(fleet, boxes, tmp_path / "w", None)
    assert set(seen["tested"]["source"]) == {"label"}
    made = seen["filled"][seen["filled"]["source"] == "identity-mean"]
    frame = Images.read(fleet / "images.parquet").frame
    assert set(made["image"]) == {first_training(frame)}
    assert set(made["part"]) == {"light", "brand"}


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        ("ful", [], "did you mean 'full'"),
        (None, ["parts.use=[]"], "set 'parts.use' themselves"),
        (None, ["seed=3"], "set 'seed' themselves"),
        (None, ["epoch=3"], "did you mean 'epochs'"),
        ("full", ["parts.weight={window: 1}"], "parts"),
    ],
)
def test_what_is_wrong_is_said_before_training(fleet, boxes, tmp_path, rows, changes, message):
    with pytest.raises(InputError, match=message):
        run(fleet, boxes, tmp_path / "w", rows, changes=changes)
    assert not (tmp_path / "w").exists()


def test_boxes_that_tell_the_answer_or_lack_a_part_are_refused(fleet, boxes, tmp_path):
    found = Boxes.read(boxes).frame
    Boxes(found[found["part"] != "brand"]).write(tmp_path / "two.parquet")
    with pytest.raises(InputError, match="no box of 'brand'"):
        run(fleet, tmp_path / "two.parquet", tmp_path / "w", "full")
    frame = Images.read(fleet / "images.parquet").frame
    test = found["image"] == frame.loc[frame["split"] == "gallery", "image"].iloc[0]
    Boxes(found.assign(source=np.where(test, "identity-mean", "label"))).write(
        tmp_path / "filled.parquet"
    )
    with pytest.raises(InputError, match="tells the answer"):
        run(fleet, tmp_path / "filled.parquet", tmp_path / "w", "parts-only")


def test_data_and_boxes_are_found_where_they_are_by_default(fleet, boxes, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(
        "pipelines.jobs.fleet_data.make_fleet", lambda root, preset: made.append((root, preset))
    )
    root, folder = find_data(None, tmp_path)
    assert (root, folder) == (tmp_path / "near-duplicate/data", tmp_path / "near-duplicate")
    assert made == [(root, "near-duplicate")]
    with pytest.raises(InputError, match="give --boxes"):
        find_boxes(None, root, folder)
    (folder / "parts").mkdir(parents=True)
    boxes.rename(folder / "parts/boxes.parquet")
    assert find_boxes(None, root, folder).source == str(folder / "parts/boxes.parquet")
    (root / "boxes").mkdir(parents=True)
    (folder / "parts/boxes.parquet").rename(root / "boxes/prn.parquet")
    assert find_boxes(None, root, folder).source == str(root / "boxes/prn.parquet")


def test_a_claim_names_what_differs(tmp_path):
    claim(tmp_path, {"recipe": {"use": ("a",)}, "boxes": "1"})
    claim(tmp_path, {"boxes": "1", "recipe": {"use": ("a",)}})
    with pytest.raises(InputError, match="another recipe and another start weights"):
        claim(tmp_path, {"recipe": {}, "boxes": "1", "start weights": "2"})

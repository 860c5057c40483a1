"""The tables of papers as data: their figures, their rows, and what is trained and told of them."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pipelines.ablation.trials as trials_module
from annotations.errors import InputError
from annotations.images import Images
from pipelines.ablation.series import run_series, seconds_left, told_time
from pipelines.ablation.summary import difference, means
from pipelines.ablation.table4 import ROWS
from pipelines.ablation.table4 import recipe_of as recipe_of_table4
from pipelines.ablation.trials import Trial
from pipelines.cli.main import main
from pipelines.jobs.papers import PAPERS, Wanted, paper_tables
from pipelines.jobs.prn import prn_tables
from pipelines.jobs.tables import METHODS, Asked, tables
from pipelines.papers import smoke
from pipelines.papers.chart import draw_chart
from pipelines.papers.layout import (
    difference_table,
    differences_for_people,
    for_people,
    score_table,
)
from pipelines.papers.mfgnet import MFGNET
from pipelines.papers.plan import plan, recipe_of
from pipelines.papers.prn import choose_sizes, declare
from pipelines.papers.val import VAL
from pipelines.recipes import load_recipe

TEXTS = Path(__file__).parents[3] / "shared" / "papers"
TINY = [
    "backbone={name: resnet10t, weights: null, output_stride: 8}",
    "image={height: 48, width: 48}",
    "batch={size: 8, per_identity: 2}",
    "dimension=8",
    "epochs=1",
]
ORIENTATIONS = [
    "front", "rear", "left", "right", "front-left", "front-right", "rear-left", "rear-right",
]  # fmt: skip


def prn(changes=(), sizes=None):
    base = recipe_of_table4(ROWS[0], load_recipe("prn-small", list(changes)), 0)
    return declare(base, choose_sizes(sizes, base)), base


def seen_from(words, each=2):
    """A table of training images, every identity seen from every word; no files."""
    rows = [
        (f"{identity}-{word}-{n}.jpg", str(identity), "c", "train", word)
        for identity in range(3)
        for word in words
        for n in range(each)
    ]
    columns = ["image", "identity", "camera", "split", "viewpoint"]
    return Images(pd.DataFrame(rows, columns=columns), Path(), "x")


def plain(label):
    """A label as letters, digits and signs, without LaTeX, of which the text lost a backslash."""
    label = label.replace("\\lambda", "λ").replace("{ m P}", "P")
    return re.sub(r"[$_{}\\ ]", "", label)


@pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS)
def test_the_papers_numbers_are_the_papers(paper):
    path = TEXTS / f"{paper.name}.txt"
    if not path.is_file():
        pytest.skip("../shared/papers is not there")
    lines = path.read_text(errors="replace").splitlines()
    for table in paper.tables:
        start = next(n for n, line in enumerate(lines) if f"**Table {table.number}**" in line)
        found = {}
        for line in lines[start + 1 : start + 12]:
            label, *figures = re.sub("</?b>|[*]{2}", "", line).strip("\t").split("\t")
            if len(figures) == 3 and re.fullmatch(r"\d+\.\d+", figures[0]):
                found[plain(label)] = figures
            elif len(figures) == 3:
                assert figures == [name for name, _ in table.metrics]
                assert label == table.head
            elif found:
                break
        shown = {plain(row.label): [f"{100 * f:.2f}" for f in row.figures] for row in table.rows}
        assert found == shown
        assert list(found) == list(shown)


def test_prns_sizes_and_numbers_are_the_papers():
    path = TEXTS / "prn.txt"
    if not path.is_file():
        pytest.skip("../shared/papers is not there")
    text = re.sub(r"(\d)\N{MULTIPLICATION SIGN} ", r"\1 x ", path.read_text(errors="replace"))
    paper, _ = prn()
    five, six = (text[text.index(f"Table {number}. Influences") :] for number in (5, 6))
    found = [line for line in five.splitlines()[:11] if not line.startswith("Table")]
    shown = ["VehicleSet Input size CMC@1 CMC@5"]
    for place, name in enumerate(("Small", "Medium", "Large")):
        shown.append(name)
        for row in paper.tables[0].rows:
            mine = row.figures[2 * place : 2 * place + 2]
            shown.append(" ".join([row.label, *(f"{figure:.3f}" for figure in mine)]))
        assert paper.tables[0].sets[place] == f"VehicleID {name}"
    assert found == shown
    rows = [[row.label, *(f"{f:.3f}" for f in row.figures)] for row in paper.tables[1].rows]
    assert six.splitlines()[1:5] == ["Input size mAP HIT@1 HIT@5", *map(" ".join, rows)]


@pytest.mark.parametrize("method", [*PAPERS, "prn"])
def test_names_of_rows_are_of_one_row_and_every_metric_has_a_figure(method):
    paper = PAPERS[method] if method in PAPERS else prn()[0]
    rows = [row for table in paper.tables for row in table.rows]
    by_name = {row.name: row.changes for row in rows}
    assert all(by_name[row.name] == row.changes for row in rows)
    assert paper.rows[0].name == paper.full
    for table in paper.tables:
        for row in table.rows:
            assert len(row.figures) == len(table.sets) * len(table.metrics)
            assert all(0 < figure < 1 for figure in row.figures)


def test_mfgnets_rows_are_what_the_paper_takes_away():
    base = load_recipe("mfgnet-small")
    made = {row.name: recipe_of(row, MFGNET, base) for row in MFGNET.rows}
    assert [made[f"divisions-{n}"].stripes for n in range(1, 6)] == [2, 3, 4, 5, 6]
    assert all(made[f"divisions-{n}"].attention for n in range(1, 6))
    ladder = [made[row.name] for row in MFGNET.tables[1].rows]
    assert [
        (recipe.method, recipe.loss.triplet, recipe.stripes, recipe.attention) for recipe in ladder
    ] == [
        ("composed", 0, 0, False), ("mfgnet", 0, 0, False), ("mfgnet", 0.1, 0, False),
        ("mfgnet", 0.1, 4, False), ("mfgnet", 0.1, 4, True),
    ]  # fmt: skip
    assert (ladder[0].pooling, ladder[0].neck, ladder[0].loss.global_weight) == ("mean", False, 1)
    for recipe in made.values():
        restored = {name: getattr(base, name) for name in ("method", "loss", "stripes")}
        assert recipe.model_copy(update={**restored, "attention": True}) == base
    images = seen_from(["front"])
    assert len(plan(MFGNET, base, images).recipes) == 9
    assert plan(MFGNET, base, images).trained_as["divisions-3"] == "cam"
    assert [trial.name for trial in plan(MFGNET, base, images).trials(["divisions-3", "local"], 2)
            ] == ["cam-seed0", "local-seed0", "cam-seed1", "local-seed1"]  # fmt: skip


def test_vals_rows_change_the_loss_and_same_recipes_are_one_training():
    base = load_recipe("val-small")
    made = {row.name: recipe_of(row, VAL, base).loss for row in VAL.rows}
    assert all(
        recipe_of(row, VAL, base).model_copy(update={"loss": base.loss}) == base for row in VAL.rows
    )
    told = {
        name: (loss.viewpoint.weight, loss.viewpoint.reunion, loss.viewpoint.boundary,
               loss.viewpoint.classes, loss.global_weight)
        for name, loss in made.items()
    }  # fmt: skip
    assert told["val"] == told["lambda-1"] == told["v-2"] == (1, 1, True, 2, 0)
    assert told["partition"] == told["lambda-0"] == (1, 0, True, 2, 0)
    assert told["partition-cosine"] == (1, 0, False, 2, 0)
    assert told["val-cosine"] == (1, 1, False, 2, 0)
    assert told["softmax"][::4] == (0, 1)
    assert [told[f"lambda-{each}"][1] for each in ("0.1", "10")] == [0.1, 10]
    assert [told[f"v-{each}"][3] for each in (4, 8)] == [4, 8]
    planned = plan(VAL, base, seen_from(ORIENTATIONS))
    assert not planned.left_out
    assert len(planned.recipes) == 9
    assert next(iter(planned.recipes)) == "val"
    assert planned.trained_as["v-2"] == planned.trained_as["lambda-1"] == "val"
    assert planned.trained_as["partition"] == "lambda-0"


def test_prns_middle_size_is_table_4s_prn_and_its_boxes_fit_any_size():
    paper, base = prn()
    assert [row.name for row in paper.tables[1].rows] == ["size-64", "full", "size-256"]
    assert [row.name for row in paper.tables[0].rows] == ["size-64", "full"]
    trials = plan(paper, base, seen_from(["front"])).trials(["full"], 1)
    assert trials == [Trial({"row": "full", "seed": 0}, recipe_of_table4(ROWS[0], base, 0))]
    wide, base = prn(["image.width=256"], "64,96,160")
    sizes = [recipe_of(row, wide, base).image for row in wide.tables[1].rows]
    assert [(size.height, size.width) for size in sizes] == [(64, 128), (96, 192), (160, 320)]
    assert wide.full == "size-96"
    assert wide.tables[1].rows[0].own_label == "64 x 128 (for 128 x 128)"
    for wrong in ("64,96", "64,x,128", "64,64,128", "128,96,64", "64,96,-128"):
        with pytest.raises(InputError, match="three heights in pixels, rising"):
            choose_sizes(wrong, base)


def test_rows_that_cannot_be_had_are_left_out_with_a_reason():
    base = load_recipe("mfgnet-small", ["image.height=64"])
    planned = plan(MFGNET, base, seen_from(["front"]))
    assert set(planned.left_out) == {"divisions-4", "divisions-5"}
    assert "stripes 5: the feature map has 4 rows" in planned.left_out["divisions-4"]
    assert not planned.trials(["divisions-5"], 2)
    with pytest.raises(InputError, match="stripes 4: the feature map has 2 rows"):
        plan(MFGNET, load_recipe("mfgnet-small", ["image.height=32"]), seen_from(["front"]))
    base = load_recipe("val-small")
    planned = plan(VAL, base, seen_from(ORIENTATIONS[:4]))
    assert set(planned.left_out) == {"v-8"}
    assert "no image is of the viewpoint class 'front-left'" in planned.left_out["v-8"]
    with pytest.raises(InputError, match="no image is of the viewpoint class 'rear'"):
        plan(VAL, base, seen_from(["front"]))
    bare = seen_from(["front", "rear"])
    with pytest.raises(InputError, match="no column 'viewpoint'"):
        plan(VAL, base, Images(bare.frame.drop(columns="viewpoint"), Path(), "x"))


def made_results(seeds=2, queries=12):
    random = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {"row": row, "seed": seed, "image": [f"{i}.jpg" for i in range(queries)],
             "identity": [str(i // 3) for i in range(queries)], "ap": random.random(queries),
             "inp": random.random(queries), "first": random.integers(1, 9, queries)}
        )
        for row in ("val", "v-4", "softmax")
        for seed in range(seeds)
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def test_tables_hold_our_means_beside_the_papers_and_differences_to_its_own_method(tmp_path):
    results = made_results()
    trained_as = plan(VAL, load_recipe("val-small"), seen_from(ORIENTATIONS)).trained_as
    table = VAL.tables[1]
    scores = score_table(table, results, trained_as)
    ours = means(results, "row")
    assert scores["row"].to_list() == ["v-2", "v-4", "v-8"]
    assert scores["mAP"].to_list()[:2] == pytest.approx(ours.loc[["val", "v-4"], "mAP"].to_list())
    assert np.isnan(scores["mAP"][2])
    people = for_people(table, scores, "mine").set_index("Number")
    assert people.loc["V = 4", "mAP"] == "{:.3f} ±{:.3f}".format(
        *ours.loc["v-4", ["mAP", "mAP spread"]]
    )
    assert people.loc["V = 4", "Top-5"].startswith(f"{ours.loc['v-4', 'rank-5']:.3f}")
    assert people.loc["V = 8"].to_list() == ["", "", "", "0.8004", "0.9603", "0.9864"]
    differences = difference_table(VAL, results, trained_as)
    assert set(differences["row"]) == {"v-4", "softmax"}
    found = difference(results, "row", "v-4", "val", "rank-1")
    mine = differences.set_index(["row", "metric"])
    assert mine.loc[("v-4", "rank-1")].to_list() == pytest.approx(list(found))
    told = differences_for_people(table, differences, VAL, trained_as).set_index("Number")
    assert told.index.to_list() == ["V = 4"]
    assert told.loc["V = 4", "Top-1"] == str(found)
    assert told.loc["V = 4", "paper mAP"] == "-0.0073"
    assert difference_table(VAL, results[results["row"] != "val"], trained_as).empty
    draw_chart(table, scores, "title", tmp_path / "chart.png")
    assert (tmp_path / "chart.png").stat().st_size > 5_000


def test_a_table_of_several_sets_has_a_block_for_each_and_one_for_ours(tmp_path):
    paper, base = prn()
    results = made_results().replace({"row": {"val": "full", "v-4": "size-64"}})
    table = paper.tables[0]
    trained_as = plan(paper, base, seen_from(["front"])).trained_as
    scores = score_table(table, results, trained_as)
    people = for_people(table, scores, "mine")
    assert people["data"].to_list() == [
        "paper: VehicleID Small", "paper: VehicleID Small", "paper: VehicleID Medium",
        "paper: VehicleID Medium", "paper: VehicleID Large", "paper: VehicleID Large", "mine",
        "mine",
    ]  # fmt: skip
    assert people["Input size"].to_list()[-3:] == [
        "256 x 256", "64 x 64 (for 128 x 128)", "128 x 128 (for 256 x 256)",
    ]  # fmt: skip
    assert people["CMC@1"].to_list()[4:6] == ["0.661", "0.742"]
    assert people["CMC@1"].to_list()[6].startswith(f"{scores['rank-1'][0]:.3f}")
    differences = difference_table(paper, results, trained_as)
    told = differences_for_people(table, differences, paper, trained_as)
    assert list(told.columns) == ["Input size", "CMC@1", "CMC@5"]
    assert told["Input size"].to_list() == ["64 x 64 (for 128 x 128)"]
    draw_chart(table, scores, "title", tmp_path / "chart.png")


def test_what_rows_share_is_trained_once_and_goes_on(fleet, tmp_path, capsys, monkeypatch):
    def run(rows, changes=TINY, seeds=1):
        wanted = Wanted(rows, seeds, "cpu", 0)
        return paper_tables("mfgnet", fleet, "mfgnet-small", wanted, tmp_path, changes)

    folder = run("divisions-3,cam,divisions-5")
    assert sorted(path.name for path in (folder / "runs").iterdir()) == [
        "cam-seed0", "divisions-5-seed0",
    ]  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {
        "about.json", "runs", "queries.csv", "differences.csv", "tables.md", "table3.csv",
        "table3.png", "table4.csv", "table4.png",
    }  # fmt: skip
    shown = capsys.readouterr().out
    assert "MFG-Net, +CAM, seed 0: mAP" in shown
    assert "for 1 more" in shown
    text = (folder / "tables.md").read_text()
    assert "MFG-Net's Table 3 on data, how often the feature map is divided: one seed" in text
    third = pd.read_csv(folder / "table3.csv").set_index("row")
    assert third.loc["divisions-3", "trained as"] == "cam"
    fourth = pd.read_csv(folder / "table4.csv").set_index("row")
    assert fourth.loc["cam", "mAP"] == third.loc["divisions-3", "mAP"]
    assert np.isnan(fourth.loc["local", "mAP"])

    trained = []

    def stop(recipe, *_, **__):
        trained.append((recipe.stripes, recipe.seed))
        raise KeyboardInterrupt

    monkeypatch.setattr(trials_module, "fit", stop)
    run("divisions-5,cam")
    assert trained == []
    assert "2 of 2 trainings known from before" in capsys.readouterr().out
    with pytest.raises(KeyboardInterrupt):
        run("cam,divisions-5", seeds=2)
    assert trained == [(4, 1)]
    with pytest.raises(InputError, match="holds results of another recipe"):
        run("cam", [*TINY, "epochs=2"])


def test_prns_three_tables_share_their_trainings(fleet, tmp_path, capsys):
    wanted = Wanted("full,size-32", 1, "cpu", 0)
    folder = prn_tables(fleet, None, "prn-small", "32,48,64", wanted, tmp_path, TINY)
    assert sorted(path.name for path in (folder / "runs").iterdir()) == [
        "full-seed0", "size-32-seed0",
    ]  # fmt: skip
    assert "| PRN |" in (folder / "table.md").read_text()
    table4 = pd.read_csv(folder / "table.csv").set_index("row")
    table6 = pd.read_csv(folder / "table6.csv").set_index("row")
    assert table4.loc["full", "mAP"] == pytest.approx(table6.loc["full", "mAP"])
    assert table6["here"].to_list() == [
        "32 x 32 (for 128 x 128)", "48 x 48 (for 256 x 256)", "64 x 64 (for 512 x 512)",
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"'image\.height': Input should be greater"):
        prn_tables(fleet, None, "prn-small", "16,48,64", wanted, tmp_path, TINY)
    with pytest.raises(InputError, match="did you mean 'size-32'"):
        wrong = Wanted("size-33", 1)
        prn_tables(fleet, None, "prn-small", "32,48,64", wrong, tmp_path, TINY)


@pytest.mark.parametrize(
    ("method", "recipe", "rows", "changes", "message"),
    [
        ("val", "val-small", "lamda-1", [], "did you mean 'lambda-1'"),
        ("mfgnet", "mfgnet-small", "cams", [], "did you mean 'cam'"),
        ("mfgnet", "mfgnet-small", None, ["stripes=3"], "set 'stripes' themselves"),
        ("mfgnet", "mfgnet-small", None, ["loss.triplet=1"], "set 'loss.triplet' themselves"),
        ("val", "val-small", None, ["loss.viewpoint.reunion=2"], "reunion' themselves"),
        ("val", "val-small", None, ["seed=2"], "set 'seed' themselves"),
        ("val", "baseline-small", None, [], "need a recipe with a weight in loss.viewpoint"),
        ("mfgnet", "prn-small", None, [], "need a recipe of the method mfgnet"),
        ("mfgnet", "mfgnet-small", None, ["image.height=32"], "stripes 4: the feature map"),
    ],
)
def test_what_is_wrong_is_said_before_training(fleet, tmp_path, method, recipe, rows, changes,
                                               message):  # fmt: skip
    with pytest.raises(InputError, match=message):
        paper_tables(method, fleet, recipe, Wanted(rows), tmp_path / "w", changes)
    assert not (tmp_path / "w").exists()


def test_data_without_viewpoints_is_refused_for_val(fleet, tmp_path):
    images = Images.read(fleet / "images.parquet")
    bare = Images(images.frame.drop(columns="viewpoint"), images.root, images.source)
    bare.write(tmp_path / "bare.parquet")
    with pytest.raises(InputError, match=r"bare\.parquet: no column 'viewpoint'"):
        paper_tables("val", tmp_path / "bare.parquet", "val-small", Wanted(), tmp_path / "w", [])


def made_methods(monkeypatch, failing):
    asked = {}

    def method(name):
        def run(data, given, work):
            asked[name] = (data, given)
            if name in failing:
                raise InputError(f"{name} lacks something")

        return run

    monkeypatch.setattr("pipelines.jobs.tables.METHODS", {name: method(name) for name in METHODS})
    return asked


def test_all_papers_run_and_those_left_out_are_said(monkeypatch, capsys, tmp_path):
    asked = made_methods(monkeypatch, {"span", "val"})
    tables("all", tmp_path, Asked(levels="identity"), tmp_path)
    assert list(asked) == ["prn", "eianet", "span", "mfgnet", "val"]
    assert asked["eianet"][1].levels == "identity"
    last = capsys.readouterr().out.splitlines()[-2:]
    assert last == [f"left out: the tables of {n}: {n} lacks something" for n in ("span", "val")]
    made_methods(monkeypatch, set(METHODS))
    with pytest.raises(InputError, match="no paper's tables can be had, such as those of prn"):
        tables("all", None, Asked(), tmp_path)


def test_a_smoke_run_says_that_its_figures_mean_nothing(monkeypatch, capsys, tmp_path):
    asked = made_methods(monkeypatch, ())
    tables("val", None, Asked(changes=("epochs=2",)), tmp_path, fast=True)
    data, given = asked["val"]
    assert data.name == smoke.NAME
    assert given.seeds == 1
    assert given.changes == (*smoke.RECIPE, "epochs=2")
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == smoke.NOTE
    assert shown[-1].endswith("its figures mean nothing")
    images = Images.read(data / "images.parquet").training()
    assert set(images.frame["viewpoint"]) == set(ORIENTATIONS)
    assert given.rows is None
    tables("eianet", None, Asked(), tmp_path, fast=True)
    assert asked["eianet"][1].rows == "fc,plain,r-mac,cr-mac,eial,mccl,prn"
    tables("eianet", None, Asked(rows="fc"), tmp_path, fast=True)
    assert asked["eianet"][1].rows == "fc"
    for method, paper in PAPERS.items():
        base = load_recipe(f"{method}-small", list(smoke.RECIPE))
        assert not plan(paper, base, images).left_out
    with pytest.raises(InputError, match="leave out --seeds"):
        tables("val", None, Asked(seeds=2), tmp_path, fast=True)
    with pytest.raises(InputError, match="a tiny fleet of its own"):
        tables("val", data, Asked(), tmp_path, fast=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mfgnett",), "did you mean 'mfgnet'"),
        (("val", "--levels", "identity"), "--levels is of eianet, not val"),
        (("span", "--boxes", "x"), "--boxes is of prn and eianet, not span"),
        (("mfgnet", "--sizes", "64,96,128"), "--sizes is of prn, not mfgnet"),
        (("prn", "--hold-out", "0.5"), "--hold-out is of eianet, not prn"),
        (("all", "--rows", "cam"), "--rows is of one paper's tables: name whose"),
        (("--recipe", "prn-small"), "--recipe is of one paper's tables: name whose"),
    ],
)
def test_an_option_of_another_paper_is_one_line(monkeypatch, capsys, tmp_path, words, message):
    words = ["partreid", "tables", *words, "--work", str(tmp_path / "w")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "w").exists()


def finished(folder, trial, seconds):
    done = folder / "runs" / trial.name
    done.mkdir(parents=True)
    (done / "per_query.csv").write_text("image\na\n")
    (done / "training.json").write_text(f'{{"seconds": {seconds}}}')


def test_the_time_left_is_that_of_finished_trainings(tmp_path, capsys):
    recipe = load_recipe("prn-small")
    trials = [
        Trial({"row": row, "seed": seed}, recipe) for seed in range(2) for row in ("small", "large")
    ] + [Trial({"row": "other", "seed": 0}, recipe)]  # fmt: skip
    assert seconds_left(trials, [], tmp_path) is None
    finished(tmp_path, trials[0], 60)
    finished(tmp_path, trials[1], 600)
    # Both as before, and what is not known yet as the mean.
    assert seconds_left(trials[2:], trials[:2], tmp_path) == pytest.approx(60 + 600 + 330)
    assert [told_time(each) for each in (-5, 20, 60, 3590, 4800, 9000)] == [
        "less than a minute", "less than a minute", "about 1 min", "about 1 h 0 min",
        "about 1 h 20 min", "about 2 h 30 min",
    ]  # fmt: skip
    run_series(
        trials, tmp_path, lambda trial: finished(tmp_path, trial, 100),
        lambda trial: trial.name, lambda results: f"{len(results)} scored",
    )  # fmt: skip
    assert capsys.readouterr().out.strip().splitlines() == [
        "2 of 5 trainings known from before",
        "small-seed1: 1 scored; 100 s; about 14 min for 2 more",
        "large-seed1: 1 scored; 100 s; about 4 min for 1 more",
        "other-seed0: 1 scored; 100 s",
    ]


@pytest.mark.slow
def test_every_table_of_every_paper_runs(tmp_path, capsys):
    tables("all", None, Asked(device="cpu"), tmp_path, fast=True)
    assert not re.search(r"^left out|is left out", capsys.readouterr().out, re.MULTILINE)
    folders = tmp_path / "smoke" / smoke.NAME
    for place in ("ablation", "eianet-tables", "span-tables", "mfgnet-tables", "val-tables"):
        assert smoke.NAME in (folders / place / "tables.md").read_text()
    for number in (3, 4):
        table = pd.read_csv(folders / f"eianet-tables/table{number}.csv").set_index("method")
        assert 0 <= table.loc["PRN*", "easy"] <= 1

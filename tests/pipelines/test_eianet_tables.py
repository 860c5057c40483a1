import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pipelines.ablation.trials as trials_module
from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.pairs import Pairs
from annotations.vocabulary import load_vocabulary
from detection.card import DetectorCard
from detection.settings import DetectorSettings
from pipelines.ablation.claim import recipe_hash
from pipelines.eianet import layout, published, sections
from pipelines.eianet.judges import JUDGES, Features, Known
from pipelines.eianet.ladder import (
    NETWORKS,
    PRN,
    choosable,
    choose_levels,
    choose_networks,
    levels_tested,
    plan,
    recipe_of,
    start_of,
    starting_from,
)  # fmt: skip
from pipelines.eianet.material import gather, hold_out, with_makes
from pipelines.jobs.eianet import Wanted, eianet_tables
from pipelines.recipes import load_recipe
from pipelines.selection import maker_of, with_found_parts
from reid.evaluation.bootstrap import bootstrap_difference
from reid.evaluation.verification import best_threshold
from reid.recipe import with_parts

PAPER = Path(__file__).parents[3] / "shared" / "papers" / "eianet.txt"
TINY = [
    "epochs=1", "image.height=32", "image.width=32", "batch.size=6", "batch.per_identity=2",
    "backbone.name=resnet10t", "backbone.weights=null", "dimension=8",
    "parts.use=[wind glass, car light, plate]",
]  # fmt: skip


def run(fleet, work, wanted, changes=TINY, boxes=None):
    return eianet_tables(fleet, boxes, "eianet-small", wanted, work, changes, "cpu", 0)


@pytest.mark.skipif(not PAPER.is_file(), reason="../shared/papers is not there")
def test_the_papers_numbers_are_the_papers():
    text = PAPER.read_text(errors="replace")
    for number, rows in ((2, published.TABLE2), (3, published.TABLE3), (4, published.TABLE4)):
        table = text[text.index(f"Table {number}. Accuracy") :]
        lines = [re.sub(r" \[\d+\]", "", line) for line in table.splitlines()[:18]]
        assert "Method CompCars VehicleIDEasy Medium Hard" in lines
        found = [line for line in lines if re.fullmatch(r".*( 0\.\d{3}){4}", line)][: len(rows)]
        assert found == [" ".join([r.name, *(f"{a:.3f}" for a in r.accuracies)]) for r in rows]
    table = text[text.index("Table 1. Accuracy") :].splitlines()[1:5]
    paper = {}
    for names, values in ((table[0], table[1]), (table[2], table[3])):
        told = names.removeprefix("Accuracy ").replace("car top window", "cartopwindow")
        told = told.replace("anu signs", "anusign").split()
        paper |= dict(zip(told, values.removeprefix("% ").split(), strict=True))
    for part, share in published.TABLE1.items():
        assert float(paper.pop(part.replace(" ", ""))) == pytest.approx(100 * share)
    assert set(paper) == {"bus", "car", "train", "truck", "tricar"}
    assert {len(rows) for rows in (published.TABLE2, published.TABLE3)} == {11, 8}


def test_every_rung_adds_one_thing_and_changes_nothing_else():
    base = load_recipe("eianet-small")
    recipes = [recipe_of(network, base, "year", 3) for network in NETWORKS[1:]]
    assert [
        (
            bool(recipe.parts.use),
            recipe.part_based,
            bool(recipe.loss.alignment.weight),
            bool(recipe.loss.cluster.year_margin),
        )
        for recipe in recipes
    ] == [(n > 0, n > 1, n > 2, n > 3) for n in range(5)]
    for recipe in recipes:
        restored = {
            "parts": base.parts, "part_based": True, "loss": base.loss, "label": base.label,
            "batch": base.batch, "seed": base.seed,
        }  # fmt: skip
        assert recipe.model_copy(update=restored) == base
        assert recipe.loss.cluster.margin == base.loss.cluster.margin
        assert recipe.batch.size == base.batch.size
        assert recipe.seed == 3


def test_the_classifier_has_nothing_of_eianets_and_all_start_from_it():
    base = load_recipe("eianet-small")
    first = recipe_of(NETWORKS[0], base, "year", 3)
    assert (first.method, first.parts.use, first.part_based) == ("prn", (), False)
    assert (first.loss.triplet, first.loss.global_weight) == (0, 1)
    assert (first.label, first.seed, first.batch.per_identity) == ("year", 3, 0)
    assert (first.optimiser, first.image) == (base.optimiser, base.image)
    trial = plan(choose_networks("eial"), ["year"], base, 2)[1]
    assert first.epochs == base.epochs
    other = start_of(trial, base, ["epochs=3", "optimiser.lr=0.5"]).recipe
    assert (other.epochs, other.optimiser.lr) == (3, 0.5)
    assert plan(NETWORKS, ["year"], base, 1, ["epochs=3"])[0].recipe.epochs == 3
    assert plan(NETWORKS, ["year"], base, 1, ["epochs=3"])[1].recipe.epochs == base.epochs
    assert trial.recipe.epochs == base.epochs
    start = start_of(trial, base)
    assert start.name == "fc-year-seed1"
    assert start_of(start, base) == start
    moved = starting_from(trial, Path("somewhere"))
    assert moved.recipe.backbone.weights == str(Path("somewhere").resolve())
    assert with_parts(moved.recipe, base.parts.use).loss == trial.recipe.loss


def test_two_margins_learn_from_years_and_years_are_tested_at_both_levels():
    base = load_recipe("eianet-small")
    last = NETWORKS[-1]
    assert recipe_of(last, base, "model", 0).label == "year"
    assert levels_tested("year") == ["model", "year"]
    assert levels_tested("model") == ["model"]
    names = [trial.name for trial in plan(list(NETWORKS), ["model", "year"], base, 2)]
    assert len(names) == len(set(names)) == 22
    assert names[0] == "fc-model-seed0"
    assert names.count("mccl-year-seed1") == 1
    assert not any("mccl" in t.name for t in plan(list(NETWORKS), ["identity"], base, 1))


def test_wrong_names_and_recipes_are_told():
    with pytest.raises(InputError, match="did you mean 'r-mac'"):
        choose_networks("plain,rmac")
    with pytest.raises(InputError, match="did you mean 'year'"):
        choose_levels("years")
    with pytest.raises(InputError, match="of the method eianet, not prn"):
        recipe_of(NETWORKS[0], load_recipe("prn-small"), "model", 0)
    with pytest.raises(InputError, match=r"give parts\.use, part_based"):
        recipe_of(NETWORKS[0], load_recipe("eianet-small", ["part_based=false"]), "model", 0)


def test_held_out_models_are_in_neither_half_twice():
    rows = [(f"{m}{i}", f"m{m}", "train") for m in range(6) for i in range(3)] + [
        ("t", "m9", "test")
    ]
    images = Images(pd.DataFrame(rows, columns=["image", "model", "split"]).assign(
        identity=None, camera=None), Path(), "x")  # fmt: skip
    left, held = hold_out(images, 1 / 3)
    assert len(held) == 6
    assert held.frame["model"].nunique() == 2
    assert not set(held.frame["model"]) & set(left.frame["model"])
    assert set(left.frame["image"]) | set(held.frame["image"]) == set(images.frame["image"])
    same, known = hold_out(images, 0)
    assert len(same) == 19
    assert set(known.frame["split"]) == {"train"}
    with pytest.raises(InputError, match="leaves 5 to train on and 1 for thresholds"):
        hold_out(images, 0.1)
    part2 = Images(
        images.frame.assign(list=["verification"] * 6 + ["classification"] * 12 + [None]),
        Path(), "x",
    )  # fmt: skip
    left, held = hold_out(part2, 0.9)
    assert sorted(held.frame["image"]) == sorted(name for name, *_ in rows[:6])


def test_models_of_two_makers_are_two():
    frame = pd.DataFrame(
        {"image": ["a", "b", "c"], "identity": None, "camera": None, "make": ["X", "Y", None],
         "model": ["1", "1", None]}
    )  # fmt: skip
    assert with_makes(Images(frame, Path(), "x")).frame["model"].fillna("-").to_list() == [
        "X 1", "Y 1", "-"
    ]  # fmt: skip


def test_lists_are_sorted_by_level_and_difficulty_and_missing_ones_drawn(fleet, tmp_path):
    images = Images.read(fleet / "images.parquet")
    found = gather(images, fleet, ["model", "year"], [], 0)
    # So small a fleet has no pairs of other difficulties.
    assert {level: list(lists) for level, lists in found.tests.items()} == {
        "model": ["easy"],
        "year": ["easy"],
    }
    years = images.frame.set_index("image")[["model", "year"]].agg(tuple, axis=1)
    by_year, by_model = (found.tests[level]["easy"].frame for level in ("year", "model"))
    told = years[by_year["first"]].to_numpy() == years[by_year["second"]].to_numpy()
    assert (told == by_year["same"]).all()
    assert by_year[["first", "second"]].equals(by_model[["first", "second"]])
    assert found.models() == (3, 3)
    assert set(found.tested.frame["split"]) == {"query", "gallery"}
    for name in ("hard", "easy", "other"):
        source = fleet / "pairs" / "verification_pairs_model_easy.txt"
        (tmp_path / f"verification_pairs_year_{name}.txt").write_text(source.read_text())
    several = gather(images, fleet, ["year"], sorted(tmp_path.glob("*.txt")), 0)
    assert list(several.tests["year"]) == ["easy", "hard", "other"]
    alone = tmp_path / "mine.csv"
    found.tests["model"]["easy"].frame.astype({"same": int}).to_csv(alone, index=False)
    assert list(gather(images, fleet, ["model"], [alone], 0).tests["model"]) == ["mine"]
    (tmp_path / "other").mkdir()
    again = tmp_path / "other" / "mine.csv"
    again.write_text(alone.read_text())
    with pytest.raises(InputError, match=r"a second list of the level 'model' called 'mine'"):
        gather(images, fleet, ["model"], [alone, again], 0)
    with pytest.raises(InputError, match="a list of the level 'model' is given, which is not"):
        gather(images, fleet, ["year"], [alone], 0)
    drawn = gather(images, tmp_path / "other", ["year"], [], 0).tests["year"]["drawn"].frame
    told = years[drawn["first"]].to_numpy() == years[drawn["second"]].to_numpy()
    assert (told == drawn["same"]).all()


def test_test_pairs_of_training_images_are_refused(fleet, tmp_path):
    images = Images.read(fleet / "images.parquet")
    first, second = images.split("train").frame["image"][:2]
    path = tmp_path / "pairs.csv"
    path.write_text(f"first,second,same\n{first},{second},1\n")
    with pytest.raises(InputError, match=r"pairs.csv: '.*' is a training image"):
        gather(images, fleet, ["model"], [path], 0)
    path.write_text(f"first,second,same\n{first},nowhere.jpg,1\n")
    with pytest.raises(InputError, match=r"row 2: .* has no image 'nowhere.jpg'"):
        gather(images, fleet, ["model"], [path], 0)


@pytest.mark.parametrize("name", JUDGES)
def test_every_judge_tells_what_can_be_told(name):
    random = np.random.default_rng(0)
    centres = random.normal(size=(12, 16)) * 3

    def made(classes):
        return centres[classes] + random.normal(size=(len(classes), 16)) * 0.3

    classes = np.arange(12).repeat(10)
    names = pd.Series(np.arange(120), index=[str(i) for i in range(120)])
    sides = random.integers(120, size=(1500, 2))
    sides = sides[sides[:, 0] != sides[:, 1]]
    same = classes[sides[:, 0]] == classes[sides[:, 1]]
    keep = np.concatenate([np.flatnonzero(same), np.flatnonzero(~same)[: same.sum()]])
    pairs = pd.DataFrame(sides[keep].astype(str), columns=["first", "second"])
    pairs = pairs.assign(same=same[keep].astype(int)).drop_duplicates(["first", "second"])
    known = Known(Features(made(classes), names), pd.Series(classes.astype(str)), Pairs(pairs, "x"))
    judge = JUDGES[name](known)
    one, other = made(np.arange(12)), made(np.arange(12))
    assert (judge(one, other) > 0).all()
    assert (judge(one, other[::-1]) < 0).all()
    if name == "distance":
        frame, a, b = known.features.sides(known.pairs)
        limit = best_threshold(np.sqrt(((a - b) ** 2).sum(1)), frame["same"])
        assert ((judge(a, b) >= 0) == (np.sqrt(((a - b) ** 2).sum(1)) <= limit)).all()


def test_joint_bayesian_takes_features_that_are_the_same_everywhere():
    random = np.random.default_rng(0)
    classes = np.arange(10).repeat(8)
    vectors = random.normal(size=(10, 12))[classes] + 0.1 * random.normal(size=(80, 12))
    vectors[:, 3] = 0
    vectors[:, 4] = vectors[:, 5]
    names = pd.Series(np.arange(80), index=[str(i) for i in range(80)])
    table = pd.DataFrame({"first": "0", "second": [str(i) for i in range(1, 80)]})
    told = pd.Series(classes.astype(str))
    told[:4] = None
    pairs = Pairs(table.assign(same=(classes[1:] == 0).astype(int)), "x")
    judge = JUDGES["joint-bayesian"](Known(Features(vectors, names), told, pairs))
    assert judge(vectors[:1], vectors[1:2]) > 0
    assert judge(vectors[:1], vectors[20:21]) < 0


def test_pairs_with_an_unread_image_are_left_out():
    features = Features(np.eye(2), pd.Series([0, 1], index=["a", "b"]))
    table = pd.DataFrame({"first": ["a", "a"], "second": ["b", "c"], "same": [1, 0]})
    frame, first, second = features.sides(Pairs(table, "x"))
    assert frame["second"].to_list() == ["b"]
    assert (first == [[1, 0]]).all()
    assert (second == [[0, 1]]).all()


def made_results(seeds=3, pairs=40):
    random = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {"network": network, "trained": "year", "seed": seed, "level": "year", "pairs": name,
             "judge": judge, "first": [f"a{i}" for i in range(pairs)],
             "second": [f"b{i}" for i in range(pairs)], "same": np.arange(pairs) % 2,
             "surely": random.normal(size=pairs) + np.arange(pairs) % 2,
             "right": random.random(pairs) < share}
        )
        for network, share in (("fc", 0.5), ("eial", 0.9))
        for seed in range(seeds)
        for name in ("easy", "hard")
        for judge in ("distance", "svm")
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def test_tables_hold_means_spreads_and_paired_steps():
    results = made_results()
    found = layout.accuracies(results)
    mine = results[(results["network"] == "fc") & (results["pairs"] == "hard")]
    by_seed = [
        mine[(mine["seed"] == seed) & (mine["judge"] == "svm")]["right"].mean() for seed in range(3)
    ]
    scores = layout.score_table(published.TABLE4, found, "year", ["easy", "hard"])
    row = scores.set_index("method").loc["FC feature + SVM"]
    assert row["hard"] == pytest.approx(np.mean(by_seed))
    assert row["hard spread"] == pytest.approx(np.std(by_seed, ddof=1))
    assert (row["network"], row["judge"], row["trained"], row["seeds"]) == ("fc", "svm", "year", 3)
    assert row["paper CompCars medium"] == 0.671
    assert scores.set_index("method").loc["PRN*", ["trained", "seeds", "easy"]].isna().all()
    table = layout.beside(scores, ["easy", "hard"])
    assert list(table) == [
        "method", "paper: CompCars easy", "paper: CompCars medium", "paper: CompCars hard",
        "paper: VehicleID", "here: easy", "here: hard",
    ]  # fmt: skip
    row = table.set_index("method").loc["FC feature + SVM"]
    assert row["here: hard"] == f"{np.mean(by_seed):.3f} ±{np.std(by_seed, ddof=1):.3f}"
    assert row.iloc[:4].to_list() == ["0.683", "0.671", "0.636", "0.668"]
    assert table.set_index("method").loc["PRN*", "here: hard"] == "not run"
    assert layout.left_out(published.TABLE4, scores, ["easy", "hard"]) == [
        "left out: FC feature + Joint Bayesian: its features cannot be judged by joint-bayesian",
        "left out: DRDL: not trained; ask by --rows plain (ROWS=plain)",
        "left out: PRN*: not trained; ask by --rows prn (ROWS=prn)",
        "left out: PVEN*, VehicleNet*: not one of this toolkit's methods",
        "left out: Ours with MCCL: not trained; ask by --rows mccl (ROWS=mccl)",
    ]
    none = layout.score_table(published.TABLE2, found, "model", ["easy"])
    assert layout.beside(none, ["easy"])["here: easy"].eq("not run").all()
    judges = layout.every_judge(found, "year", ["easy", "hard"]).set_index(["network", "judge"])
    told = f"{np.mean(by_seed):.3f} ±{np.std(by_seed, ddof=1):.3f}"
    assert judges.loc[("classifier", "svm"), "hard"] == told
    areas = layout.every_judge(found, "year", ["hard"], "auc").set_index(["network", "judge"])
    apart = [
        np.subtract.outer(
            *(group.loc[group["same"] == same, "surely"].to_numpy() for same in (1, 0))
        ).ravel()
        for _, group in mine[mine["judge"] == "svm"].groupby("seed")
    ]
    area = [(each > 0).mean() for each in apart]
    told = f"{np.mean(area):.3f} ±{np.std(area, ddof=1):.3f}"
    assert areas.loc[("classifier", "svm"), "hard"] == told
    none = layout.accuracies(results.assign(same=1))
    assert none["auc"].isna().all()
    step = layout.steps(results, "year").set_index("step").loc["+ alignment loss over classifier"]
    sides = [
        results[(results["network"] == name) & (results["judge"] == "distance")]
        .groupby(["pairs", "first"])["right"].mean()
        for name in ("eial", "fc")
    ]  # fmt: skip
    low, high = bootstrap_difference(sides[0], sides[1])
    value = (sides[0] - sides[1]).mean()
    assert step["accuracy"] == f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"
    assert layout.every_judge(found, "year", ["easy"]).shape == (4, 3)


def test_a_network_trained_at_the_level_is_preferred_to_one_trained_by_years():
    results = made_results(1)
    both = pd.concat([results, results.assign(level="model", right=False)])
    found = layout.accuracies(both)
    by_year = layout.score_table(published.TABLE2, found, "model", ["easy"]).set_index("method")
    assert by_year.loc["FC feature + SVM", ["trained", "easy"]].to_list() == ["year", 0]
    at = results[results["network"] == "fc"].assign(level="model", trained="model", right=True)
    found = layout.accuracies(pd.concat([both, at]))
    own = layout.score_table(published.TABLE2, found, "model", ["easy"]).set_index("method")
    assert own.loc["FC feature + SVM", ["trained", "easy"]].to_list() == ["model", 1]
    assert own.loc["RPN + CR-MAC + EIAL + DRDL*", "easy"] == 0
    assert layout.steps(pd.concat([both, at]), "model")["accuracy"].str.startswith("-1.000").all()


def test_networks_are_trained_once_and_their_tables_printed(fleet, tmp_path, capsys, monkeypatch):
    wanted = Wanted("model,year", "eial,mccl", 1, (), 0)
    folder = run(fleet, tmp_path, wanted)
    assert folder.name == "eianet-tables"
    shown = capsys.readouterr().out
    for title in ("Table 1", "Table 2", "Table 3", "Table 4", "step by step, year level"):
        assert title in shown
    table = pd.read_csv(folder / "accuracy.csv")
    assert set(zip(table["network"], table["trained"], table["level"], strict=True)) == {
        ("eial", "model", "model"), ("eial", "year", "model"), ("eial", "year", "year"),
        ("mccl", "year", "model"), ("mccl", "year", "year"),
    }  # fmt: skip
    assert set(table["judge"]) == set(JUDGES)
    pairs = pd.read_csv(folder / "pairs.csv")
    one = pairs[(pairs["network"] == "mccl") & (pairs["level"] == "year")]
    one = one[one["judge"] == "svm"]
    row = table[
        (table[["network", "level", "judge", "pairs"]] == ["mccl", "year", "svm", "easy"]).all(1)
    ]
    assert row["accuracy"].item() == pytest.approx(one["right"].mean())
    assert (folder / "classifiers" / "training" / "fc-model-seed0" / "model.pt").is_file()
    assert not (folder / "training").exists()
    for number in (1, 2, 3, 4):
        assert (folder / f"table{number}.png").stat().st_size > 5_000
    table = pd.read_csv(folder / "table4.csv").set_index("method")
    assert table.loc["Ours with MCCL", "trained"] == "year"
    one = pairs[(pairs[["network", "level", "judge"]] == ["mccl", "year", "distance"]).all(1)]
    assert table.loc["Ours with MCCL", "easy"] == pytest.approx(one["right"].mean())
    detection = pd.read_csv(folder / "table1.csv").set_index("part")
    assert detection.index[detection["used here"]].to_list() == ["wind glass", "plate", "car light"]
    text = (folder / "tables.md").read_text()
    assert "| RPN + CR-MAC + EIAL + MCCL | 0.885 | 0.872 | 0.814 | 0.863 | 0." in text
    assert "left out: PRN*: not trained; ask by --rows prn (ROWS=prn)" in shown
    assert "left out: PRN*: not trained; ask by --rows prn (ROWS=prn)" in text
    assert "None" not in text
    assert "nan" not in text

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(trials_module, "fit", stop)
    run(fleet, tmp_path, wanted)
    assert "3 of 3 trainings known from before" in capsys.readouterr().out
    with pytest.raises(KeyboardInterrupt):
        run(fleet, tmp_path, Wanted("year", "plain", 1, (), 0))
    with pytest.raises(InputError, match="holds results of another recipe"):
        run(fleet, tmp_path, wanted, [*TINY, "loss.cluster.margin=0.1"])
    some = tmp_path / "verification_pairs_model_easy.csv"
    pairs = Pairs.read(fleet / "pairs" / "verification_pairs_model_easy.txt").frame
    pairs.astype({"same": int})[1:].to_csv(some, index=False)
    with pytest.raises(InputError, match="holds results of another pairs"):
        run(fleet, tmp_path, Wanted("model", "eial", 1, (some,), 0))


def test_prn_is_trained_where_it_is_asked_for(fleet, tmp_path, monkeypatch):
    base = load_recipe("eianet-small")
    assert not any(network.by_prn for network in choose_networks(None))
    assert [network.name for network in choose_networks("prn,plain")] == ["plain", "prn"]
    recipe = recipe_of(PRN, base, "year", 3)
    assert (recipe.method, recipe.parts.use) == ("prn", ("wind glass", "car light", "logo"))
    assert recipe.parts.weights == load_recipe("prn-small").parts.weights
    assert (recipe.label, recipe.distance, recipe.part_based) == ("year", "euclidean", False)
    assert (recipe.epochs, recipe.optimiser, recipe.seed) == (base.epochs, base.optimiser, 3)
    # Changes for the classifier are not PRN's.
    trial = plan([PRN], ["year"], base, 1, ["epochs=3"])[0]
    assert trial.recipe.epochs == base.epochs
    assert start_of(trial, base, ["epochs=3"]).name == "fc-year-seed0"
    without = load_recipe("eianet-small", ["parts.use=[plate]", "loss.alignment.parts=null"])
    assert PRN not in choosable(without)
    with pytest.raises(InputError, match="has none of PRN's parts"):
        recipe_of(PRN, without, "year", 0)
    trained = []
    fit = trials_module.fit

    def seen(recipe, images, boxes, *rest, **options):
        trained.append((recipe, images, boxes))
        return fit(recipe, images, boxes, *rest, **options)

    monkeypatch.setattr(trials_module, "fit", seen)
    folder = run(fleet, tmp_path, Wanted("year", "prn", 1, (), 0))
    (classifier, _, none), (recipe, images, boxes) = trained
    assert none is None
    assert recipe.backbone.weights
    assert (classifier.parts.use, recipe.parts.use) == ((), ("wind glass", "car light"))
    training = set(images.training().frame["image"])
    filled = boxes.frame[boxes.frame["source"] == "identity-mean"]
    assert set(filled["part"]) <= {"wind glass", "car light"}
    assert set(filled["image"]) <= training
    for number in (3, 4):
        table = pd.read_csv(folder / f"table{number}.csv").set_index("method")
        assert 0 <= table.loc["PRN*", "easy"] <= 1
    text = (folder / "tables.md").read_text()
    assert "PRN* here is PRN with window (wind glass), light (car light); it starts" in text
    assert "ask by --rows prn" not in text


def test_what_was_begun_in_a_folder_of_the_former_name_goes_on_there(fleet, tmp_path):
    wanted = Wanted("year", "fc", 1, (), 0)
    folder = run(fleet, tmp_path, wanted)
    former = folder.rename(folder.with_name("eianet"))
    assert run(fleet, tmp_path, wanted) == former
    assert not folder.exists()


def test_a_tested_detector_is_in_table_1(tmp_path):
    scores = pd.DataFrame({"part": ["plate", "layon"], "AP50": [0.9, 0.2], "boxes": 5})
    section = sections.detected(scores, ["plate", "layon"], "cars", tmp_path)
    assert section.title.endswith("(AP50 of the detector of cars)")
    told = section.table.set_index("part")
    assert told.loc["plate"].to_list() == ["0.695", "0.900", "yes"]
    assert told.loc["layon"].to_list() == ["", "0.200", "yes"]
    assert told.loc["hungs"].to_list() == ["0.000", "", ""]
    table = pd.read_csv(tmp_path / "table1.csv").set_index("part")
    assert table.loc["plate", "here AP50"] == 0.9
    assert (tmp_path / "table1.png").stat().st_size > 5_000


def test_identities_are_ranked(fleet, tmp_path, capsys):
    folder = run(fleet, tmp_path, Wanted("identity", "plain,r-mac", 1))
    shown = capsys.readouterr().out
    assert "re-identification" in shown
    assert "| + R-MAC over plain |" in (folder / "tables.md").read_text()
    table = pd.read_csv(folder / "ranking.csv")
    queries = pd.read_csv(folder / "queries.csv")
    for row in table.itertuples():
        mine = queries[queries["network"] == row.network]
        assert row.mAP == pytest.approx(mine["ap"].mean())
    assert not (folder / "accuracy.csv").exists()


@pytest.mark.parametrize(
    ("wanted", "changes", "message"),
    [
        (Wanted(hold_out=0), ["label=year"], "'label=year': the ladder sets this itself"),
        (Wanted(first=("seed=4",)), [], "'seed=4': the ladder sets this itself"),
        (Wanted(first=("parts.use=[plate]",)), [], "differs in nothing but epochs, optimiser"),
        (Wanted(first=("optimiser.lrr=4",)), [], "lrr.*lr"),
        (Wanted("identity", "mccl"), [], "ask for the level model or year"),
        (Wanted(hold_out=0), ["parts.use=[plate, carrier]"], "no box of 'carrier' on any training"),
        (Wanted(hold_out=0), ["parts.vocabulary=prn", "parts.use=[window]"], "set parts.use"),
        (Wanted(hold_out=0.34), [], "both need two"),
        (Wanted("identity", pairs=()), ["parts.use=[plate, nose]"], "no part 'nose'"),
    ],
)
def test_mistakes_are_told_before_training(fleet, tmp_path, wanted, changes, message, monkeypatch):
    monkeypatch.setattr(trials_module, "fit", None)
    if "vocabulary" in " ".join(changes):
        boxes, message = fleet / "boxes" / "eia.parquet", "no box of 'window'"
    else:
        boxes = None
    with pytest.raises(InputError, match=message):
        run(fleet, tmp_path, wanted, [*TINY, *changes], boxes)


def test_without_years_the_modified_loss_is_left_out_before_training(fleet, tmp_path, capsys):
    images = Images.read(fleet / "images.parquet")
    table = tmp_path / "images.parquet"
    Images(images.frame.drop(columns="year"), images.root).write(table)
    boxes = fleet / "boxes" / "eia.parquet"
    folder = run(table, tmp_path / "w", Wanted("model", "fc,mccl", 1, (), 0), boxes=boxes)
    assert "no released years, so no network with the modified" in capsys.readouterr().out
    assert set(pd.read_csv(folder / "accuracy.csv")["network"]) == {"fc"}
    with pytest.raises(InputError, match="have no 'year', which the modified cluster loss needs"):
        run(table, tmp_path / "w", Wanted("model", "mccl", 1, (), 0), boxes=boxes)


def test_filled_boxes_are_refused_before_training(fleet, tmp_path, monkeypatch):
    monkeypatch.setattr(trials_module, "fit", None)
    found = Boxes.read(fleet / "boxes" / "eia.parquet")
    Boxes(found.frame.assign(source="identity-mean")).write(tmp_path / "boxes.parquet")
    with pytest.raises(InputError, match="filled by identity on known images"):
        run(fleet, tmp_path, Wanted("model", "fc", 1, (), 0), boxes=tmp_path / "boxes.parquet")


def test_only_the_detector_that_made_the_boxes_chooses_parts(fleet, tmp_path):
    boxes = Boxes.read(fleet / "boxes" / "eia.parquet")
    assert maker_of(boxes, tmp_path) is None
    card = DetectorCard(
        vocabulary=load_vocabulary("eia"), settings=DetectorSettings(), trained_on={}, boxes="",
        held_out={}, unreadable={},
    )  # fmt: skip
    card.write(tmp_path, None)
    weights = DetectorCard.read(tmp_path).weights
    mine = Boxes(boxes.frame, {"detector": weights}, "x")
    assert maker_of(mine, tmp_path) is None
    (tmp_path / "scores.csv").write_text("part,AP50,boxes\n")
    assert maker_of(mine, tmp_path) == tmp_path
    assert maker_of(boxes, tmp_path) is None
    assert maker_of(Boxes(boxes.frame, {"detector": "other"}, "x"), tmp_path) is None


def test_aligned_parts_that_are_all_left_out_are_said():
    recipe = load_recipe("eianet-small", ["loss.alignment.parts=[plate]"])
    with pytest.raises(InputError, match=r"loss.alignment.parts: none of plate"):
        with_parts(recipe, ("wheel",))


def test_start_weights_in_a_run_folder_are_told_apart(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"one")
    recipe = load_recipe("eianet-small", [f"backbone.weights={tmp_path}"])
    first = recipe_hash(recipe)
    assert "start weights" in first
    (tmp_path / "model.pt").write_bytes(b"two")
    assert recipe_hash(recipe) != first


def test_parts_that_a_detector_hardly_finds_are_left_out(tmp_path, capsys):
    recipe = load_recipe("eianet-small", ["loss.alignment.parts=[plate, wheel]"])
    assert with_found_parts(recipe, None) == recipe
    scores = dict.fromkeys(recipe.parts.use, 0.9) | {"wheel": 0.2}
    table = pd.DataFrame({"part": scores.keys(), "AP50": scores.values(), "boxes": 5})
    table.to_csv(tmp_path / "scores.csv", index=False)
    found = with_found_parts(recipe, tmp_path)
    assert found.parts.use == tuple(part for part in recipe.parts.use if part != "wheel")
    assert found.loss.alignment.parts == ("plate",)
    assert "left out: wheel has AP50 0.200, below 0.5" in capsys.readouterr().out
    all_of_them = load_recipe("eianet-small", ["parts.least=0"])
    assert with_found_parts(all_of_them, tmp_path) == all_of_them
    table.assign(AP50=0.1).to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(InputError, match="finds none of plate, wind glass"):
        with_found_parts(recipe, tmp_path)

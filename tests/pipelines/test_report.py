import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images
from annotations.labels import LabelledSet
from annotations.vocabulary import load_vocabulary
from pipelines.jobs.steps import Steps
from pipelines.report.compare import comparison, paired
from pipelines.report.explain import ELSEWHERE
from pipelines.report.failures import worst
from pipelines.report.look_alikes import compare, known_keys, pairs_alike
from pipelines.report.material import Step
from pipelines.report.overview import contact_sheet, split_table, time_line
from pipelines.report.ranks import choose, explained
from pipelines.report.tiles import Album, overlay
from reid.evaluation.bootstrap import bootstrap_difference
from reid.evaluation.groups import scores_by
from reid.evaluation.protocols.ranked import match_curve, metric_table
from reid.evaluation.report import Evaluation


def evaluation(seed, queries=12, order=None):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(queries)],
            "identity": [str(n // 2) for n in range(queries)],
            "camera": "c1",
            "ap": random.random(queries),
            "inp": random.random(queries),
            "first": random.integers(1, 8, queries),
            "matches": 2,
        }
    )
    frame = frame if order is None else frame.iloc[order].reset_index(drop=True)
    return Evaluation(
        metric_table(frame), frame, "", (), match_curve(frame), scores_by(frame, frame)
    )


def test_a_difference_is_paired_by_query_and_not_by_row():
    plain, prn = evaluation(1), evaluation(2)
    shuffled = evaluation(2, order=np.random.default_rng(0).permutation(12))
    table = comparison(plain, shuffled).set_index("metric")
    one, other = plain.per_query, prn.per_query
    groups = list(one["identity"])
    for metric, column in (("mAP", "ap"), ("mINP", "inp")):
        gain = (other[column] - one[column]).mean()
        assert table.loc[metric, "difference"] == pytest.approx(gain)
        low, high = bootstrap_difference(other[column], one[column], groups)
        assert table.loc[metric, "low"] == pytest.approx(low)
        assert table.loc[metric, "high"] == pytest.approx(high)
    right = [(each["first"] <= 5).mean() for each in (one, other)]
    assert table.loc["rank-5", "difference"] == pytest.approx(right[1] - right[0])
    assert table.loc["rank-5", "plain"] == pytest.approx(right[0])


def test_queries_are_chosen_once_a_vehicle_by_their_rules():
    both = paired(evaluation(1, 40), evaluation(2, 40))
    chosen = choose(both)
    assert choose(both) == chosen
    rules = dict(chosen)
    rows = both[both["image"].isin(rules)].assign(why=lambda frame: frame["image"].map(rules))
    assert rows["identity"].is_unique
    assert sorted(rows["why"].value_counts()) == [2, 2, 4]
    by_chance = rows.loc[rows["why"] == "drawn by chance", "identity"]
    left = both.loc[~both["identity"].isin(by_chance), "gain"]
    assert rows.loc[rows["why"].str.startswith("gained"), "gain"].max() == left.max()
    assert rows.loc[rows["why"].str.startswith("lost"), "gain"].min() == left.min()


def test_the_worst_queries_are_of_different_vehicles_and_wrong():
    shown = worst(paired(evaluation(1), evaluation(2)))
    assert shown["identity"].is_unique
    assert (shown["first_prn"] > 1).all()
    assert shown["ap_prn"].is_monotonic_increasing


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(1, 4))
def test_pairs_are_alike_where_there_are_such(seed, vehicles, kinds):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(vehicles)],
            "identity": [str(n) for n in range(vehicles)],
            "model": random.integers(0, kinds, vehicles).astype(str),
            "colour": random.integers(0, 2, vehicles).astype(str),
        }
    )
    images = Images(frame, Path())
    keys = known_keys(images)
    assert keys == ["model", "colour"]
    pairs = pairs_alike(images, 5, random)
    drawn = [name for pair in pairs for name in pair]
    assert len(set(drawn)) == len(drawn)
    alike = [compare(*(frame.iloc[int(n)] for n in pair), keys).other == () for pair in pairs]
    possible = int((frame.groupby(keys).size() // 2).sum())
    assert sum(alike) == min(5, possible)
    assert len(pairs) == min(5, vehicles // 2)
    # Those that are alike come first.
    assert alike == sorted(alike, reverse=True)


def test_likeness_reads_as_words():
    one = {"model": "a", "year": 1, "colour": "red"}
    said = compare(one, one | {"colour": "blue"}, list(one))
    assert str(said) == "same model and year, other colour"
    assert str(compare(one, one, list(one))) == "same model, year and colour"


def test_steps_lie_end_to_end():
    bars = time_line((Step("a", "", 3.0), Step("b", "", None), Step("c", "", 1.0)))
    assert [(bar.start, bar.width) for bar in bars] == [(0, 75), (75, 0), (75, 25)]


def test_times_survive_stops(tmp_path, monkeypatch):
    clock = iter([0, 2, 10, 15, 100, 101, 200, 204])
    monkeypatch.setattr("pipelines.jobs.steps.time.monotonic", lambda: next(clock))
    steps = Steps(tmp_path / "steps.json", 1)
    with pytest.raises(KeyboardInterrupt), steps.step("train"):
        raise KeyboardInterrupt
    steps = Steps(tmp_path / "steps.json", 1)
    assert steps.seconds("train") == 2
    assert not steps.finished("train")
    with steps.step("train"):
        pass
    assert steps.finished("train")
    assert steps.seconds("train") == 2 + 5
    with steps.step("train", done=True):
        pass
    assert Steps(tmp_path / "steps.json", 1).seconds("train") == 7
    # What is not kept is timed anew.
    with steps.step("train"):
        pass
    assert steps.seconds("train") == 1
    assert steps.seconds("other") is None
    (tmp_path / "steps.json").write_text("[1]")
    with pytest.raises(InputError, match="not a record of steps"):
        Steps(tmp_path / "steps.json", 1)


@pytest.fixture
def album(fleet):
    labels = LabelledSet.read(fleet / "labels")
    return Album(read_images(fleet), labels.boxes, load_vocabulary("prn"))


def test_boxes_are_as_strong_as_their_share(album, fleet):
    boxes = LabelledSet.read(fleet / "labels").boxes.frame
    counts = boxes.groupby(["image", "part"]).size().unstack(fill_value=0)
    name = counts.index[(counts[["window", "light", "brand"]] == [1, 2, 1]).all(axis=1)][0]
    evidence = pd.Series({"window": 3.0, "light": 1.5, "brand": -0.5, ELSEWHERE: 2.0})
    tile = explained(album, name, evidence, distance=0.25)
    assert tile.chip == ("window", "50 %")
    weights = {outline.part: outline.weight for outline in tile.outlines}
    assert weights == {"window": 1.0, "light": 0.5, "brand": 0.0}
    assert len(tile.outlines) == 4
    assert "distance 0.250" in tile.tip
    window, light, elsewhere = (round(100 * part / 6.5, 1) for part in (3.0, 1.5, 2.0))
    assert [share for _, share in tile.bar] == [window, light, elsewhere]
    assert tile.bar[0][0] == album.vocabulary["window"].colour
    against = explained(album, name, -evidence)
    assert (against.chip, against.bar) == (None, ())


def test_an_unreadable_image_gets_a_tile_that_says_so(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    images = Images(pd.DataFrame({"image": ["a.jpg"]}), tmp_path)
    tile = Album(images, Boxes.none(), load_vocabulary("prn")).tile("a.jpg")
    assert "not a readable image" in tile.thumbnail.problem
    assert "not a readable image" in overlay(tmp_path / "a.jpg", np.ones((2, 2))).problem


def test_a_map_is_red_where_it_is_high(tmp_path):
    Image.new("RGB", (64, 48), (128, 128, 128)).save(tmp_path / "a.png")
    made = overlay(tmp_path / "a.png", np.array([[0.0, 1.0]]))
    assert (made.width, made.height) == (64, 48)
    data = base64.b64decode(made.data.split(",")[1])
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    left, right = pixels[24, 4], pixels[24, 60]
    assert right[0] - right[2] > left[0] - left[2] + 60


def test_the_contact_sheet_has_pairs_and_the_table_its_splits(album, fleet):
    rows = contact_sheet(album.images, album)
    assert len(rows) == 6
    assert all(len(row.tiles) == 4 for row in rows)
    table = split_table(read_images(fleet)).set_index("split")
    train = table.loc["train"]
    assert train[["images", "vehicles", "cameras"]].tolist() == [24, 6, 2]
    frame = read_images(fleet).split("train").frame.drop_duplicates("identity")
    alike = frame.duplicated(["model", "year", "colour"], keep=False)
    assert train["same model, year, colour as another"] == alike.sum()

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.masks import Masks
from annotations.spelling import shortest_endings
from pipelines.cli.main import main
from pipelines.jobs.asked import Asked
from pipelines.jobs.comparison import compare
from pipelines.jobs.question import Question
from pipelines.recipes import load_recipe
from pipelines.report.differing import most_differing
from reid import cost
from reid.evaluation.bootstrap import bootstrap_difference
from reid.evaluation.report import evaluate
from reid.methods import build_model
from reid.run import Run, save_model
from reid.training.work import write_seconds

SMALL = ["image.height=32", "image.width=32", "dimension=8"]
EIA = ["batch={size: 8, per_identity: 2}", "parts={vocabulary: eia, use: [wind glass, wheel]}"]
JOINED = ["parts={vocabulary: prn, use: [window, light]}", "join=concat"]
SPAN = ["parts={vocabulary: views, use: [front, side]}", "view_dimension=4"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(cost, "SECONDS", 0.001)
    monkeypatch.setattr(cost, "BATCH", 4)


def untrained(folder, seed, *changes, recipe="prn-demo"):
    torch.manual_seed(seed)
    chosen = load_recipe(recipe, [*SMALL, *changes])
    folder.mkdir(parents=True)
    save_model(folder / "model.pt", build_model(chosen, 6, start=False), chosen, tuple("abcdef"))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of one name, and a plain one."""
    root = tmp_path_factory.mktemp("work")
    made = [
        untrained(root / "first" / "prn", 0),
        untrained(root / "second" / "prn", 1),
        untrained(root / "plain", 2, "parts.use=[]"),
    ]
    write_seconds(made[0], 90.0)
    return made


@pytest.fixture(scope="module")
def looking(tmp_path_factory):
    """A run that looks through boxes, one through masks, and one through boxes of other parts."""
    root = tmp_path_factory.mktemp("looking")
    backbone = "backbone={name: resnet10t, weights: null}"
    return [
        untrained(root / "eia", 0, backbone, *EIA, recipe="eianet-small"),
        untrained(root / "span", 1, backbone, *SPAN, recipe="span-small"),
        untrained(root / "joined", 2, backbone, *JOINED, recipe="baseline-small"),
    ]


def test_runs_are_compared_on_one_page(runs, fleet, tmp_path, capsys):
    asked = Asked(protocol="no-camera")
    compare(runs, fleet, None, [], "global", tmp_path, "cpu", asked, base=runs[2])
    names = ["plain", "first/prn", "second/prn"]
    table = pd.read_csv(tmp_path / "compared.csv").set_index(["run", "metric"])
    every = pd.read_csv(tmp_path / "queries.csv")
    costs = pd.read_csv(tmp_path / "costs.csv").set_index("run")
    assert list(costs.index) == names
    images = read_images(fleet)
    for name, folder in zip(names, [runs[2], *runs[:2]], strict=True):
        protocol = asked.build(images)
        alone = evaluate(Run.load(folder), images, protocol=protocol, device="cpu", progress=False)
        expected = alone.table.set_index("metric")
        for column in ("value", "low", "high"):
            assert dict(table.loc[name, column]) == pytest.approx(dict(expected[column]))
        assert every[name].mean() == pytest.approx(expected.loc["mAP", "value"])
    assert table.loc["plain", ["difference", "difference_low"]].isna().all(axis=None)
    gain = every["first/prn"] - every["plain"]
    row = table.loc[("first/prn", "mAP")]
    ends = bootstrap_difference(every["first/prn"], every["plain"], list(every["identity"]))
    assert row["difference"] == pytest.approx(gain.mean())
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(ends)
    assert costs["training_seconds"].tolist() == pytest.approx([np.nan, 90, np.nan], nan_ok=True)
    assert costs["parameters"].nunique() == 1
    page = (tmp_path / "compared.html").read_text()
    assert not re.search(r"(src|href)=.https?:", page)
    assert "1 min 30 s" in page
    lists = page.split("Where they differ most")[1]
    queries = lists.count('class="differing"')
    assert 0 < queries <= 4  # identities
    assert [lists.count(f"</i>{name}<small>AP") for name in names] == [queries] * 3
    assert lists.count('class="tile miss"') > 0
    said = capsys.readouterr().out
    assert "against plain: paired differences" in said


def test_each_run_is_given_what_its_method_looks_at(looking, runs, fleet, tmp_path, monkeypatch):
    names = read_images(fleet).frame["image"].tolist()
    values = np.random.default_rng(0).integers(0, 256, (len(names), 2, 4, 4), dtype=np.uint8)
    masks = Masks.from_values(names, values, ("front", "side"), {})
    masks.write(tmp_path / "masks.parquet")
    words = ["compare", *looking, runs[2], "--data", fleet]
    for vocabulary in ("prn", "eia"):
        words += ["--boxes", fleet / "boxes" / f"{vocabulary}.parquet"]
    words += ["--masks", tmp_path / "masks.parquet", "--out", tmp_path / "out", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["partreid", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    networks = pd.read_csv(tmp_path / "out" / "costs.csv")["network"]
    assert [text.split(",")[0] for text in networks] == ["eianet", "span", "composed", "prn"]
    scores = pd.read_csv(tmp_path / "out" / "compared.csv").set_index(["run", "metric"])["value"]
    images = read_images(fleet)
    for run, vocabulary in ((looking[0], "eia"), (looking[2], "prn")):
        mine = Boxes.read(fleet / "boxes" / f"{vocabulary}.parquet")
        protocol = Asked().build(images)
        alone = evaluate(Run.load(run), images, mine, protocol=protocol, device="cpu")
        expected = alone.table.set_index("metric").loc["mAP", "value"]
        assert scores[run.name, "mAP"] == pytest.approx(expected)
    page = (tmp_path / "out" / "compared.html").read_text()
    assert "cosine" in page  # what one run is compared by, and another is not
    assert "euclidean" in page


def test_what_is_missing_is_said_of_the_run_that_needs_it(
    looking, runs, fleet, tmp_path, monkeypatch
):
    monkeypatch.setattr(Question, "score", lambda *_: pytest.fail("embedded already"))
    boxes, other = (fleet / "boxes" / f"{name}.parquet" for name in ("prn", "eia"))

    def asked(folders, found, branches="global", base=None):
        compare(folders, fleet, None, found, branches, Path("out"), "cpu", Asked(), base)

    for found, words in (
        ([], f"{looking[0]}: .*give --boxes"),
        ([other], f"{looking[1]}: .*give --masks"),
        ([boxes], f"{boxes}: is of brand, .*, and {looking[0]}: .* looks at wind glass, wheel;"),
    ):
        with pytest.raises(InputError, match=words):
            asked([runs[0], *looking], found)
    with pytest.raises(InputError, match=f"{runs[2]}: branches 'parts': .* no part branches"):
        asked([runs[0], runs[2]], [boxes], "parts")
    with pytest.raises(InputError, match=f"{looking[0]}: .*has its parts already"):
        asked([runs[0], looking[0]], [boxes], "global+parts")
    with pytest.raises(InputError, match="given twice"):
        asked(runs, [boxes, boxes])
    shutil.copy(boxes, tmp_path / "copy.parquet")
    with pytest.raises(InputError, match=r"window, light, and several hold these: .*, .*copy"):
        asked([runs[0], looking[2]], [boxes, tmp_path / "copy.parquet"])
    with pytest.raises(InputError, match=r"the same run twice"):
        asked([runs[0], runs[1], runs[0] / ".." / "prn"], [])
    with pytest.raises(InputError, match="two runs or more"):
        asked(runs[:1], [])
    with pytest.raises(InputError, match=f"--against {runs[2]}: is none of the runs"):
        asked(runs[:2], [], base=runs[2])


def test_more_runs_than_there_are_colours_are_all_in_the_tables(fleet, tmp_path):
    folders = [untrained(tmp_path / f"run{seed}", seed) for seed in range(9)]
    compare(folders, fleet, None, [], "global", tmp_path / "out", "cpu", Asked())
    page = (tmp_path / "out" / "compared.html").read_text()
    assert page.count("the first 8 of 9 runs") == 2
    tables, lists = page.split("Where they differ most")
    assert tables.count("</i>run8</td>") == 3  # scores, differences, costs
    assert "</i>run7<small>AP" in lists
    assert "</i>run8<small>AP" not in lists


@given(
    st.lists(
        st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(lambda p: Path("/", *p)),
        min_size=2,
        max_size=6,
        unique=True,
    )
)
def test_names_are_the_shortest_endings_that_tell_runs_apart(paths):
    names = shortest_endings(paths)
    for path, name in zip(paths, names, strict=True):
        parts = Path(name).parts
        assert path.parts[-len(parts) :] == parts
        others = [other for other in paths if other != path]
        assert all(other.parts[-len(parts) :] != parts for other in others)
        shorter = parts[1:]
        if shorter:
            assert any(other.parts[-len(shorter) :] == shorter for other in others)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 4)), max_size=12))
def test_queries_that_differ_most_come_first_and_identities_once(rows):
    names = ["image", "identity", "camera"]
    index = pd.MultiIndex.from_tuples(
        [(f"{place}.jpg", str(identity), "c") for place, (identity, *_) in enumerate(rows)],
        names=names,
    ) if rows else pd.MultiIndex.from_arrays([[], [], []], names=names)  # fmt: skip
    values = np.array([row[1:] for row in rows], float).reshape(-1, 2) / 4
    scores = pd.DataFrame(values, index, columns=["one", "other"])
    found = list(most_differing(scores, 3).index.get_level_values("image"))
    expected, taken = [], set()
    order = sorted(range(len(rows)), key=lambda place: -abs(rows[place][1] - rows[place][2]))
    for place in order:
        identity, one, other = rows[place]
        if one != other and identity not in taken and len(expected) < 3:
            expected.append(f"{place}.jpg")
            taken.add(identity)
    assert found == expected

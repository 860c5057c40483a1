"""Masks of views from a folder of images to a page of rank lists, as a user makes them."""

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.errors import InputError
from annotations.images import Images
from annotations.looking import Looked
from annotations.masks import Masks
from pipelines.cli.main import main
from pipelines.jobs import views
from pipelines.jobs.calibration import calibrate
from pipelines.jobs.find_views import divided, find_views
from pipelines.jobs.found import found_at
from pipelines.jobs.span import Wanted, span_tables
from pipelines.jobs.views import compare_masks, label, learn_viewpoints
from pipelines.jobs.whole import retrieve, train_reid
from pipelines.papers.span import MASKS, SPAN, losses_told, masks_of, plan
from pipelines.recipes import load_recipe
from reid.methods import build_model
from reid.run import save_model
from tests.reid.attention.conftest import SHOWN, draw

PAPER = Path(__file__).parents[3] / "shared" / "papers" / "span.txt"
SMALL = [
    "backbone=mobilenetv3_small_050",
    "weights=null",
    "size=32",
    "batch=8",
    "steps=2",
    "foreground.steps=25",
    "foreground.lr=0.003",
    "precision=float32",
]
TINY = [
    "backbone={name: mobilenetv3_small_050, weights: null}",
    "image={height: 32, width: 32}",
    "batch={size: 8, per_identity: 2}",
    "dimension=8",
    "view_dimension=4",
    "epochs=1",
]


@pytest.fixture(scope="module")
def streets(tmp_path_factory):
    """A data set like a fleet: 32 images of 8 vehicles with viewpoints, splits and true masks."""
    root = tmp_path_factory.mktemp("data") / "streets"
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    random, rows = np.random.default_rng(0), []
    for number in range(32):
        viewpoint = list(SHOWN)[number % 7]
        pixels, mask = draw(viewpoint, random)
        name = f"images/{number:03d}.png"
        Image.fromarray(pixels).save(root / name)
        cv2.imwrite(str(root / "masks" / f"{number:03d}.png"), mask)
        split = "train" if number < 16 else ("query", "gallery")[number % 2]
        rows.append({"image": name, "identity": str(number // 4), "camera": str(number % 2),
                     "split": split, "viewpoint": viewpoint})  # fmt: skip
    Images(pd.DataFrame(rows), root).write(root / "images.parquet")
    return root


def refused(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["partreid", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_from_images_to_rank_lists(streets, tmp_path, monkeypatch, capsys):
    work = tmp_path / "runs"
    with pytest.raises(InputError, match=r"masks\.parquet: not there; run 'make find-views"):
        train_reid(streets, "span-small", TINY, work, "cpu")
    settings = [*SMALL, "proposals=16", "overlap=0.1"]
    masks = find_views(streets, None, settings, False, work, "cpu")
    place = work / "streets"
    assert len(masks) == 32
    for file in ("foreground/masks.parquet", "foreground/samples.png", "views/samples.png"):
        assert (place / file).is_file()
    again = find_views(streets, None, settings, False, work, "cpu")
    assert (again.frame["mask"] == masks.frame["mask"]).all()
    run, scored = train_reid(streets, "span-small", TINY, work, "cpu")
    assert run.recipe.distance == "cpdm"
    assert scored is not None
    page = retrieve(streets, None, None, "span-small", 3, work, "cpu")
    assert page.is_file()
    # A network that masks only teach, and that compares the whole alone, is trained on them, too.
    taught = ["parts.vocabulary=views", "parts.use=[front, rear, side]", "parts.pool=mask"]
    taught += ["join=global", "backbone.output_stride=32"]
    taught_run, _ = train_reid(streets, "baseline-small", [*TINY, *taught], work, "cpu")
    assert taught_run.recipe.parts.pool == "mask"
    # A folder of its own has its views found first.
    mine = tmp_path / "mine"
    mine.mkdir()
    for number in (20, 21, 22):
        name = f"{number:03d}.png"
        (mine / name).write_bytes((streets / "images" / name).read_bytes())
    retrieve(streets, mine, mine, "span-small", 2, work, "cpu")
    assert len(list((place / "retrieval").glob("views-*/masks.parquet"))) == 1
    # A SPAN that is trained needs no viewpoints; the foreground's network is none.
    frame = Images.read(streets / "images.parquet").frame.drop(columns="viewpoint")
    bare = tmp_path / "bare.csv"
    frame.assign(image=[str(streets / name) for name in frame["image"]]).to_csv(bare, index=False)
    with pytest.raises(InputError, match="have no 'viewpoint'"):
        find_views(bare, None, SMALL, False, work, "cpu")
    wrong = frame.assign(image=[str(streets / name) for name in frame["image"]], viewpoint="front")
    wrong.to_csv(tmp_path / "wrong.csv", index=False)
    with pytest.raises(InputError, match="no image shows the view 'rear'"):
        find_views(tmp_path / "wrong.csv", None, SMALL, False, tmp_path / "wrong", "cpu")
    assert not list((tmp_path / "wrong").glob("*/foreground"))
    transferred = tmp_path / "transferred"
    assert len(find_views(bare, place / "span", [], False, transferred, "cpu")) == 32
    train_reid(bare, "span-small", TINY, transferred, "cpu")
    assert retrieve(bare, mine, mine, "span-small", 2, transferred, "cpu").is_file()
    said = refused(monkeypatch, capsys, "views", "find", place / "foreground" / "network", streets,
                   tmp_path / "out")  # fmt: skip
    assert "finds the foreground" in said
    said = refused(monkeypatch, capsys, "eval", run.source, streets)
    assert "looks at parts: give --masks" in said or "look at parts: give --masks" in said


def test_masks_of_another_network_are_kept_until_redo(streets, tmp_path):
    work = tmp_path / "runs"
    find_views(streets, None, [*SMALL, "proposals=16"], False, work, "cpu")
    other = [*SMALL, "proposals=16", "largest=0.6"]
    with pytest.raises(InputError, match="another settings"):
        find_views(streets, None, other, False, work, "cpu")
    place = work / "streets"
    elsewhere = [*SMALL, "seed=3", "foreground.seed=0", "proposals=16"]
    find_views(streets, None, elsewhere, False, tmp_path / "other", "cpu")
    network = tmp_path / "other" / "streets" / "span"
    with pytest.raises(InputError, match="its masks were made with another network"):
        find_views(streets, network, [], False, work, "cpu")
    before = found_at(place / "views").about["network"]
    again = find_views(streets, None, other, True, work, "cpu")
    kept = found_at(place / "views")
    assert kept.about["network"] == again.about["network"] != before
    assert len(kept.frame) == 32
    with pytest.raises(InputError, match="has its settings already"):
        find_views(streets, network, ["size=64"], False, work, "cpu")


def test_settings_go_where_they_belong():
    mine, theirs = divided(
        ["size=64", "steps=5", "overlap=0.1", "margin=0.1", "lr=0.1", "foreground.steps=9"]
    )
    assert mine == ["size=64", "steps=5", "overlap=0.1", "lr=0.1"]
    assert theirs == ["size=64", "margin=0.1", "steps=9"]
    with pytest.raises(InputError, match="no setting 'szie'; did you mean 'size'"):
        divided(["szie=64"])
    with pytest.raises(InputError, match="give --data"):
        find_views(None, None, [], False, None, "cpu")


def test_viewpoints_are_learned_and_filled(streets, tmp_path, capsys):
    images = Images.read(streets / "images.parquet")
    some = images.frame["viewpoint"].where(np.arange(32) % 4 > 0)
    table = tmp_path / "some.csv"
    Images(images.frame.assign(viewpoint=some), images.root).write(table)
    frame = pd.read_csv(table)
    frame["image"] = [str(streets / name) for name in frame["image"]]
    frame.to_csv(table, index=False)
    own = [change for change in SMALL if not change.startswith("foreground")]
    learn_viewpoints(table, None, tmp_path / "net", own, "cpu", workers=0)
    assert len(pd.read_csv(tmp_path / "net" / "held_out.csv")) == round(0.2 * 24)
    filled = label(table, None, tmp_path / "net", tmp_path / "all.parquet", 0.0, "cpu")
    assert filled.frame["viewpoint"].notna().all()
    assert Images.read(tmp_path / "all.parquet").frame["viewpoint_score"].notna().sum() == 8
    with pytest.raises(InputError, match="the paths of a CSV start from its own folder"):
        label(table, None, tmp_path / "net", tmp_path / "sub" / "all.csv", 0.0, "cpu")
    # What was told is no label: learning again changes nothing, and says so.
    assert "told before" not in capsys.readouterr().out
    before = (tmp_path / "net" / "viewpoints.pt").stat().st_mtime_ns
    learn_viewpoints(tmp_path / "all.parquet", None, tmp_path / "net", own, "cpu", workers=0)
    assert (tmp_path / "net" / "viewpoints.pt").stat().st_mtime_ns == before
    said = " ".join(capsys.readouterr().out.split())
    assert "8 viewpoints were told before and are not learned from: empty 'viewpoint_score'" in said
    with pytest.raises(InputError, match=r"ends in \.csv or \.parquet"):
        label(table, None, tmp_path / "net", tmp_path / "all.txt", 0.0, "cpu")


def test_true_masks_agree_with_themselves(streets):
    images = Images.read(streets / "images.parquet")
    values = []
    for path in images.paths:
        true = cv2.imread(str(streets / "masks" / path.name), cv2.IMREAD_GRAYSCALE)
        values.append([(true == view) * 255 for view in (1, 2, 3)])
    found = Masks.from_values(
        list(images.frame["image"]), np.array(values, np.uint8), ("front", "rear", "side"), {}
    )
    table = compare_masks(found, images, streets).set_index("view")
    assert (table["iou"] == 1).all()
    assert (table["false"] == 0).all()
    shown = images.frame["viewpoint"].str.contains("front").sum()
    assert table["images"].to_dict()["front"] == shown
    wrong = Masks.from_values(
        list(images.frame["image"]), np.array(values, np.uint8)[:, [1, 2, 0]],
        ("front", "rear", "side"), {},
    )  # fmt: skip
    assert compare_masks(wrong, images, streets)["iou"].max() == 0
    with pytest.raises(InputError, match="no true masks of top"):
        compare_masks(Masks(found.frame, ("front", "rear", "top"), found.size), images, streets)


def test_masks_are_unpacked_a_slice_at_a_time(streets, tmp_path, monkeypatch):
    images = Images.read(streets / "images.parquet")
    random = np.random.default_rng(0)
    values = random.integers(0, 256, (31, 3, 8, 8), dtype=np.uint8)
    names = list(images.frame["image"][:31])
    masks = Masks.from_values(names, values, ("front", "rear", "side"), {})
    unpacked, of = [], Masks.of

    def count(self, some, views=None):
        unpacked.append(len(some))
        return of(self, some, views)

    class Finder:
        def find(self, *_, **__):
            return Looked(masks, pd.DataFrame({"problem": ["torn"]}), 32, 0)

    monkeypatch.setattr(views, "_SLICE", 7)
    monkeypatch.setattr(views, "_SHOWN", 5)
    monkeypatch.setattr(Masks, "of", count)
    shown = []
    monkeypatch.setattr(views, "show", lambda table, title: shown.append(table))
    views._found(Finder(), images, tmp_path, False, "cpu")
    assert unpacked == [5, 7, 7, 7, 7, 3]  # the sheet first
    np.testing.assert_allclose(shown[0]["area"], values.mean((0, 2, 3)) / 255)
    unpacked.clear()
    table = compare_masks(masks, images, streets)
    assert unpacked == [7, 7, 7, 7, 3]
    monkeypatch.setattr(views, "_SLICE", 100)
    pd.testing.assert_frame_equal(compare_masks(masks, images, streets), table)


def test_a_folder_of_boxes_or_masks_but_not_of_both(tmp_path):
    with pytest.raises(InputError, match=r"no boxes\.parquet or masks\.parquet in it"):
        found_at(tmp_path)
    for name in ("boxes", "masks"):
        (tmp_path / f"{name}.parquet").touch()
    with pytest.raises(InputError, match=r"both boxes\.parquet and masks\.parquet in it"):
        found_at(tmp_path)


def test_the_tables_are_the_papers(streets, tmp_path):
    names = "baseline,no-diversity,cpdm"
    wanted = Wanted(rows=names, seeds=1, settings=(*SMALL, "proposals=16"))
    folder = span_tables(streets, "span-small", wanted, tmp_path, TINY, "cpu", 0)
    text = (folder / "tables.md").read_text()
    first, second = (text.index(f"SPAN's Table {number}") for number in (1, 2))
    assert text.index("Figure 6 in numbers") < first < second < text.index("The masks of a row")
    lines = {part: [[cell.strip() for cell in line.split("|")] for line in part.splitlines()]
             for part in (text[first:second], text[second:])}  # fmt: skip
    ladders = [
        {row[1]: row[2:5] + row[-3:-1] for row in rows if row[-2:-1] and row[1]}
        for rows in lines.values()
    ]
    assert ladders[0]["SPAN(Ours)"] == ["✓", "✓", "✓", "0.939", "0.686"]
    assert ladders[1]["SPAN w/ CPDM (Ours)"] == ["✓", "Concat.", "CPDM", "0.940", "0.689"]
    assert ladders[0]["only L_recon"] == ["✓", "✗", "✗", "0.918", "0.589"]
    assert (folder / "table1.png").stat().st_size > 5_000
    masks = pd.read_csv(folder / "masks.csv")
    assert masks.groupby("losses").size().to_dict() == {"w/o L_div": 4, "SPAN(Ours)": 4}
    trained = pd.read_csv(folder / "table1.csv").dropna(subset="seeds")
    assert list(trained["row"]) == names.split(",")
    # A run of fewer rows keeps what others made, but for masks that a run which was stopped left.
    fewer = Wanted(rows="baseline", seeds=1, settings=wanted.settings)
    span_tables(streets, "span-small", fewer, tmp_path, TINY, "cpu", 0)
    pd.testing.assert_frame_equal(pd.read_csv(folder / "masks.csv"), masks)
    assert "Figure 6 in numbers" in (folder / "tables.md").read_text()
    whole = Masks.read(folder / "masks-full")
    some = Masks(whole.frame.iloc[:-1], whole.views, whole.size, whole.about)
    (folder / "masks-no-area").mkdir()
    some.write(folder / "masks-no-area" / "masks.parquet")
    span_tables(streets, "span-small", fewer, tmp_path, TINY, "cpu", 0)
    pd.testing.assert_frame_equal(pd.read_csv(folder / "masks.csv"), masks)
    whole.write(folder / "masks-no-area" / "masks.parquet")
    span_tables(streets, "span-small", fewer, tmp_path, TINY, "cpu", 0)
    assert len(pd.read_csv(folder / "masks.csv")) == len(masks) + 4
    with pytest.raises(InputError, match="another"):
        span_tables(streets, "span-small", Wanted(seeds=1), tmp_path, TINY, "cpu", 0)
    other = Wanted(rows="cpdm", seeds=1, masks=folder / "masks-full")
    assert span_tables(streets, "span-small", other, tmp_path / "x", TINY, "cpu", 0).is_dir()


@pytest.mark.skipif(not PAPER.is_file(), reason="../shared/papers is not there")
def test_the_papers_numbers_are_the_papers():
    lines = re.sub(r"</?b>", "", PAPER.read_text(errors="replace")).splitlines()
    heads = [n for n, line in enumerate(lines) if line.startswith("Method\t")]
    for table, start in zip(SPAN.tables, heads, strict=False):
        columns = lines[start + 1].strip().replace("$\\mathcal{L}_{", "L_").replace("}$", "")
        assert columns.split("\t") == [*table.traits, *(name for name, _ in table.metrics)]
        for row, line in zip(table.rows, lines[start + 2 :], strict=False):
            label, *cells = line.replace("$\\mathcal{L}_{", "L_").replace("}$", "").split("\t")
            figures = [f"{100 * figure:.1f}" for figure in row.figures]
            assert label == row.label
            # In the last line of Table 2 the text lost the tabulator between two cells.
            assert " ".join([*row.traits, *figures]) == " ".join(filter(None, cells))
        assert not re.search(r"\t\d+\.\d", lines[start + 2 + len(table.rows)])


@pytest.mark.parametrize(
    ("wanted", "changes", "words"),
    [
        (Wanted(rows="baseline,cmpd"), [], "did you mean 'cpdm'"),
        (Wanted(), ["join=fc"], "set 'join' themselves"),
        (Wanted(), ["parts.use=[]"], "with views in parts.use"),
        (Wanted(settings=("views=[front, side]",)), [], "'rear' is none of the views that masks"),
        (Wanted(settings=("area=1",)), [], "the rows of Table 1 set this themselves"),
        (Wanted(masks="x"), [], "Table 1 compares masks that it makes itself"),
    ],
)
def test_what_the_tables_set_themselves(streets, tmp_path, wanted, changes, words):
    with pytest.raises(InputError, match=words):
        span_tables(streets, "span-small", wanted, tmp_path, [*TINY, *changes], "cpu", 0)


def test_rows_differ_as_table_2_says():
    planned = plan(load_recipe("span-small"))
    trials = planned.trials(SPAN.choose(None), 2)
    assert len(trials) == 14
    assert [trial.recipe.seed for trial in trials] == [0] * 7 + [1] * 7
    assert trials[0].labels["row"] == "cpdm"
    assert {masks_of(row.name) for row in SPAN.tables[0].rows} == {None, *MASKS}
    assert [losses_told(name) for name in MASKS] == [r.label for r in SPAN.tables[0].rows[1:]]
    recipes = planned.recipes
    assert not recipes["baseline"].parts.use
    assert (recipes["fc"].join, recipes["fc"].distance) == ("fc", "euclidean")
    assert (recipes["cpdm"].join, recipes["cpdm"].distance) == ("views", "cpdm")
    for name in ("span-veri776", "span-cityflow"):
        chosen = load_recipe(name)
        assert (chosen.iterations, chosen.batch.size, chosen.batch.per_identity) == (30000, 32, 4)
        assert (chosen.image.height, chosen.backbone.name) == (256, "resnet50")


def test_pairs_are_not_judged_through_masks(streets, tmp_path):
    recipe = load_recipe("span-small", TINY)
    model = build_model(recipe, 2, start=False)
    save_model(tmp_path / "model.pt", model, recipe, ("0", "1"))
    with pytest.raises(InputError, match="looks through masks of views"):
        calibrate(tmp_path, streets, None, None, (), (), None, "global", None, None, "cpu")

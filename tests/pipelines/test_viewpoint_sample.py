"""A few hundred labels by hand: drawn, filled, learned from, and taken over into the data set."""

import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images
from annotations.vocabulary import load_vocabulary
from pipelines.cli.main import main
from pipelines.jobs import viewpoint_sample
from pipelines.jobs.given_viewpoints import with_given
from pipelines.jobs.viewpoint_sample import sample, spread
from pipelines.jobs.views import label, learn_viewpoints
from pipelines.report.viewpoint_sheet import viewpoint_sheet
from reid.attention.viewpoints import SCORE
from reid.retrieval.thumbnails import Thumbnail
from tests.reid.attention.conftest import SHOWN, draw

TINY = ["backbone=resnet18", "weights=null", "size=32", "batch=8", "steps=1", "precision=float32"]
WORDS = list(SHOWN)


def truth(name):
    return WORDS[int(name[-7:-4]) % 7]


@pytest.fixture
def data(tmp_path):
    """24 training images of 4 vehicles and 3 cameras, and 6 others; no viewpoint is known."""
    root, rows = tmp_path / "data", []
    (root / "images").mkdir(parents=True)
    for number in range(30):
        name = f"images/{number:03d}.png"
        pixels, _ = draw(WORDS[number % 7], np.random.default_rng(number))
        Image.fromarray(pixels).save(root / name)
        rows.append({"image": name, "identity": str(number % 4), "camera": f"c{number % 3}",
                     "split": "train" if number < 24 else "query"})  # fmt: skip
    pd.DataFrame(rows).to_csv(root / "images.csv", index=False)
    return root


def filled(path, count):
    table = pd.read_csv(path)
    table["viewpoint"] = [truth(name) if row < count else None
                          for row, name in enumerate(table["image"])]  # fmt: skip
    table.to_csv(path, index=False)


@pytest.mark.parametrize("place", ["data", "beside", "far/away"])
def test_from_a_sample_to_a_data_set_with_viewpoints(data, tmp_path, capsys, monkeypatch, place):
    out = (data if place == "data" else tmp_path / place) / "to-label.csv"
    command = ["partreid", "views", "sample", str(data), str(out), "--count", "16"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    assert list(pd.read_csv(out).columns) == ["image", "viewpoint"]
    filled(out, 12)
    capsys.readouterr()
    learn_viewpoints(out, None, tmp_path / "net", TINY, "cpu", workers=0)
    assert "4 of 16 images have no viewpoint and are left out" in capsys.readouterr().out
    label(data, None, tmp_path / "net", data / "all.parquet", 0.0, "cpu", out)
    assert f"12 viewpoints taken from {out}" in " ".join(capsys.readouterr().out.split())
    frame = read_images(data / "all.parquet").frame
    by_hand = frame[frame[SCORE].isna()]
    assert len(frame) == 30
    assert len(by_hand) == 12
    assert (by_hand["viewpoint"] == by_hand["image"].map(truth)).all()
    assert frame["viewpoint"].notna().all()


def test_nothing_is_overwritten_or_left_half_done(data, tmp_path, monkeypatch):
    out, page = tmp_path / "a.csv", tmp_path / "a.html"
    page.touch()
    with pytest.raises(InputError, match=r"a\.html: is there already"):
        sample(data, None, out, 4, 0, "views")
    page.unlink()
    with pytest.raises(InputError, match=r"images\.csv: is there already"):
        sample(data, None, data / "images.csv", 4, 0, "views")
    folder = tmp_path / "folder"
    shutil.copytree(data / "images", folder / "1")
    with pytest.raises(InputError, match="would be taken for the table of all images"):
        sample(folder, None, folder / "images.csv", 4, 0, "views")
    with pytest.raises(InputError, match=r"ends in \.csv"):
        sample(data, None, tmp_path / "a.parquet", 4, 0, "views")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(viewpoint_sample, "viewpoint_sheet", fail)
    with pytest.raises(OSError, match="disk full"):
        sample(data, None, out, 4, 0, "views")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "folder"]


def test_the_same_seed_draws_the_same_and_any_beginning_is_spread(data):
    images = read_images(data).training()
    order = list(spread(images, 1))
    assert order == list(spread(images, 1)) != list(spread(images, 2))
    assert sorted(order) == list(range(24))
    for count in (4, 8, 12):
        some = images.frame.iloc[order[:count]]
        assert set(some["identity"].value_counts()) == {count // 4}
    assert images.frame.iloc[order[:12]]["camera"].value_counts().between(3, 5).all()


def test_what_cannot_be_read_or_is_known_is_not_drawn(data, tmp_path, capsys):
    (data / "images/003.png").write_bytes(b"torn")
    frame = pd.read_csv(data / "images.csv")
    frame["viewpoint"] = ["front" if number < 3 else None for number in range(30)]
    frame.to_csv(data / "images.csv", index=False)
    names = sample(data, None, tmp_path / "a.csv", 300, 0, "views")["image"]
    assert sorted(names) == [f"data/images/{number:03d}.png" for number in range(4, 24)]
    said = " ".join(capsys.readouterr().out.split())
    assert "003.png" in said
    assert "no more than 20 to draw" in said
    frame.assign(viewpoint="front").to_csv(data / "images.csv", index=False)
    with pytest.raises(InputError, match="every training image has a viewpoint"):
        sample(data, None, tmp_path / "b.csv", 4, 0, "views")


def test_a_table_of_other_images_gives_nothing(data, tmp_path):
    images = read_images(data)
    other = Images(pd.DataFrame({"image": ["x.png"], "viewpoint": ["front"]}), tmp_path, "other")
    with pytest.raises(InputError, match="none of its 1 viewpoints that people gave is of an im"):
        with_given(images, other)
    told = images.frame[["image"]].assign(viewpoint="front", viewpoint_score=0.5)
    with pytest.raises(InputError, match="none of its 0 viewpoints"):
        with_given(images, Images(told, images.root, "told"))
    # What a person says stands in the place of what was told.
    given = Images(told[:1].assign(viewpoint="rear", viewpoint_score=np.nan), images.root, "given")
    taken = with_given(Images(told, images.root), given).frame
    assert taken["viewpoint"].tolist() == ["rear"] + ["front"] * 29
    assert taken[SCORE].isna().tolist() == [True] + [False] * 29


def test_the_sheet_has_the_rows_and_the_words(tmp_path):
    shown = [Thumbnail("data:image/jpeg;base64,", 4, 3)] * 2
    page = viewpoint_sheet(["a/<1>.png", "b.png"], shown, load_vocabulary("views"), "x.csv")
    for piece in ("<b>2</b>", "<b>3</b>", "&lt;1&gt;.png", "rear-left", "front+side", "x.csv"):
        assert piece in page
    own = tmp_path / "own.yaml"
    own.write_text("parts: [{name: nose, colour: '#112233'}, {name: top, colour: '#112244'}]")
    page = viewpoint_sheet(["b.png"], shown[:1], load_vocabulary(str(own)), "x.csv")
    assert "nose+top" in page
    assert "Left and right" not in page

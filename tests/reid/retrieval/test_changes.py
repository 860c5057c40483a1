"""What is to be done where folders of a gallery lie in each other."""

import os

import numpy as np
import pandas as pd
import pytest

from annotations.datasets import read_images
from annotations.images import Images
from reid.retrieval.changes import NAME, REPLACES, SAME, find_changes
from reid.retrieval.gallery import Gallery
from reid.retrieval.segment import ROOT, as_table
from tests.reid.retrieval.conftest import Made, vectors


@pytest.fixture
def cams(tmp_path):
    """Two cameras' folders; that files are images is no matter here."""
    for number in range(6):
        path = tmp_path / "cams" / f"c{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content {number}")
    (tmp_path / "cams" / "c10").mkdir()  # whose name begins as another's does
    (tmp_path / "cams" / "c10" / "9.png").write_text("content 9")
    return tmp_path / "cams"


@pytest.fixture
def grown(tmp_path):
    """Add a table to a gallery as `pipelines.jobs.adding` does, and return what was to be done."""
    made = Made(tmp_path / "gallery", tmp_path)

    def add(images):
        opened = Gallery.open(made.folder) if made.writer.manifest.segments else None
        done = find_changes(opened, images, made.writer.root_number(images.root))
        frame = done.frame
        if len(frame):
            instead = frame[REPLACES].to_numpy()
            told = frame.assign(image=frame[NAME]).drop(columns=[REPLACES, SAME, NAME])
            made.writer.append(vectors(len(frame)), as_table(told), None, instead[instead >= 0])
        if len(done.gone):
            made.writer.remove(done.gone)
        opened = Gallery.open(made.folder)
        return done, opened.table(opened.rows).set_index("file").sort_index()

    return add


def names(done):
    """What is to be done and which of it takes a row's place, and what is gone, and what stays."""
    frame = done.frame
    todo = dict(zip(frame["image"], (frame[REPLACES] >= 0).tolist(), strict=True))
    return todo, len(done.gone), done.unchanged


def test_a_folder_within_a_known_one_is_compared(cams, grown):
    grown(read_images(cams))
    (cams / "c1" / "1.png").write_text("content changed")
    (cams / "c1" / "3.png").unlink()
    (cams / "c1" / "new.png").write_text("content new")
    (cams / "c0" / "0.png").unlink()  # of which this folder says nothing
    done, table = grown(read_images(cams / "c1"))
    assert names(done) == ({"1.png": True, "new.png": False}, 1, 1)
    assert set(table.index) == {str(path) for path in cams.rglob("*.png")} | {
        str(cams / "c0" / "0.png")
    }
    assert table.index.is_unique
    # What is known of a file stays known, by its first folder; of the new one nothing is.
    changed = table.loc[str(cams / "c1" / "1.png")]
    assert changed["image"] == "c1/1.png" and changed["camera"] == "c1"
    assert pd.isna(table.loc[str(cams / "c1" / "new.png")]["camera"])
    for folder, gone, count in ((cams, 1, 6), (cams / "c1", 0, 3), (cams, 0, 6)):
        assert names(grown(read_images(folder))[0]) == ({}, gone, count)


def test_a_folder_above_known_ones_is_compared(cams, grown):
    for place in ("c0", "c1"):
        grown(read_images(cams / place))
    (cams / "c1" / "1.png").write_text("content changed")
    (cams / "c1" / "3.png").unlink()
    os.utime(cams / "c0" / "0.png", (1, 1))
    done, table = grown(read_images(cams))
    todo = {"c0/0.png": True, "c1/1.png": True, "c10/9.png": False}
    assert names(done) == (todo, 1, 3)
    assert (done.frame[SAME] >= 0).tolist() == [True, False, False]
    assert table.index.tolist() == sorted(str(path) for path in cams.rglob("*.png"))
    assert table.loc[str(cams / "c1" / "1.png")]["image"] == "1.png"
    for folder, count in ((cams, 6), (cams / "c0", 3), (cams / "c1", 2)):
        assert names(grown(read_images(folder))[0]) == ({}, 0, count)


def test_columns_of_both_folders_stay_apart(cams, grown):
    """Of a changed file the first table's cells stay, of whatever kind; others are as given."""
    years = pd.array([2001, None], "Int64")
    frame = pd.DataFrame({"image": ["c1/1.png", "c1/3.png"], "time": [1.5, 2.5],
                          "year": years, "lane": ["left", 2]})  # fmt: skip
    grown(Images(frame, cams, "table"))
    for number in (1, 3):
        (cams / "c1" / f"{number}.png").write_text(f"content changed {number}")
    given = pd.DataFrame({"image": ["1.png", "3.png", "5.png"], "lane": [7, 8, 9],
                          "day": pd.date_range("2026-01-01", periods=3)})  # fmt: skip
    done, table = grown(Images(given, cams / "c1", "other"))
    assert names(done)[0] == {"1.png": True, "3.png": True, "5.png": False}
    assert table["image"].tolist() == ["c1/1.png", "c1/3.png", "5.png"]
    assert table["lane"].tolist() == ["left", "2", "9"]
    assert table["time"].tolist()[:2] == [1.5, 2.5] and np.isnan(table["time"].iloc[2])
    assert table["year"].tolist() == [2001, pd.NA, pd.NA]
    assert table["day"].isna().tolist() == [True, True, False]


def test_whole_paths_in_a_table_are_files_of_a_folder(cams, grown):
    paths = sorted(map(str, cams.rglob("*.png")))
    grown(Images(pd.DataFrame({"image": paths}), cams.parent, "table"))
    (cams / "c1" / "1.png").write_text("content changed")
    done, table = grown(read_images(cams))
    assert names(done) == ({"c1/1.png": True}, 0, 6)
    assert table["image"].tolist() == paths and done.frame[ROOT].tolist() == [0]

import json

import numpy as np
import pandas as pd

from annotations.images import Images
from reid.retrieval.gallery import Gallery
from reid.retrieval.page import write_results
from reid.retrieval.question import Question
from reid.retrieval.results import known_columns, search, spelled
from reid.retrieval.several import Galleries
from tests.reid.retrieval.conftest import ABOUT, images, vectors

INTERNAL = ["file_root", "file_size", "file_time", "file_content"]


def built(place, count=3, first=0, **columns):
    table = images(place.with_name("photos"), count, first, **columns)
    return Gallery.build(vectors(count, first), table, place, ABOUT)


def asked(tmp_path):
    return Images(pd.DataFrame({"image": ["q.jpg"]}), tmp_path, "queries")


def test_every_column_that_can_be_asked_about_is_told(tmp_path):
    own = {"plate note": ["bent", None, "new"], "colour": ["red", None, "blue"],
           "lane": [1, 2, 3], "type": ["suv", "van", None], "rank": ["a", "b", "c"],
           "empty": [None] * 3}  # fmt: skip
    galleries = Galleries((built(tmp_path / "gallery", **own),))
    found = search(galleries, vectors(1), asked(tmp_path), Question(top=3))
    # Those that results always had, then the others in the table's order.
    names = ["identity", "camera", "colour", "plate note", "lane", "type", "own_rank"]
    assert known_columns(found) == names
    for row in found.itertuples():
        place = int(row.image.split(".")[0])
        assert found["lane"][row.Index] == own["lane"][place]
        assert found["own_rank"][row.Index] == own["rank"][place]
    assert found["rank"].tolist() == [1, 2, 3] and not set(INTERNAL) & set(found)
    write_results(found, galleries, asked(tmp_path), tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "results.csv")
    assert sorted(table["plate note"].dropna()) == ["bent", "new"]
    assert pd.read_parquet(tmp_path / "out" / "results.parquet")["lane"].tolist() == list(
        found["lane"]
    )
    line = json.loads((tmp_path / "out" / "results.jsonl").read_text().splitlines()[0])
    assert line["lane"] == found["lane"][0] and "row" not in line


def test_no_more_rows_are_read_than_are_told(tmp_path, monkeypatch):
    galleries = Galleries((built(tmp_path / "gallery", 50, lane=[*range(50)]),))
    read = []
    whole = Gallery.table
    monkeypatch.setattr(
        Gallery, "table", lambda self, rows, columns=None: (
            read.append(len(rows)) if columns is None else None, whole(self, rows, columns))[1]
    )  # fmt: skip
    found = search(galleries, vectors(1), asked(tmp_path), Question(top=4))
    assert len(found) == 4 and [count for count in read if count] == [4]


def test_columns_that_galleries_hold_differently(tmp_path):
    """Numbers in one and words, or nothing, in another."""
    one = built(tmp_path / "one", lane=[1, 2, 3], number=[4, 5, 6], size=[0.5, 1.5, 2.5])
    two = built(tmp_path / "two", 2, 3, lane=["left", "right"], number=[None, None])
    galleries = Galleries((one, two))
    found = search(galleries, vectors(1), asked(tmp_path), Question(top=5)).sort_values("image")
    assert found["lane"].tolist() == ["1", "2", "3", "left", "right"]
    assert found["number"].tolist()[:3] == [4, 5, 6] and found["number"].isna().sum() == 2
    assert found["size"].dropna().tolist() == [0.5, 1.5, 2.5]
    write_results(found, galleries, asked(tmp_path), tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "results.parquet")
    assert table["number"].dropna().tolist() == [4, 5, 6]


def test_true_and_false_are_spelled_alike():
    flags = {"match": pd.array([True, None, False], "boolean"), "unknown": [True, False, True]}
    table = pd.DataFrame({**flags, "distance": np.zeros(3)})
    lines = spelled(table).to_csv(index=False).splitlines()
    assert lines == ["match,unknown,distance", "true,true,0.0", ",false,0.0", "false,true,0.0"]

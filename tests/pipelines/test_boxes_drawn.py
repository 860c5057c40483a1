"""Part boxes are drawn on the images that they are of, and on no other of their name."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.boxes import Boxes
from annotations.images import Images
from annotations.table import write_table
from annotations.vocabulary import load_vocabulary
from pipelines.jobs.boxes_drawn import boxes_drawn
from reid.retrieval.gallery import Gallery, GalleryAbout
from reid.retrieval.page import write_results
from reid.retrieval.question import Question
from reid.retrieval.results import search
from reid.retrieval.several import Galleries

ABOUT = GalleryAbout(model="abc123", run="runs/prn")


def table(root, *names):
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            shade = 40 * len(root.name) + number
            Image.new("RGB", (20 + len(root.name), 20), (shade % 255,) * 3).save(path)
    return Images(pd.DataFrame({"image": list(names)}), root, str(root))


def boxes(*names, **where):
    rows = {"image": list(names), "part": "window", "x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.5}
    return Boxes(pd.DataFrame({**rows, "score": 1.0, "source": "label"}), **where)


def gallery(place, *tables):
    """A gallery for each table of images."""
    made = []
    for number, each in enumerate(tables):
        vectors = np.eye(4)[: len(each)]
        made.append(Gallery.build(vectors, each, place / f"gallery{number}", ABOUT))
    return Galleries(tuple(made))


def drawn(known, galleries, queries):
    found = search(galleries, np.eye(4)[: len(queries)], queries, Question(top=9))
    return found, boxes_drawn(known, found, galleries, queries).frame["image"].tolist()


def test_an_image_of_a_querys_name_has_not_its_boxes(tmp_path):
    queries = table(tmp_path / "suspects", "1.png", "2.png")
    galleries = gallery(tmp_path, table(tmp_path / "yard", "1.png", "3.png"))
    known = boxes("1.png", "2.png", "3.png")
    found, mine = drawn(known, galleries, queries)
    assert mine == [str(tmp_path / "yard/3.png")]
    page = write_results(
        found, galleries, queries, tmp_path / "out", boxes=boxes(*mine), query_boxes=known,
        vocabulary=load_vocabulary("prn"),
    ).read_text()  # fmt: skip
    assert page.count('class="part"') == 2 + 2  # each query has its own; 3.png is in both lists


def test_where_two_galleries_have_the_name_neither_is_drawn_on(tmp_path):
    queries = table(tmp_path / "suspects", "q.png")
    both = [table(tmp_path / name, "1.png", f"{name}.png") for name in ("yard", "street")]
    _, mine = drawn(boxes("1.png", "yard.png", "street.png"), gallery(tmp_path, *both), queries)
    assert sorted(mine) == [str(tmp_path / f"{name}/{name}.png") for name in ("street", "yard")]
    # Also where only one of the two is shown.
    galleries = gallery(tmp_path / "again", *both)
    found = search(galleries, np.eye(4)[:1], queries, Question(top=9))
    one = found[found["file"] == str(tmp_path / "yard/1.png")]
    assert len(boxes_drawn(boxes("1.png"), one, galleries, queries)) == 0


def test_a_gallerys_own_images_asked_with_are_drawn_on(tmp_path):
    images = table(tmp_path / "yard", "a/1.png", "b/2.png")
    galleries = gallery(tmp_path, images)
    _, mine = drawn(boxes("a/1.png", "b/2.png"), galleries, images)
    assert mine == [str(path) for path in images.paths]
    _, mine = drawn(boxes("yard/a/1.png", "2.png"), galleries, table(tmp_path / "other", "q.png"))
    assert mine == [str(images.paths[0])]  # "2.png" says less than the gallery does


@pytest.mark.parametrize("gone", [False, True])
def test_a_cache_tells_its_images_by_their_size(tmp_path, gone):
    folder, queries = tmp_path / "cache", table(tmp_path / "suspects", "1.png")
    both = [table(tmp_path / name, "x/1.png") for name in ("yard", "street")]
    sizes = [both[0].paths[0].stat().st_size]
    assert sizes[0] != both[1].paths[0].stat().st_size
    write_table(pd.DataFrame({"image": ["x/1.png"], "bytes": sizes}), folder / "images.parquet")
    boxes("x/1.png").write(folder / "boxes.parquet")
    galleries = gallery(tmp_path, *both)
    if gone:
        both[0].paths[0].unlink()
    _, mine = drawn(Boxes.read(folder / "boxes.parquet"), galleries, queries)
    assert mine == ([] if gone else [str(both[0].paths[0])])

import numpy as np
import pandas as pd

from reid.retrieval.gallery import Gallery
from reid.retrieval.milvus.keys import keys_of
from reid.retrieval.milvus.layout import Layout, kinds_of
from reid.retrieval.segment import CONTENT, ROOT, as_table
from tests.reid.retrieval.conftest import Made, images, vectors


def keys(made, name="yard", columns=("image", "camera", "lane", "empty")):
    gallery = Gallery.open(made.folder)
    found = keys_of(gallery, name, columns)
    assert found.dtype == np.int64 and (found >= 0).all() and len(np.unique(found)) == len(found)
    return pd.Series(found, index=gallery.table(gallery.rows)["image"])


def test_numbers_stay_while_images_do(tmp_path):
    made = Made(tmp_path / "one", tmp_path / "photos")
    for first in (0, 10):
        table = images(made.root, 10, first=first, camera=["a"] * 10, lane=list(range(10)))
        made.append(table, vectors(10, first))
    before = keys(made)
    made.writer.remove(np.array([2]))
    made.writer.compact()
    after = keys(made)
    pd.testing.assert_series_equal(after, before.drop("2.jpg"))
    assert not set(keys(made, name="other")) & set(before)
    # What the collection has no column for makes no difference, nor one that says nothing.
    pd.testing.assert_series_equal(keys(made, columns=("camera", "lane", "image", "shade")), after)


def test_what_changes_is_another(tmp_path):
    made = Made(tmp_path / "one", tmp_path / "photos")

    def add(image, camera="a", lane=1, content=b"0" * 16, seed=0):
        frame = images(made.root, 1, first=image, camera=[camera], lane=[lane]).frame
        frame = frame.assign(**{ROOT: made.writer.root_number(made.root), CONTENT: [content]})
        made.writer.append(vectors(1, seed), as_table(frame))

    add(0)
    add(1)
    add(1, camera="b")
    add(1, lane=2)
    add(1, content=b"1" * 16)
    add(1, content=None)
    add(1, content=None, seed=1)  # known by its embedding
    add(1, seed=2)  # of one content, the embedding is one, too
    add(1)
    found = keys(made)
    assert len(found) == 9


def test_fields_are_words_of_no_language(tmp_path):
    made = Made(tmp_path / "one", tmp_path / "photos")
    own = {"in": [1], "Spur (m)": [1.5], "Spur [m]": ["x"], "leer": [None]}
    made.append(images(made.root, 1, **own), vectors(1))
    gallery = Gallery.open(made.folder)
    columns = Layout.of(gallery).columns
    assert columns["camera"].name == "camera" and columns["year"].kind == "whole"
    assert (columns["in"].name, columns["in"].kind) == ("own_in", "whole")
    assert (columns["Spur (m)"].name, columns["Spur (m)"].kind) == ("own_Spur__m_", "number")
    assert (columns["Spur [m]"].name, columns["Spur [m]"].kind) == ("own_Spur__m__2", "text")
    assert "leer" not in columns and "leer" not in kinds_of(gallery)

"""Groups that are few are looked through one by one: the same is found as in ever longer lists."""

import numpy as np
import pandas as pd
import pytest

from reid.retrieval import finding
from reid.retrieval.apart import few_values
from reid.retrieval.gallery import Gallery
from reid.retrieval.question import Question
from reid.retrieval.results import search
from reid.retrieval.selection import Condition
from reid.retrieval.several import Galleries
from tests.reid.retrieval.conftest import ABOUT, images, vectors


def a_city(place, count=400, seed=0):
    """Two galleries; a camera with nearly all images, one with one, and images of none."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(2):
        camera = random.choice(["c1"] * 60 + ["c2", "c3", "c4", None], count)
        camera[0] = f"far{number}"
        items = images(
            place / str(number), count, identity=[str(n % 9) for n in range(count)], camera=camera,
            lane=[None if n % 50 == 0 else n % 2 for n in range(count)],
        )  # fmt: skip
        theirs = vectors(count, seed=seed + number + 1)
        theirs[0] += 20
        made.append(Gallery.build(theirs, items, place / f"g{number}", ABOUT, half=False))
    return Galleries(tuple(made))


@pytest.mark.parametrize(
    "asked",
    [
        {"group": "camera"},
        {"group": "camera", "top": 3},
        {"group": "camera", "drop_same_camera": True},
        {"group": "camera", "together": "track", "drop_same_camera": True},
        {"group": "camera", "together": "track", "pool": "average"},
        {"group": "camera", "conditions": (Condition.parse("camera=c2,c3,c4"),), "top": 4},
        {"group": "lane", "top": 30},
    ],
)
def test_what_is_found_is_the_same(tmp_path, monkeypatch, asked):
    galleries = a_city(tmp_path)
    queries = images(
        tmp_path / "q", 6, identity=[str(n) for n in range(6)], camera=["c1", "c2"] * 3,
        track=["a", "a", "b", "b", "b", None],
    )  # fmt: skip
    question = Question(**{"top": 60, **asked})
    used = []

    def counted(*given):
        used.append(few_values(*given))
        return used[-1]

    monkeypatch.setattr(finding, "_LOOKS", 1)
    monkeypatch.setattr(finding, "few_values", counted)
    found = search(galleries, vectors(6, seed=9), queries, question)
    assert any(values is not None for values in used)
    monkeypatch.setattr(finding, "few_values", lambda *given: None)
    expected = search(galleries, vectors(6, seed=9), queries, question)
    pd.testing.assert_frame_equal(found, expected)


def test_values_of_a_column(tmp_path):
    galleries = a_city(tmp_path, count=30)
    rows = galleries.rows
    for column in ("camera", "lane", "colour"):
        said = [None if pd.isna(word) else word for word in galleries.words(column, rows)]
        values = few_values(galleries, column)
        assert set(values.names) == set(said) and len(values.names) == len(set(said))
        assert [values.names[number] for number in values.numbers] == said
    keep = np.zeros(60, bool)
    keep[[0, 30, 31]] = True
    some = few_values(galleries, "camera", keep)
    assert some.names[:2] == ["far0", "far1"] and (some.numbers[~keep] == -1).all()
    assert few_values(galleries, "image", most=29) is None
    assert len(few_values(galleries, "image", most=30).names) == 30

"""Grouping, several images a query, and leaving out, against plain loops."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.errors import InputError
from annotations.images import Images
from reid.reranking.refinement import Refinement
from reid.retrieval.gallery import Gallery
from reid.retrieval.question import Question, require_pool
from reid.retrieval.results import search
from reid.retrieval.selection import Condition
from reid.retrieval.several import Galleries
from tests.reid.retrieval.conftest import ABOUT, Made, images, vectors

COUNT = 40


def drawn(root, seed, count, first=0):
    random = np.random.default_rng(seed)

    def words(letters):
        return [None if word == "-" else str(word) for word in random.choice(list(letters), count)]

    return images(root, count, first=first, identity=words("123-"), camera=words("ab-"),
                  track=words("pqrst-"))  # fmt: skip


def plain(query, items, mine, theirs, question):
    """Return names and distances for one query of several images, the slow way."""
    apart = np.linalg.norm(mine[:, None] - theirs[None], axis=2)
    if question.pool == "average":
        apart = np.linalg.norm(mine.mean(0) - theirs, axis=1)[None]
    groups = {}
    for g, item in enumerate(items.to_dict("records")):
        values = []
        for q, asked in enumerate(query.to_dict("records")):
            same = all(
                not pd.isna(asked[name]) and not pd.isna(item[name]) and asked[name] == item[name]
                for name in ("identity", "camera")
            )
            barred = question.drop_same_camera and same
            values.append(np.inf if barred else apart[min(q, len(apart) - 1), g])
        value = min(values)
        if np.isfinite(values).all():  # no image of the vehicle forbids it
            group = item.get(question.group) if question.group else None
            key = f"own {g}" if group is None or pd.isna(group) else group
            groups.setdefault(key, []).append((value, item["image"]))
    best = sorted(min(members) for members in groups.values())[: question.top]
    return [name for _, name in best], [value for value, _ in best]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 999), st.integers(1, 12), st.booleans(),
    st.sampled_from([None, "track", "camera"]), st.sampled_from([None, "track", "identity"]),
    st.sampled_from(["nearest", "average"]),
)  # fmt: skip
def test_as_plain_loops_find(tmp_path_factory, seed, top, across, group, together, pool):
    place = tmp_path_factory.mktemp("f")
    question = Question(top=top, drop_same_camera=across, group=group, together=together,
                        pool=pool if together else "nearest")  # fmt: skip
    items, queries = drawn(place / "g", seed, COUNT), drawn(place / "q", seed + 1, 9, first=100)
    theirs, mine = vectors(COUNT, seed), vectors(9, seed + 1)
    made = Made(place / "gallery", place / "g")
    for start in range(0, COUNT, 15):
        piece = Images(items.frame.iloc[start : start + 15], items.root, "piece")
        made.append(piece, theirs[start : start + 15])
    galleries = Galleries.open([made.folder])
    found = search(galleries, mine, queries, question)
    frame = queries.frame.assign(unit=[f"own {q}" for q in range(9)])
    if together:
        frame["unit"] = frame[together].fillna(frame["unit"])
    for _, rows in frame.groupby("unit", sort=False):
        names, values = plain(rows, items.frame, mine[rows.index], theirs, question)
        told = found[found["query"] == rows["image"].iloc[0]]
        assert told["image"].tolist() == names
        np.testing.assert_allclose(told["distance"], values, rtol=1e-4)
        assert told["rank"].tolist() == list(range(1, len(names) + 1))
        if together:
            assert (told["query_images"] == len(rows)).all()
    if group:
        sizes = items.frame[group].value_counts()
        asked = found[group].map(sizes).fillna(1).astype(int)
        assert found["images"].tolist() == asked.tolist()


def test_sets_are_compared_as_wholes(tmp_path):
    items, queries = drawn(tmp_path, 3, COUNT), drawn(tmp_path / "q", 4, 8, first=100)
    theirs, mine = vectors(COUNT, 3), vectors(8, 4)
    gallery = Gallery.build(theirs, items, tmp_path / "gallery", ABOUT, half=False)
    question = Question(top=4, group="track", together="track", pool="sets",
                        conditions=(Condition.parse("camera=a,b"),))  # fmt: skip
    found = search(Galleries((gallery,)), mine, queries, question)
    own = pd.Series([f"own {n}" for n in range(COUNT)], dtype="string")
    tracks = items.frame["track"].fillna(own)
    findable = items.frame["camera"].isin(["a", "b"])
    asked = queries.frame["track"].fillna(own[:8])
    for name in asked.unique():
        a = mine[asked == name]
        expected = []
        for track in tracks[findable].unique():
            b = theirs[(tracks == track) & findable]
            apart = np.linalg.norm(a[:, None] - b[None], axis=2)
            expected.append((apart.min(1).mean() + apart.min(0).mean()) / 2)
        first = queries.frame["image"][asked == name].iloc[0]
        told = found[found["query"] == first]["distance"]
        np.testing.assert_allclose(told, np.sort(expected)[:4], rtol=1e-4)


def test_refining_looks_at_candidates_alone(tmp_path):
    items, queries = drawn(tmp_path, 3, COUNT), drawn(tmp_path / "q", 4, 2, first=100)
    theirs, mine = vectors(COUNT, 3), vectors(2, 4)
    gallery = Gallery.build(theirs, items, tmp_path / "gallery", ABOUT, half=False)
    galleries = Galleries((gallery,))
    near = np.unique(galleries.search(mine, 8)[1])
    refine = Refinement(rerank=True, k1=4, k2=2)
    found = search(galleries, mine, queries, Question(top=8, candidates=8, refine=refine))
    assert set(found["row"]) <= set(near.tolist())
    piece = Images(items.frame.iloc[near], items.root, "piece")
    alone = Gallery.build(theirs[near], piece, tmp_path / "alone", ABOUT, half=False)
    same = search(Galleries((alone,)), mine, queries, Question(top=8, refine=refine))
    assert found["image"].tolist() == same["image"].tolist()
    np.testing.assert_allclose(found["distance"], same["distance"], atol=1e-6)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"top": 0}, "top must be at least 1"),
        ({"top": 20, "candidates": 10}, "10 are fewer than the 20"),
        ({"pool": "average"}, "say which images are of one vehicle"),
        ({"pool": "sets", "together": "track"}, "say which images of the gallery are one set"),
        (
            {"pool": "sets", "together": "track", "group": "track", "refine": Refinement(3)},
            "take one",
        ),
    ],
)
def test_questions_that_make_no_sense(asked, said):
    with pytest.raises(InputError, match=said):
        Question(**asked)


def test_columns_that_are_not_there_are_named(tmp_path):
    gallery = Gallery.build(vectors(3), images(tmp_path, 3), tmp_path / "gallery", ABOUT)
    galleries, queries = Galleries((gallery,)), images(tmp_path, 1)
    with pytest.raises(InputError, match="no column 'trak' to group by"):
        search(galleries, vectors(1), queries, Question(group="trak"))
    with pytest.raises(InputError, match="no column 'track' that says which images"):
        search(galleries, vectors(1), queries, Question(together="track"))
    with pytest.raises(InputError, match="no pool 'avrage'; did you mean 'average'"):
        require_pool("avrage")
    about = ABOUT.model_copy(update={"distance": "shared:3,1"})
    shown = np.array([[1, 2, 3, 4, 1, 1]], np.float32)
    viewed = Gallery.build(shown, images(tmp_path, 1), tmp_path / "viewed", about)
    question = Question(together="camera", pool="average")
    with pytest.raises(InputError, match="'average': has no meaning for the distance shared"):
        search(Galleries((viewed,)), shown, queries, question)


def of_one_track(place, far):
    """Three queries of one track that the gallery holds too, and others at some distances."""
    queries = images(place, 3, identity=["1"] * 3, camera=["a"] * 3, track=["t"] * 3)
    items = images(
        place, 3 + len(far), identity=["1"] * 3 + ["2"] * len(far),
        camera=["a"] * 3 + ["b"] * len(far),
        track=["t"] * 3 + [f"u{n % 2}" for n in range(len(far))],
    )  # fmt: skip
    mine = np.zeros((3, 6), np.float32)
    mine[:, 0] = [0, 5, 10]
    theirs = np.zeros((len(far), 6), np.float32)
    theirs[:, 0] = far
    gallery = Gallery.build(np.vstack([mine, theirs]), items, place / "gallery", ABOUT, half=False)
    return Galleries((gallery,)), mine, queries


@pytest.mark.parametrize("pool", ["nearest", "average", "sets"])
def test_a_vehicles_own_images_are_left_out_whichever_asks(tmp_path, pool):
    galleries, mine, queries = of_one_track(tmp_path, [-4, 30, 31])
    for left_out in ({"drop_self": True}, {"drop_same_camera": True}):
        question = Question(top=3, together="track", group="track", pool=pool, **left_out)
        found = search(galleries, mine, queries, question)
        assert set(found["track"]) == {"u0", "u1"}
        if pool == "nearest":
            assert found["distance"].tolist() == [4, 20]


def test_what_one_list_hides_another_does_not_stand_in_for(tmp_path):
    """The first image's list is all left out at first, while the second's would do."""
    queries = images(tmp_path / "q", 2, identity=["1", "1"], camera=["a", "a"], track=["t", "t"])
    count = 12
    items = images(tmp_path, count + 6, identity=["1"] * count + ["2"] * 6,
                   camera=["a"] * count + ["b"] * 6)  # fmt: skip
    mine = np.zeros((2, 6), np.float32)
    mine[:, 0] = [0, 100]
    theirs = np.zeros((count + 6, 6), np.float32)
    theirs[:, 0] = [*np.linspace(0, 1, count), 2, 2.5, 105, 105.1, 105.2, 105.3]
    gallery = Gallery.build(theirs, items, tmp_path / "gallery", ABOUT, half=False)
    question = Question(top=2, drop_same_camera=True, together="track")
    found = search(Galleries((gallery,)), mine, queries, question)
    assert found["distance"].tolist() == [2, 2.5]


def test_nothing_left_of_a_group_at_first(tmp_path):
    count = 20
    items = images(tmp_path, count + 1, identity=["1"] * count + ["2"], camera=["a"] * (count + 1),
                   track=["x"] * count + ["y"])  # fmt: skip
    theirs = np.zeros((count + 1, 6), np.float32)
    theirs[:, 0] = np.arange(count + 1)
    gallery = Gallery.build(theirs, items, tmp_path / "gallery", ABOUT, half=False)
    queries = images(tmp_path / "q", 1, identity=["1"], camera=["a"])
    question = Question(top=1, drop_same_camera=True, group="track")
    found = search(Galleries((gallery,)), theirs[:1], queries, question)
    assert found["track"].tolist() == ["y"]


def test_groups_of_numbers_with_gaps(tmp_path):
    items = images(tmp_path, 6, lane=[1, 1, 2, None, 2, 1])
    gallery = Gallery.build(vectors(6), items, tmp_path / "gallery", ABOUT)
    queries = images(tmp_path / "q", 1)
    found = search(Galleries((gallery,)), vectors(1), queries, Question(top=9, group="lane"))
    assert sorted(found["images"]) == [1, 2, 3]


def test_one_file_in_two_galleries_is_re_ranked(tmp_path):
    items, queries = drawn(tmp_path, 3, COUNT), drawn(tmp_path / "q", 4, 2, first=100)
    pair = [
        Gallery.build(vectors(COUNT, 3), items, tmp_path / name, ABOUT) for name in ("one", "two")
    ]
    refine = Refinement(rerank=True, k1=4, k2=2)
    found = search(Galleries(tuple(pair)), vectors(2, 4), queries, Question(top=8, refine=refine))
    assert (found["image"].value_counts().astype(int) % 2 == 0).all() and found[
        "gallery"
    ].nunique() == 2

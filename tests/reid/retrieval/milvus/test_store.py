"""A gallery copied to a server over TCP is searched as it is searched itself."""

import itertools

import numpy as np
import pandas as pd
import pytest

from annotations.errors import InputError
from reid.reranking.refinement import Refinement
from reid.retrieval.gallery import Gallery
from reid.retrieval.milvus.address import Address
from reid.retrieval.milvus.layout import Layout
from reid.retrieval.milvus.publish import Publication
from reid.retrieval.milvus.server import Server
from reid.retrieval.milvus.store import MilvusStore
from reid.retrieval.question import Question
from reid.retrieval.results import search
from reid.retrieval.selection import Condition
from reid.retrieval.several import Galleries
from tests.reid.retrieval.conftest import ABOUT, Made, images, vectors

COUNT = 300
NAMES = itertools.count()
TRICKY = 'c"1\\ or camera != "'


def address(milvus):
    return Address.parse(f"{milvus}/c{next(NAMES)}")


def published(folder, where, index=None, name="yard"):
    planned = Publication.plan(Gallery.open(folder), Server(where), where, name, index)
    planned.carry_out()
    return planned


def drawn(root, seed, count=COUNT, first=0):
    random = np.random.default_rng(seed)

    def words(letters):
        return [None if word == "-" else str(word) for word in random.choice(letters, count)]

    return images(
        root, count, first=first, identity=words(list("1234-")),
        camera=words(["a", "b", TRICKY, "ü\n", "-"]), track=words(list("pqrstuvw-")),
        time=[None if n % 7 == 0 else n / 2 for n in range(count)],
        year=[None if n % 5 == 0 else 2000 + n % 9 for n in range(count)],
        **{"own lane (m)": [None if n % 3 == 0 else n % 4 for n in range(count)],
           "note": words(["x", "10", "9", "-"])},
    )  # fmt: skip


@pytest.fixture(scope="module", params=["euclidean", "cosine"])
def both(request, tmp_path_factory, milvus):
    """A gallery of several segments, from which some are removed, and its copy."""
    place = tmp_path_factory.mktemp("both")
    made = Made(
        place / "gallery", place / "g", ABOUT.model_copy(update={"distance": request.param})
    )
    items, theirs = drawn(place / "g", 1), vectors(COUNT, 1)
    if request.param == "cosine":
        theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    for start in range(0, COUNT, 120):
        piece = items.where(np.arange(COUNT) // 120 == start // 120)
        made.append(piece, theirs[start : start + 120])
    made.writer.remove(np.arange(0, COUNT, 11))
    where = address(milvus)
    planned = published(made.folder, where)
    assert planned.index == "FLAT" and planned.unchanged == 0
    store = MilvusStore.open(str(where))
    assert not store.apart
    return Galleries.open([made.folder]), store


QUESTIONS = {
    "plain": {},
    "same camera": {"drop_same_camera": True},
    "self": {"drop_self": True},
    "list": {"conditions": [f"camera=a,{TRICKY}"]},
    "not": {"conditions": ["camera!=a", "identity!=1,2"]},
    "text": {"conditions": ["camera=ü\n", "image<2"]},
    "numbers": {"conditions": ["time>=30.5", "year<2006.5", "year!=2003"]},
    "whole": {"conditions": ["year=2003,2004,2005.5", "own lane (m)<=2"]},
    "text of numbers": {"conditions": ["note<2"]},
    "group": {"group": "track", "top": 40},
    "group of numbers": {"group": "own lane (m)"},
    "together": {"together": "identity", "pool": "nearest"},
    "average": {"together": "track", "pool": "average", "drop_same_camera": True},
    "sets": {"together": "track", "group": "track", "pool": "sets", "conditions": ["camera!=b"]},
    "rerank": {"refine": Refinement(rerank=True, k1=4, k2=2), "candidates": 60},
    "expand": {"refine": Refinement(expand=3), "candidates": 60},
}


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
def test_finds_what_the_gallery_finds(both, tmp_path, asked):
    asked = {"top": 12, **asked}
    conditions = tuple(map(Condition.parse, asked.pop("conditions", ())))
    question = Question(conditions=conditions, **asked)
    queries = drawn(tmp_path / "q", 2, 9, first=900)
    if question.drop_self:
        queries = drawn(both[0].each[0].roots[0], 1, 9)
    mine = vectors(9, 3)
    expected, found = (search(place, mine, queries, question) for place in both)
    assert len(found) and (found["gallery"] == "yard").all()
    told = [name for name in expected if name not in ("gallery", "row", "distance")]
    pd.testing.assert_frame_equal(found[told], expected[told])
    np.testing.assert_allclose(found["distance"], expected["distance"], rtol=1e-4, atol=2e-6)


def test_what_is_asked_wrongly(both, tmp_path):
    store = both[1]
    queries = images(tmp_path, 2)

    def ask(**asked):
        conditions = tuple(map(Condition.parse, asked.pop("conditions", ())))
        return search(store, vectors(2), queries, Question(conditions=conditions, **asked))

    for wrong, said in {
        "colur=red": "no column 'colur'; did you mean 'colour'",
        "camera=nowhere": "no image fulfils camera=nowhere",
        "year=old": "year holds numbers, and 'old' is none",
        "year=1.5": "year holds whole numbers",
        "time<inf": "'inf' cannot be compared with there",
        "file_key=1": "no column 'file_key'",
        'camera=a") or ("" == "': "no image fulfils",
        "camera=\0": "has control characters",
    }.items():
        with pytest.raises(InputError, match=said.replace("(", r"\(")):
            ask(conditions=[wrong])
    with pytest.raises(InputError, match="no column 'trak' to group by; did you mean 'track'"):
        ask(group="trak")
    with pytest.raises(InputError, match=r"finds 1 to 16,384 images for one query, not 20,000"):
        ask(candidates=20_000, refine=Refinement(expand=1))
    with pytest.raises(InputError, match="holds embeddings of 6 dimensions, the queries have 5"):
        search(store, vectors(2, width=5), queries, Question())
    store.require_model("abc123")
    with pytest.raises(InputError, match=r"milvus://.*: made by model abc123 .* queries by other"):
        store.require_model("other")


def test_lists_that_end_too_early_say_so(both, tmp_path, monkeypatch):
    monkeypatch.setattr(MilvusStore, "longest", 8)
    items = images(tmp_path, 20, identity=["1"] * 20, camera=["a"] * 20)
    with pytest.raises(InputError, match="finds at most 8 images for one query, and of these too"):
        search(both[1], vectors(20), items, Question(top=8, drop_same_camera=True))
    # Of groups, those that so many images belong to are all that can be told.
    found = search(both[1], vectors(20), items, Question(top=8, group="identity"))
    nearest = search(both[0], vectors(20), items, Question(top=8))
    assert 1 < found.groupby("query").size().mean() < 8
    for query, some in found.groupby("query"):
        mine = nearest[nearest["query"] == query]
        assert (
            some["image"].tolist()
            == mine[~mine["identity"].duplicated() | mine["identity"].isna()]["image"].tolist()
        )


def test_only_what_changed_is_sent(tmp_path, milvus):
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    made.append(images(tmp_path / "photos", 20, camera=["a"] * 20), vectors(20))
    where = address(milvus)
    assert len(published(made.folder, where).rows) == 20
    again = published(made.folder, where)
    assert (len(again.rows), len(again.gone), again.unchanged) == (0, 0, 20)

    made.append(images(tmp_path / "photos", 5, first=20, camera=["b"] * 5), vectors(5, 1))
    made.writer.remove(np.array([0, 3]))
    third = published(made.folder, where)
    assert (len(third.rows), len(third.gone), third.unchanged) == (5, 2, 18)
    made.writer.compact()
    fourth = published(made.folder, where)
    assert (len(fourth.rows), len(fourth.gone), fourth.unchanged) == (0, 0, 23)

    # A row of the table, and an embedding, in place of others of the same file.
    instead = np.array([0, 1])
    changed = images(tmp_path / "photos", 2, first=1, camera=["z", "a"])
    made.append(changed, np.vstack([vectors(20)[1], vectors(1, 9)[0]]), instead_of=instead)
    fifth = published(made.folder, where)
    assert (len(fifth.rows), len(fifth.gone), fifth.unchanged) == (2, 2, 21)
    same(made.folder, where)


def same(folder, where):
    """Check that a collection has exactly what a gallery has."""
    gallery, store = Galleries.open([folder]), MilvusStore.open(str(where))
    assert len(store) == len(gallery)
    top = len(gallery)
    rows = [place.search(vectors(1, 7), top)[1][0] for place in (gallery, store)]
    tables = [
        place.table(some).drop(columns="gallery").dropna(axis=1, how="all").sort_index(axis=1)
        for place, some in zip((gallery, store), rows, strict=True)
    ]
    pd.testing.assert_frame_equal(*[table.reset_index(drop=True) for table in tables])
    np.testing.assert_array_equal(gallery.vectors(rows[0]), store.vectors(rows[1]))


def test_stopped_anywhere_the_next_goes_on(tmp_path, milvus, monkeypatch):
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    made.append(images(tmp_path / "photos", 50), vectors(50))
    where = address(milvus)
    monkeypatch.setattr("reid.retrieval.milvus.publish._BYTES", 10 * (4 * 6 + 1024))
    sent = []

    def stop(count):
        sent.append(count)
        if len(sent) == 2:
            raise KeyboardInterrupt

    planned = Publication.plan(Gallery.open(made.folder), Server(where), where, "yard")
    with pytest.raises(KeyboardInterrupt):
        planned.carry_out(stop)
    assert sent == [10, 10]
    rest = published(made.folder, where)
    assert (len(rest.rows), rest.unchanged) == (30, 20)
    same(made.folder, where)


def test_two_galleries_in_one_collection(tmp_path, milvus):
    where = address(milvus)
    for name in ("one", "two"):
        made = Made(tmp_path / name, tmp_path / "photos")
        made.append(images(tmp_path / "photos", 4), vectors(4))  # the same files
        assert len(published(made.folder, where, name=name).rows) == 4
    store = MilvusStore.open(str(where))
    assert store.apart
    found = search(store, vectors(1), images(tmp_path / "q", 1), Question(top=8))
    assert found["gallery"].value_counts().to_dict() == {"one": 4, "two": 4}
    made.writer.remove(np.array([0]))
    assert len(published(made.folder, where, name="two").gone) == 1
    assert len(MilvusStore.open(str(where))) == 7


def test_an_image_twice_in_a_gallery(tmp_path, milvus):
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    for _ in range(3):
        made.append(images(tmp_path / "photos", 4), vectors(4))
    where = address(milvus)
    assert len(published(made.folder, where).rows) == 12
    assert published(made.folder, where).unchanged == 12
    assert len(MilvusStore.open(str(where))) == 12


def test_another_model_or_column(tmp_path, milvus):
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    made.append(images(tmp_path / "photos", 4, lane=[1, 2, 3, 4]), vectors(4))
    where = address(milvus)
    published(made.folder, where)
    other = Made(tmp_path / "other", tmp_path, ABOUT.model_copy(update={"model": "other"}))
    other.append(images(tmp_path, 4), vectors(4))
    with pytest.raises(InputError, match=r"was made with the model other .*, not abc123"):
        published(other.folder, where)
    made.append(images(tmp_path / "photos", 1, first=9, shade=["dark"]), vectors(1))
    assert published(made.folder, where).left_out == ("shade",)
    made.append(images(tmp_path / "photos", 1, first=10, lane=["bus"]), vectors(1))
    with pytest.raises(InputError, match="column 'lane' holds whole there, and text"):
        published(made.folder, where)
    about = ABOUT.model_copy(update={"distance": "shared:3,1"})
    shown = np.array([[1, 2, 3, 4, 1, 1]], np.float32)
    viewed = Gallery.build(shown, images(tmp_path, 1), tmp_path / "viewed", about)
    with pytest.raises(InputError, match="part by part, for which Milvus has no metric"):
        published(viewed.path, where)


@pytest.mark.parametrize("index", ["HNSW", "IVF_FLAT"])
def test_indices_find_most_with_exact_distances(tmp_path, milvus, index):
    random = np.random.default_rng(0)
    centres = random.standard_normal((60, 6))
    theirs = (centres[np.arange(3000) % 60] + random.normal(0, 0.2, (3000, 6))).astype(np.float32)
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    made.append(images(tmp_path / "photos", 3000, camera=["a", "b"] * 1500), theirs)
    where = address(milvus)
    assert published(made.folder, where).index == "FLAT"
    changed = published(made.folder, where, index)
    assert changed.index == index and changed.unchanged == 3000
    gallery, store = Galleries.open([made.folder]), MilvusStore.open(str(where))
    mine = theirs[:20] + 0.05
    asked = Question(top=10, conditions=(Condition.parse("camera=a"),))
    queries = images(tmp_path / "q", 20)
    expected, found = (search(place, mine, queries, asked) for place in (gallery, store))
    both = expected.merge(found, on=["query", "image"])
    assert len(both) > 0.9 * len(expected)
    np.testing.assert_allclose(both["distance_x"], both["distance_y"], rtol=1e-4)
    with pytest.raises(InputError, match=f"its index {index} looks at a part alone"):
        search(store, mine, queries, Question(exact=True))
    # Of an index that is none of ours, distances are measured anew.
    rough = MilvusStore(store.server, store.address, store.layout, "IVF_SQ8")
    again = search(rough, mine, queries, asked)
    np.testing.assert_allclose(again["distance"], found["distance"], rtol=1e-4)


def test_collections_that_are_not_there(milvus, tmp_path):
    with pytest.raises(InputError, match=r"milvus://127.0.0.1:\d+/nix: no such collection; there"):
        MilvusStore.open(f"{milvus}/nix")
    server = Server(Address.parse(milvus))
    server.ask("create_collection", "foreign", 4)
    with pytest.raises(InputError, match="was not made by 'partreid gallery publish'"):
        MilvusStore.open(f"{milvus}/foreign")
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    made.append(images(tmp_path / "photos", 2), vectors(2))
    for _ in range(2):
        published(made.folder, address(milvus))
    with pytest.raises(InputError, match=r"several collections of galleries, .*; say which, such"):
        MilvusStore.open(milvus)
    where = Address.parse(f"{milvus}/c0")
    old = Layout.found(server, where.named).model_dump_json().replace('"format":1', '"format":9')
    server.ask("alter_collection_properties", "foreign", {"partreid.gallery": old})
    with pytest.raises(InputError, match=r"foreign: was made by another version \(format"):
        MilvusStore.open(f"{milvus}/foreign")
    server.ask("drop_collection", "foreign")


def test_a_server_that_is_not_there(monkeypatch):
    with pytest.raises(InputError, match=r"milvus://.*:9/yard: no Milvus server answers"):
        MilvusStore.open("milvus://127.0.0.1:9/yard")

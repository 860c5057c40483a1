import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import DISTANCES
from reid.retrieval import results
from reid.retrieval.gallery import Gallery, GalleryAbout
from reid.retrieval.question import Question
from reid.retrieval.several import Galleries

ABOUT = GalleryAbout(model="abc123", run="runs/prn")
FILES = ["vectors.faiss", "images.arrow", "manifest.json"]


def search(gallery, vectors, images, top, **asked):
    return results.search(Galleries((gallery,)), vectors, images, Question(top=top, **asked))


def table(root, count, identities=None, cameras=None, folder="g"):
    rows = [
        {
            "image": f"{folder}/{i}.jpg",
            "identity": identities[i] if identities else None,
            "camera": cameras[i] if cameras else None,
        }
        for i in range(count)
    ]
    return Images.from_rows(rows, root, "images table")


@pytest.fixture
def embeddings():
    return np.random.default_rng(0).standard_normal((30, 8)).astype(np.float32)


@pytest.fixture
def gallery(tmp_path, embeddings):
    return Gallery.build(embeddings, table(tmp_path, 30), tmp_path / "gallery", ABOUT, half=False)


def stored(gallery, name):
    """Where a file of a gallery is."""
    return next(gallery.path.rglob(name))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("name", DISTANCES)
def test_search_is_exact_and_returns_the_named_distance(tmp_path, embeddings, name, half):
    about = GalleryAbout(model="m", run="r", distance=name)
    items = table(tmp_path, 30)
    gallery = Gallery.build(embeddings, items, tmp_path / "gallery", about, half=half)
    query = np.random.default_rng(1).standard_normal((25, 8))
    expected = DISTANCES[name].pairwise(torch.tensor(query).float(), torch.tensor(embeddings))
    distances, rows = gallery.search(query, 5)
    if not half:
        assert rows.tolist() == expected.argsort(1)[:, :5].tolist()
    ranked = expected.sort(1).values[:, :5]
    np.testing.assert_allclose(distances, ranked, atol=2e-3 if half else 1e-4)
    # What is returned is the distance to what is stored.
    kept = torch.from_numpy(gallery.embeddings)
    stored = (
        DISTANCES[name].pairwise(torch.tensor(query).float(), kept).gather(1, torch.tensor(rows))
    )
    np.testing.assert_allclose(distances, stored, atol=1e-3 if half else 1e-4)


def test_everything_comes_back_from_disk(tmp_path, gallery, embeddings):
    again = Gallery.open(gallery.path)
    files = [path.name for path in gallery.path.rglob("[!.]*") if path.is_file()]
    assert sorted(files) == sorted(FILES)
    np.testing.assert_array_equal(again.embeddings, embeddings)
    pd.testing.assert_frame_equal(again.images.frame, gallery.images.frame)
    assert again.about == ABOUT and len(again) == 30
    assert again.images.root.resolve() == tmp_path.resolve()


def test_top_beyond_the_gallery_is_all_of_it(gallery, embeddings):
    distances, rows = gallery.search(embeddings[:2], 1000)
    assert distances.shape == rows.shape == (2, 30)
    assert sorted(rows[0]) == list(range(30)) and rows[:, 0].tolist() == [0, 1]


def test_queries_of_another_model_are_refused(gallery):
    gallery.require_model("abc123")
    with pytest.raises(InputError, match=r"made by model abc123 .* the queries by fff"):
        gallery.require_model("fff")
    with pytest.raises(InputError, match="8 dimensions, the queries have 3"):
        gallery.search(np.eye(3), 1)
    with pytest.raises(InputError, match="top must be at least 1"):
        gallery.search(np.eye(8), 0)
    with pytest.raises(InputError, match="query: row 0 holds NaN"):
        gallery.search(np.full((1, 8), np.nan), 1)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_or_missing_file_is_named(gallery, name):
    path = stored(gallery, name)
    whole = path.read_bytes()
    for share in (0, 0.3, 0.6, 0.95):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(InputError, match=name):
            Gallery.open(gallery.path)
    path.unlink()
    with pytest.raises(InputError, match=name):
        Gallery.open(gallery.path)


@pytest.mark.parametrize("name", FILES[:2])
def test_a_file_of_another_gallery_is_named(tmp_path, gallery, name):
    other = Gallery.build(np.eye(8), table(tmp_path, 8), tmp_path / "other", ABOUT)
    content = stored(other, name).read_bytes()
    stored(gallery, name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: damaged, {len(content)} bytes"):
        Gallery.open(gallery.path)
    path = gallery.path / "manifest.json"
    told = json.loads(path.read_text())
    told["segments"][0]["vectors" if name == "vectors.faiss" else "images"]["size"] = len(content)
    path.write_text(json.dumps(told))
    with pytest.raises(InputError, match=f"{name}: is of another gallery"):
        Gallery.open(gallery.path)


def test_a_gallery_from_before_mirroring_opens_as_not_mirrored(tmp_path, embeddings):
    about = ABOUT.model_copy(update={"mirror": True})
    gallery = Gallery.build(embeddings, table(tmp_path, 30), tmp_path / "gallery", about)
    assert Gallery.open(gallery.path).about == about
    path = gallery.path / "manifest.json"
    content = json.loads(path.read_text())
    del content["mirror"]
    path.write_text(json.dumps(content))
    assert Gallery.open(gallery.path).about == ABOUT
    assert not ABOUT.mirror


def test_a_gallery_of_another_version_is_refused(gallery):
    path = gallery.path / "manifest.json"
    for version in (1, 3):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"format": version}))
        with pytest.raises(InputError, match=rf"manifest.json: format {version}, where .* reads 2"):
            Gallery.open(gallery.path)


def test_building_never_replaces_what_is_not_a_gallery(tmp_path, gallery, embeddings):
    images = table(tmp_path, 30)
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    Gallery.build(embeddings, images, photographs, ABOUT)  # an empty folder is free to take
    Gallery.build(embeddings, images, photographs, ABOUT)  # and a gallery is built again
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "1.jpg").write_bytes(b"mine")
    with pytest.raises(InputError, match="something else than a gallery"):
        Gallery.build(embeddings, images, tmp_path / "mine", ABOUT)
    assert (tmp_path / "mine" / "1.jpg").read_bytes() == b"mine"
    with pytest.raises(InputError, match="30 images, 29 embeddings"):
        Gallery.build(embeddings[:29], images, tmp_path / "new", ABOUT)
    assert not (tmp_path / "new").exists()


def test_result_columns_and_matches(tmp_path):
    items = table(tmp_path, 3, ["a", None, "b"], ["1", "2", "2"])
    gallery = Gallery.build(np.eye(3), items, tmp_path / "gallery", ABOUT)
    queries = table(tmp_path, 2, ["b", None], ["1", None], folder="q")
    near = np.array([[0.1, 0.2, 1.0], [1.0, 0.2, 0.1]])
    frame = search(gallery, near, queries, 9)
    assert frame["query"].tolist() == ["q/0.jpg"] * 3 + ["q/1.jpg"] * 3
    assert frame["rank"].tolist() == [1, 2, 3] * 2
    assert frame["image"].tolist()[:3] == ["g/2.jpg", "g/1.jpg", "g/0.jpg"]
    assert frame["match"].tolist() == [True, pd.NA, False] + [pd.NA] * 3
    assert frame["distance"].is_monotonic_increasing is False
    assert frame["query_identity"].tolist()[0] == "b" and frame["camera"].tolist()[0] == "2"


def test_the_querys_own_file_is_left_out_though_the_root_is_another(tmp_path, embeddings):
    (tmp_path / "g").mkdir()
    gallery = Gallery.build(embeddings, table(tmp_path, 30), tmp_path / "gallery", ABOUT)
    names = [{"image": f"{i}.jpg"} for i in range(30)]
    queries = Images.from_rows(names, tmp_path / "g" / ".." / "g", "queries")
    frame = search(gallery, embeddings, queries, 4, drop_self=True)
    assert len(frame) == 120
    assert not (frame["image"] == "g/" + frame["query"]).any()
    with_self = search(gallery, embeddings, queries, 1)
    assert (with_self["image"] == "g/" + with_self["query"]).all()


@settings(max_examples=25)
@given(st.integers(1, 9), st.integers(0, 99))
def test_dropping_same_camera_is_ranking_without_them(tmp_path_factory, top, seed):
    root = tmp_path_factory.mktemp("drop")
    rng = np.random.default_rng(seed)
    ids, cameras = ([str(rng.choice(["1", "2", ""])) for _ in range(12)] for _ in range(2))
    vectors = rng.standard_normal((12, 4))
    items = table(root, 12, ids, cameras)
    gallery = Gallery.build(vectors, items, root / "gallery", ABOUT, half=False)
    queries = table(root, 5, ids, cameras, folder="q")
    near = vectors[:5] + 0.01
    frame = search(gallery, near, queries, top, drop_same_camera=True)
    for q in range(5):
        order = np.argsort(np.linalg.norm(vectors - near[q], axis=1))
        kept = [
            g
            for g in order
            if not (ids[q] and ids[q] == ids[g] and cameras[q] and cameras[q] == cameras[g])
        ]
        mine = frame[frame["query"] == f"q/{q}.jpg"]
        assert mine["image"].tolist() == [f"g/{g}.jpg" for g in kept[:top]]
        assert mine["rank"].tolist() == list(range(1, len(mine) + 1))


def test_embeddings_that_do_not_fit_the_queries_are_refused(tmp_path, gallery):
    with pytest.raises(InputError, match="2 images, 1 embeddings"):
        search(gallery, np.ones((1, 8)), table(tmp_path, 2), 1)

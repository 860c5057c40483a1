"""Centres of an index' lists, and which of them embeddings go to."""

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.distances import DISTANCES
from reid.retrieval import approximate
from reid.retrieval.approximate import build_index, lists_for
from reid.retrieval.lists import _shares, assigner_of, learn_centres
from reid.retrieval.vectors import ask, metric_of

LISTS = 600


def drawn(count, seed=0, width=16):
    """Embeddings about 300 places, of length one."""
    random = np.random.default_rng(seed)
    places = np.random.default_rng(9).standard_normal((300, width))
    rows = places[random.integers(300, size=count)] + 0.4 * random.standard_normal((count, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("metric", [faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L2])
def test_centres_of_two_levels_are_as_near_as_those_of_one(metric):
    sample, others = drawn(30_000), drawn(5000, seed=1)
    centres = learn_centres(sample, LISTS, metric)
    assert centres.shape == (LISTS, 16) and np.isfinite(centres).all()
    unit = metric == faiss.METRIC_INNER_PRODUCT
    plain = faiss.Kmeans(16, LISTS, niter=10, seed=0, spherical=unit, min_points_per_centroid=1)
    plain.train(sample)
    near = [np.max(others @ each.T - (each**2).sum(1) / 2, axis=1).mean()
            for each in (centres, plain.centroids)]  # fmt: skip
    assert near[0] > near[1] - 0.005
    np.testing.assert_array_equal(centres, learn_centres(sample, LISTS, metric))


@pytest.mark.parametrize("metric", [faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L2])
def test_nearly_all_go_to_their_nearest_centre_and_the_others_to_one_about_as_near(metric):
    centres, others = learn_centres(drawn(30_000), LISTS, metric), drawn(5000, seed=1)
    near = others @ centres.T
    near = near if metric == faiss.METRIC_INNER_PRODUCT else 2 * near - (centres**2).sum(1)
    _, found = assigner_of(centres, metric).search(others, 1)
    assert (found[:, 0] == near.argmax(1)).mean() > 0.95
    taken = np.take_along_axis(near, found, 1)
    assert (near.max(1) - taken[:, 0]).mean() < 0.003


def test_lists_are_divided_by_size():
    assert _shares(np.array([50, 30, 0, 20]), 10).tolist() == [5, 3, 0, 2]
    assert _shares(np.array([1, 1, 98]), 99).sum() == 99


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20), st.integers(1, 100))
def test_shares_are_all_lists_and_no_more_than_there_are_members(sizes, lists):
    sizes = np.array(sizes)
    lists = min(lists, int(sizes.sum()))
    if not lists:
        return
    shares = _shares(sizes, lists)
    assert shares.sum() == lists and (shares <= sizes).all() and (shares >= 0).all()


def test_embeddings_that_are_all_the_same_have_lists_too():
    same = np.tile(drawn(1), (30_000, 1))
    centres = learn_centres(same, LISTS, faiss.METRIC_INNER_PRODUCT)
    assert centres.shape == (LISTS, 16) and np.isfinite(centres).all()
    assert (assigner_of(centres, faiss.METRIC_INNER_PRODUCT).search(same, 1)[1] >= 0).all()


@pytest.mark.parametrize("name", ["cosine", "euclidean"])
def test_an_index_of_many_lists_holds_every_row_once_and_keeps_its_centres(name):
    count, distance = 24_000, DISTANCES[name]
    assert lists_for(count) >= 512
    rows, numbers = drawn(count), np.arange(count) + 5
    halves = [(numbers[:9000], rows[:9000]), (numbers[9000:], rows[9000:])]
    index = build_index(iter(halves), rows, count, distance)
    assert faiss.downcast_index(index.quantizer).ntotal == index.nlist == lists_for(count)
    assert isinstance(faiss.downcast_index(index.quantizer), faiss.IndexFlat)
    assert sum(index.invlists.list_size(place) for place in range(index.nlist)) == count
    held = faiss.deserialize_index(faiss.serialize_index(index))
    _, found = ask(held, rows[:200], 100, faiss.SearchParametersIVF(nprobe=32))
    assert (found == numbers[:200, None]).any(1).mean() > 0.95
    assert metric_of(distance) == held.metric_type


def test_what_stood_for_the_centres_is_let_go_of(monkeypatch):
    """An index takes its quantizer for its own, and forgets one that is taken from it."""
    made = []

    def remembered(*given):
        made.append(assigner_of(*given))
        return made[-1]

    monkeypatch.setattr(approximate, "assigner_of", remembered)
    rows = drawn(24_000)
    index = build_index(iter([(np.arange(24_000), rows)]), rows, 24_000, DISTANCES["cosine"])
    assert made[0].this.own() and index.own_fields
    assert int(made[0].this) != int(index.quantizer.this)


def test_what_fails_while_lists_are_filled_leaves_the_process_whole():
    rows = drawn(24_000)

    def broken():
        yield np.arange(100), rows[:100]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        build_index(broken(), rows, 24_000, DISTANCES["cosine"])

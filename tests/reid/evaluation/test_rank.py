import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from annotations.errors import InputError
from reid.distances import CoOccurrence
from reid.evaluation.rank import rank

KNOWN = ["a", "b", "c"]


def slow_scores(query, gallery, query_ids, gallery_ids, query_cameras, gallery_cameras):
    """One query at a time, one gallery item at a time, in exact integers."""
    rows = []
    for q, row in enumerate(query):
        items = []
        for g, item in enumerate(gallery):
            known = bool(query_ids[q]) and bool(gallery_ids[g])
            same = known and query_ids[q] == gallery_ids[g]
            if same and query_cameras[q] and query_cameras[q] == gallery_cameras[g]:
                continue
            squared = sum((int(a) - int(b)) ** 2 for a, b in zip(row, item, strict=True))
            items.append((squared, same))  # False sorts first: non-matches win ties
        ranks = [k for k, (_, same) in enumerate(sorted(items), 1) if same]
        if ranks:
            ap = sum((n / k) for n, k in enumerate(ranks, 1)) / len(ranks)
            rows.append((q, ap, len(ranks) / ranks[-1], ranks[0], len(ranks)))
    return rows


@st.composite
def problems(draw):
    queries, items = draw(st.integers(1, 6)), draw(st.integers(1, 14))
    ids = st.sampled_from([*KNOWN, None, ""])
    cameras = st.sampled_from(["1", "2", None])
    # Few distinct small integers: many ties, and float32 has no rounding on them.
    rows = st.tuples(st.integers(-2, 2), st.integers(-2, 2))

    def some(of, size):
        return draw(st.lists(of, min_size=size, max_size=size))

    return (
        np.array(some(rows, queries), dtype=np.float32),
        np.array(some(rows, items), dtype=np.float32),
        some(ids, queries),
        some(ids, items),
        some(cameras, queries),
        some(cameras, items),
    )


@settings(max_examples=150)
@given(problems(), st.sampled_from([1, 20, 2**23]))
def test_equals_the_plain_loop(problem, block):
    expected = slow_scores(*problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(rank.__globals__, "_BLOCK", block)

        if not expected:
            with pytest.raises(InputError, match="no query has a true match"):
                rank(*problem)
            return
        found = rank(*problem, ranks=(1, 3))
    frame = found.per_query
    assert frame[["query", "first", "matches"]].to_numpy().tolist() == [
        [row[0], row[3], row[4]] for row in expected
    ]
    np.testing.assert_allclose(frame["ap"], [row[1] for row in expected])
    np.testing.assert_allclose(frame["inp"], [row[2] for row in expected])
    assert found.mAP == pytest.approx(np.mean([row[1] for row in expected]))
    assert found.mINP == pytest.approx(np.mean([row[2] for row in expected]))
    for k in (1, 3):
        assert found.cmc[k] == pytest.approx(np.mean([row[3] <= k for row in expected]))
    assert found.excluded == len(problem[0]) - len(expected)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_average_precision_is_scikit_learns(distance):
    rng = np.random.default_rng(0)
    query, gallery = rng.standard_normal((12, 8)), rng.standard_normal((90, 8))
    query_ids, gallery_ids = rng.integers(5, size=12), rng.integers(5, size=90)
    found = rank(query, gallery, query_ids, gallery_ids, distance=distance)
    for row in found.per_query.itertuples():
        if distance == "cosine":
            near = gallery @ query[row.query] / np.linalg.norm(gallery, axis=1)
        else:
            near = -np.linalg.norm(gallery - query[row.query], axis=1)
        expected = average_precision_score(gallery_ids == query_ids[row.query], near)
        assert row.ap == pytest.approx(expected)


class Twice(CoOccurrence):
    """A distance that no name stands for."""

    name = "twice"

    def compare(self, query, gallery):
        return CoOccurrence([6, 4, 4]).compare(query, gallery)


def test_a_distance_is_given_by_its_name_or_as_itself():
    rng = np.random.default_rng(1)
    query, gallery = np.abs(rng.standard_normal((12, 17))), np.abs(rng.standard_normal((90, 17)))
    query_ids, gallery_ids = rng.integers(5, size=12), rng.integers(5, size=90)
    named = rank(query, gallery, query_ids, gallery_ids, distance="cpdm:6,4,4")
    for own in (CoOccurrence([6, 4, 4]), Twice([6, 4, 4])):
        found = rank(query, gallery, query_ids, gallery_ids, distance=own)
        assert found.per_query.equals(named.per_query)
    assert not rank(query, gallery, query_ids, gallery_ids).per_query.equals(named.per_query)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_a_constant_embedding_scores_worst(distance):
    constant = np.full((101, 64), 0.3721) + np.linspace(0, 1, 64)
    found = rank(constant[:1], constant, ["a"], ["a"] + ["b"] * 99 + ["a"], distance=distance)
    assert found.per_query["first"].tolist() == [100]
    assert found.mAP == pytest.approx((1 / 100 + 2 / 101) / 2)


def test_torch_numpy_and_half_precision_agree():
    rng = np.random.default_rng(1)
    query, gallery = (rng.standard_normal((n, 4)).astype(np.float16) for n in (5, 20))
    ids = rng.integers(3, size=5), rng.integers(3, size=20)
    expected = rank(query.astype(np.float64), gallery.astype(np.float64), *ids).per_query
    for convert in (torch.from_numpy, np.asarray):
        given_ids = [torch.from_numpy(side) for side in ids]
        found = rank(convert(query), convert(gallery), *given_ids).per_query
        pd.testing.assert_frame_equal(found, expected)


@pytest.fixture
def low_precision():
    torch.set_float32_matmul_precision("high")
    yield
    assert torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision("highest")


@pytest.mark.usefixtures("low_precision")
def test_autocast_changes_nothing():
    rng = np.random.default_rng(2)
    query, gallery = rng.standard_normal((5, 64)), rng.standard_normal((200, 64))
    ids = rng.integers(3, size=5), rng.integers(3, size=200)
    expected = rank(query, gallery, *ids, distance="cosine").per_query
    with torch.autocast("cpu", torch.bfloat16):
        found = rank(query, gallery, *ids, distance="cosine").per_query
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.gpu
@pytest.mark.usefixtures("low_precision")
def test_gpu_agrees_with_cpu():
    rng = np.random.default_rng(3)
    # Small whole numbers make ties; the others differ by less than float32 products can tell.
    query, gallery = (torch.from_numpy(rng.integers(-2, 3, (n, 6))).float() for n in (40, 900))
    gallery[450:] += 1e-6 * torch.randn(450, 6, generator=torch.Generator().manual_seed(0))
    ids, cameras = ([rng.integers(9, size=n) for n in (40, 900)] for _ in range(2))
    expected = rank(query, gallery, *ids, *cameras)
    found = rank(query.cuda(), gallery, *ids, *cameras)
    pd.testing.assert_frame_equal(found.per_query, expected.per_query)


def test_missing_values_of_pandas_are_unknown():
    unknown = pd.array(["a", pd.NA], dtype="string")
    found = rank(np.eye(2), np.eye(2), ["a", float("nan")], unknown, unknown, ["1", pd.NA])
    assert found.per_query["query"].tolist() == [0]
    assert found.excluded == 1


def good():
    return {
        "query": np.eye(2),
        "gallery": np.eye(2),
        "query_ids": ["a", "b"],
        "gallery_ids": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query": np.array([[1.0, 0.0], [np.nan, 0.0]])}, "query: row 1"),
        ({"gallery": np.eye(2, dtype=int)}, "gallery: must be floating-point"),
        ({"gallery": np.zeros((0, 2)), "gallery_ids": []}, "gallery: .* at least one"),
        ({"gallery": np.eye(3)[:2]}, "query has 2 dimensions and gallery 3"),
        ({"query_ids": ["a"]}, "query_ids: 1 for 2 query embeddings"),
        ({"gallery_ids": ["a"]}, "gallery_ids: 1 for 2"),
        ({"query_cameras": ["1", "2"]}, "one side only"),
        ({"query_cameras": ["1", "2"], "gallery_cameras": ["1"]}, "gallery_cameras: 1 for 2"),
        ({"query_cameras": ["1", "2"], "gallery_cameras": ["1", "2"]}, "no query has a true match"),
        ({"ranks": (0, 1)}, "0 is not a rank"),
        ({"distance": "euclid"}, "did you mean 'euclidean'"),
        ({"query": np.zeros((2, 2)), "distance": "cosine"}, "query: row 0 is all zeros"),
    ],
)
def test_bad_input_is_named(change, message):
    rank(**good())
    with pytest.raises(InputError, match=message):
        rank(**good() | change)

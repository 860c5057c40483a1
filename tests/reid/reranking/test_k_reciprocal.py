import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from annotations.errors import InputError
from reid.evaluation.rank import rank, rank_compared
from reid.evaluation.truth import Truth
from reid.reranking import encoding, neighbours, sparse
from reid.reranking import k_reciprocal as module
from reid.reranking.k_reciprocal import k_reciprocal


def plain(query, gallery, k1=20, k2=6, weight=0.3, distance="euclidean"):
    """The authors' algorithm with sets and whole matrices, in float64."""
    rows = np.concatenate([query, gallery]).astype(np.float64)
    squares = cdist(rows, rows, "cosine" if distance == "cosine" else "sqeuclidean")
    order = np.argsort(squares, axis=1, kind="stable")
    greatest = squares.max(1, keepdims=True)
    original = squares / np.where(greatest > 0, greatest, 1)

    def mutual(row, count):
        return {other for other in order[row, : count + 1] if row in order[other, : count + 1]}

    vectors = np.zeros_like(original)
    for row in range(len(rows)):
        own = mutual(row, k1)
        members = set(own)
        for candidate in own:
            theirs = mutual(candidate, int(np.around(k1 / 2)))
            if len(theirs & own) > 2 / 3 * len(theirs):
                members |= theirs
        for member in members:
            vectors[row, member] = np.exp(-original[row, member])
        if members:
            vectors[row] /= vectors[row].sum()
    if k2 > 1:
        vectors = np.stack([vectors[near[:k2]].mean(0) for near in order])
    first = len(query)
    shared = np.minimum(vectors[:first, None], vectors[first:]).sum(2)
    return (1 - weight) * (1 - shared / (2 - shared)) + weight * original[:first, first:]


def all_of(comparison):
    return comparison.values(torch.arange(comparison.shape[0]))


def all_exact(comparison):
    pairs = torch.cartesian_prod(*(torch.arange(size) for size in comparison.shape))
    return comparison.exact(pairs[:, 0], pairs[:, 1]).view(comparison.shape)


@st.composite
def problems(draw):
    queries, items, width = (
        draw(st.integers(1, 5)),
        draw(st.integers(1, 18)),
        draw(st.integers(1, 3)),
    )
    if draw(st.booleans()):
        # Few distinct small integers: duplicates, and many equal distances.
        number = st.integers(-2, 2)
        rows = draw(
            st.lists(
                st.lists(number, min_size=width, max_size=width),
                min_size=queries + items,
                max_size=queries + items,
            )
        )
        rows = np.array(rows, dtype=np.float32)
    else:
        rng = np.random.default_rng(draw(st.integers(0, 999)))
        centres = rng.standard_normal((3, width))[rng.integers(3, size=queries + items)]
        rows = (centres + 0.2 * rng.standard_normal(centres.shape)).astype(np.float32)
    numbers = {
        "k1": draw(st.sampled_from([1, 2, 3, 5, 6, 30])),
        "k2": draw(st.sampled_from([1, 2, 3, 6])),
        "weight": draw(st.sampled_from([0.0, 0.3, 1.0])),
    }
    return rows[:queries], rows[queries:], numbers


@settings(max_examples=150)
@given(problems(), st.booleans())
def test_equals_the_dense_original(problem, small_pieces):
    query, gallery, numbers = problem
    expected = plain(query, gallery, **numbers)
    with pytest.MonkeyPatch.context() as patch:
        if small_pieces:
            patch.setattr(neighbours, "_TILE", 3)
            patch.setattr(neighbours, "_SPARE", 1)
            patch.setattr(encoding, "_BLOCK", 1)
            patch.setattr(sparse, "_MOST", 5)
            patch.setattr(module, "_BLOCK", 1)
        comparison = k_reciprocal(query, gallery, **numbers)
        values, exact = all_of(comparison), all_exact(comparison)
    assert values.dtype == torch.float32
    np.testing.assert_allclose(values, expected, atol=1e-6)
    np.testing.assert_allclose(exact, expected, atol=1e-6)
    bound = comparison.bound(torch.arange(len(query)))
    assert ((values - exact).abs() <= bound[:, None]).all()


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_equals_the_dense_original_on_clusters(distance):
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((12, 64))[rng.integers(12, size=300)]
    rows = (1 + centres + rng.standard_normal(centres.shape)).astype(np.float32)
    comparison = k_reciprocal(rows[:40], rows[40:], distance=distance)
    expected = plain(rows[:40], rows[40:], distance=distance)
    np.testing.assert_allclose(all_of(comparison), expected, atol=1e-6)
    assert comparison.bound(torch.arange(40)).max() < 1e-5


@pytest.mark.parametrize("scale", [1e-25, 1e15])
def test_scale_changes_nothing(scale):
    rows = np.random.default_rng(1).standard_normal((60, 8)).astype(np.float32)
    expected = plain(rows[:9], rows[9:])
    scaled = rows * np.float32(scale)
    np.testing.assert_allclose(all_of(k_reciprocal(scaled[:9], scaled[9:])), expected, atol=1e-6)


def test_numpy_and_torch_and_half_precision_agree():
    rows = np.random.default_rng(2).standard_normal((50, 8)).astype(np.float16)
    expected = all_of(k_reciprocal(rows[:9].astype(np.float64), rows[9:].astype(np.float32)))
    torch.testing.assert_close(all_of(k_reciprocal(rows[:9], rows[9:])), expected, rtol=0, atol=0)
    given_torch = (torch.from_numpy(side) for side in (rows[:9], rows[9:]))
    torch.testing.assert_close(all_of(k_reciprocal(*given_torch)), expected, rtol=0, atol=0)


def test_equal_items_are_equally_far():
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((30, 33)).astype(np.float32)
    gallery = np.concatenate([rows[5:], rows[5:]])
    exact = all_exact(k_reciprocal(rows[:5], gallery, k1=60, k2=1))
    assert (exact[:, :25] == exact[:, 25:]).all()


def test_many_equal_rows_are_looked_at_in_order():
    rng = np.random.default_rng(4)
    rows = np.repeat(rng.standard_normal((6, 5)).astype(np.float32), 12, axis=0)
    rng.shuffle(rows)
    comparison = k_reciprocal(rows[:7], rows[7:], k1=5, k2=3)
    np.testing.assert_allclose(all_of(comparison), plain(rows[:7], rows[7:], 5, 3), atol=1e-6)


def test_a_constant_embedding_scores_worst():
    constant = np.full((101, 64), 0.3721) + np.linspace(0, 1, 64)
    comparison = k_reciprocal(constant[:1], constant)
    found = rank_compared(comparison, Truth(["a"], ["a"] + ["b"] * 99 + ["a"]))
    assert found.per_query["first"].tolist() == [100]


def test_whole_weight_ranks_as_before_and_less_ranks_better():
    rng = np.random.default_rng(5)
    ids = rng.integers(15, size=400)
    rows = rng.standard_normal((15, 16))[ids] + 1.2 * rng.standard_normal((400, 16))
    truth = Truth(ids[:60], ids[60:])
    before = rank(rows[:60], rows[60:], ids[:60], ids[60:])
    same = rank_compared(k_reciprocal(rows[:60], rows[60:], weight=1.0), truth)
    assert same.mAP == pytest.approx(before.mAP)
    assert rank_compared(k_reciprocal(rows[:60], rows[60:]), truth).mAP > before.mAP + 0.05


def test_low_precision_products_are_switched_off():
    rows = torch.randn(80, 64, generator=torch.manual_seed(6))
    expected = all_of(k_reciprocal(rows[:9], rows[9:]))
    with torch.autocast("cpu", torch.bfloat16):
        found = all_of(k_reciprocal(rows[:9], rows[9:]))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.gpu
def test_gpu_agrees_with_cpu():
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((20, 32))[rng.integers(20, size=600)]
    rows = torch.from_numpy(centres + rng.standard_normal(centres.shape)).float()
    expected = k_reciprocal(rows[:50], rows[50:])
    found = k_reciprocal(rows[:50].cuda(), rows[50:])
    query = torch.arange(50, device="cuda")
    torch.testing.assert_close(found.values(query).cpu(), all_of(expected), rtol=0, atol=1e-6)
    pairs = torch.cartesian_prod(torch.arange(50), torch.arange(550))
    exact = found.exact(*pairs.T.cuda()).cpu()
    torch.testing.assert_close(exact.view(50, 550), all_exact(expected), rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k1": 0}, "k1 must be at least 1, not 0"),
        ({"k2": 0}, "k2 must be at least 1, not 0"),
        ({"weight": -0.1}, "weight must be from 0 to 1"),
        ({"weight": float("nan")}, "weight must be from 0 to 1"),
        ({"distance": "cosin"}, "did you mean 'cosine'"),
        ({"query": np.eye(3)[:2]}, "query has 3 dimensions and gallery 2"),
        ({"gallery": np.array([[1.0, np.nan]])}, "gallery: row 0 holds NaN"),
        ({"query": np.zeros((2, 2)), "distance": "cosine"}, "query: row 0 is all zeros"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"query": np.eye(2), "gallery": np.eye(2)}
    k_reciprocal(**good)
    with pytest.raises(InputError, match=message):
        k_reciprocal(**good | change)

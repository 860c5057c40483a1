import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from annotations.errors import InputError
from reid.verification.linear_svm import PairSVM


def pairs(seed, count=120):
    """Same pairs are close in the first dimension; the others say nothing."""
    random = np.random.default_rng(seed)
    same = np.arange(count) % 2 == 0
    a, b = random.normal(0, 3, (2, count, 4))
    gap = np.where(same, random.uniform(0, 1, count), random.uniform(2, 4, count))
    b[:, 0] = a[:, 0] + gap * random.choice([-1, 1], count)
    return a, b, same


@pytest.fixture(scope="module")
def fitted():
    return PairSVM().fit(*pairs(0))


def test_separable_pairs_are_told_apart(fitted):
    a, b, same = pairs(1)
    assert ((fitted.score(a, b) > 0) == same).all()


@given(st.integers(0, 1000), st.integers(1, 30))
def test_a_pair_has_no_order(fitted, seed, count):
    a, b = np.random.default_rng(seed).normal(size=(2, count, 4))
    np.testing.assert_array_equal(fitted.score(a, b), fitted.score(b, a))


def test_score_is_the_distance_from_scikit_learns_plane(fitted):
    a, b, same = pairs(0)
    halved = FunctionTransformer(lambda values: values / 2)  # the root of 4 dimensions
    peer = make_pipeline(StandardScaler(), halved, LinearSVC(dual=False))
    peer.fit(np.abs(a - b), same)
    c, d, _ = pairs(2)
    length = np.linalg.norm(peer[-1].coef_) / 2
    expected = peer.decision_function(np.abs(c - d)) / length
    np.testing.assert_allclose(fitted.score(c, d), expected, rtol=1e-8, atol=1e-10)


def test_the_penalty_means_the_same_for_more_dimensions(fitted):
    a, b, same = pairs(0)
    c, d, _ = pairs(2)
    often = [np.tile(side, 50) for side in (a, b, c, d)]
    scores = PairSVM().fit(*often[:2], same).score(*often[2:])
    np.testing.assert_allclose(scores / np.sqrt(50), fitted.score(c, d), atol=1e-3)


def test_the_unit_of_a_dimension_does_not_matter(fitted):
    a, b, same = pairs(0)
    unit = np.array([1e-4, 1, 1e5, 3])
    other = PairSVM().fit(a * unit, b * unit, same)
    np.testing.assert_allclose(other.score(a * unit, b * unit), fitted.score(a, b), atol=1e-6)


def test_same_pairs_same_scores_and_a_dimension_without_difference_is_ignored(fitted):
    a, b, same = pairs(0)
    np.testing.assert_array_equal(PairSVM().fit(a, b, same).score(a, b), fitted.score(a, b))
    # Also with fewer pairs than dimensions.
    few = [side.reshape(24, 20) for side in (a, b)]
    first, second = (PairSVM().fit(few[0][:18], few[1][:18], same[:18]) for _ in range(2))
    np.testing.assert_array_equal(first.weight, second.weight)
    more = [np.hstack([side, np.ones((len(side), 1))]) for side in (a, b)]
    wider = PairSVM().fit(*more, same)
    np.testing.assert_allclose(wider.score(*more), fitted.score(a, b), atol=1e-6)


def test_wrong_input_is_named(fitted):
    a, b, same = pairs(0)
    with pytest.raises(InputError, match="penalty: 0"):
        PairSVM(penalty=0)
    with pytest.raises(InputError, match=r"same: shape \(3,\) for 120 pairs"):
        PairSVM().fit(a, b, same[:3])
    with pytest.raises(InputError, match="all 120 are different; give both"):
        PairSVM().fit(a, b, np.zeros(120))
    with pytest.raises(InputError, match=r"pairs: shapes \(120, 4\) and \(119, 4\)"):
        PairSVM().fit(a, b[1:], same)
    with pytest.raises(InputError, match="b: row 7 is not finite"):
        PairSVM().fit(a, np.where(np.arange(120)[:, None] == 7, np.nan, b), same)
    with pytest.raises(InputError, match="all differ by the same"):
        PairSVM().fit(np.zeros((4, 2)), np.ones((4, 2)), [0, 1, 0, 1])
    with pytest.raises(InputError, match="a: 3 dimensions, but fitted on 4"):
        fitted.score(a[:, :3], b[:, :3])

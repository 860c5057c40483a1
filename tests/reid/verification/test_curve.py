import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from annotations.errors import InputError
from reid.verification.curve import LEAST, Curve, fit_curve


def pairs(seed, count=300, slope=-4.0, offset=3.0):
    """Pairs whose truth is drawn from a logistic curve."""
    random = np.random.default_rng(seed)
    distances = random.uniform(0, 2, count)
    return distances, random.random(count) < expit(slope * distances + offset)


def smoothed(same):
    n, m = same.sum(), (~same).sum()
    return np.where(same, (n + 1) / (n + 2), 1 / (m + 2))


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e4])
def test_it_is_the_maximum_of_platts_likelihood(unit):
    distances, same = pairs(0)
    target = smoothed(same)

    def loss(at):
        logits = at[0] * distances + at[1]
        return np.mean(np.logaddexp(0, logits) - target * logits)

    best = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14})
    found = fit_curve(distances * unit, same)
    assert [found.slope * unit, found.offset] == pytest.approx(best.x, rel=1e-5)
    assert (found.same, found.different) == (same.sum(), (~same).sum())


def test_smoothing_hardly_moves_scikit_learns_plain_fit_of_many_pairs():
    distances, same = pairs(1, 20_000)
    plain = LogisticRegression(C=np.inf, tol=1e-8).fit(distances[:, None], same)
    found = fit_curve(distances, same)
    assert found.slope == pytest.approx(plain.coef_[0, 0], rel=2e-3)
    assert found.offset == pytest.approx(plain.intercept_[0], rel=2e-3)


def test_simulated_probabilities_are_recovered():
    distances, same = pairs(2, 20_000)
    grid = np.linspace(0, 2, 21)
    error = fit_curve(distances, same).probability(grid) - expit(-4 * grid + 3)
    assert np.abs(error).max() < 0.02


def test_pairs_without_an_error_give_no_infinite_slope():
    distances = np.r_[np.linspace(0.1, 0.2, 50), np.linspace(0.8, 0.9, 50)]
    same = distances < 0.5
    found = fit_curve(distances, same)
    assert found.probability(0.15) == pytest.approx(51 / 52, abs=0.01)
    assert found.probability(0.5) == pytest.approx(0.5, abs=0.01)
    assert -100 < found.slope < -1


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0, 50), st.floats(0, 50))
def test_nearer_is_likelier(seed, one, other):
    curve = fit_curve(*pairs(seed))
    near, far = sorted((one, other))
    assert curve.log_odds(near) >= curve.log_odds(far)
    assert curve.probability(near) >= curve.probability(far)
    assert curve.say(near) >= curve.say(far)


def test_a_part_says_what_its_distance_says_and_not_how_many_pairs_were_the_same():
    random = np.random.default_rng(3)
    same = np.r_[np.ones(4000, bool), np.zeros(4000, bool)]
    distances = np.where(same, random.normal(1, 0.5, 8000), random.normal(2, 0.5, 8000))
    even = fit_curve(distances, same)
    # Log-odds of two normal curves of one width: 1.5 is between them.
    np.testing.assert_allclose(even.say([1.5, 1.0]), [0, 2], atol=0.15)
    few = np.r_[np.arange(4000), np.arange(4000, 4400)]
    skewed = fit_curve(distances[few], same[few])
    np.testing.assert_allclose(skewed.say([1.5, 1.0]), [0, 2], atol=0.3)
    assert skewed.log_odds(1.5) == pytest.approx(np.log(10), abs=0.3)


def test_a_silent_curve_says_nothing():
    for same, different in ((0, 0), (7, 0), (3, 200)):
        curve = Curve.silent(same, different)
        np.testing.assert_array_equal(curve.say([0.0, 5.0]), 0)
    assert np.isnan(curve.say(np.nan))


def test_wrong_input_is_named():
    distances, same = pairs(0)
    with pytest.raises(InputError, match="the network does not tell them apart"):
        fit_curve(-distances, same)
    with pytest.raises(InputError, match="the network does not tell them apart"):
        fit_curve(np.ones(40), np.arange(40) % 2 == 0)
    with pytest.raises(InputError, match=f"9 are the same and 11 different; .* needs {LEAST} of"):
        fit_curve(np.arange(20.0), np.arange(20) < 9)
    with pytest.raises(InputError, match=r"same: shape \(3,\) for distances of shape \(300,\)"):
        fit_curve(distances, same[:3])
    with pytest.raises(InputError, match="row 7 is not finite"):
        fit_curve(np.where(np.arange(300) == 7, np.nan, distances), same)

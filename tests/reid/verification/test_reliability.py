import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import StratifiedKFold

from reid.verification.curve import fit_curve
from reid.verification.reliability import bins, brier, calibration_error, out_of_fold


def pairs(seed, count):
    random = np.random.default_rng(seed)
    distances = random.uniform(0, 2, count)
    return distances, random.random(count) < expit(-4 * distances + 3)


def test_a_pair_does_not_teach_its_own_probability():
    distances, same = pairs(0, 60)
    found = out_of_fold(distances, same)
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(distances, same)
    for learned, asked in folds:
        curve = fit_curve(distances[learned], same[learned])
        np.testing.assert_allclose(found[asked], curve.probability(distances[asked]), rtol=1e-12)
        assert not set(learned) & set(asked)
    assert not np.array_equal(found, out_of_fold(distances, same, seed=1))


def test_probabilities_of_a_true_curve_are_calibrated():
    distances, same = pairs(1, 20_000)
    found = out_of_fold(distances, same)
    assert calibration_error(found, same) < 0.02
    assert calibration_error(found**3, same) > 0.1
    assert brier(found, same) == pytest.approx(brier_score_loss(same, found))


def test_the_calibration_error_is_that_of_a_plain_loop():
    random = np.random.default_rng(2)
    said = np.r_[random.random(500), 0.0, 1.0]
    same = random.random(502) < 0.5
    expected = 0.0
    for step in range(10):
        inside = [
            (p, truth) for p, truth in zip(said, same, strict=True)
            if step / 10 <= p < (step + 1) / 10 or (step == 9 and p == 1)
        ]  # fmt: skip
        if inside:
            gap = abs(np.mean([p for p, _ in inside]) - np.mean([t for _, t in inside]))
            expected += gap * len(inside) / 502
    assert calibration_error(said, same) == pytest.approx(expected)
    assert bins(said, same)["pairs"].sum() == 502

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from annotations.errors import InputError
from reid.evaluation.verification import best_threshold, verify

pairs = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({same for _, same in rows}) == 2
)


@given(pairs)
def test_curve_and_area_are_scikit_learns(rows):
    distances, same = (np.array(side) for side in zip(*rows, strict=True))
    found = verify(distances, same, 3.0)
    assert found.auc == pytest.approx(roc_auc_score(same, -distances))
    false, true, _ = roc_curve(same, -distances, drop_intermediate=False)
    np.testing.assert_allclose(found.roc["false_positive_rate"], false)
    np.testing.assert_allclose(found.roc["true_positive_rate"], true)
    assert found.accuracy == pytest.approx(np.mean((distances <= 3) == same))
    for rate, value in found.true_positive_rates.items():
        thresholds = [-1, *range(9)]
        best = max(
            np.mean(distances[same] <= t) for t in thresholds
            if np.mean(distances[~same] <= t) <= rate
        )  # fmt: skip
        assert value == pytest.approx(best)


@given(pairs)
def test_no_threshold_is_better_than_the_best(rows):
    distances, same = (np.array(side) for side in zip(*rows, strict=True))
    best = np.mean((distances <= best_threshold(distances, same)) == same)
    assert best == pytest.approx(
        max(np.mean((distances <= t) == same) for t in np.arange(-1, 9.5, 0.5))
    )


@pytest.mark.parametrize(
    ("distances", "same", "message"),
    [
        ([1.0, 2.0], [True], "same: 1 for 2 distances"),
        ([1.0, np.nan], [True, False], "row 1 is not finite"),
        ([1.0, 2.0], [True, True], "all 2 are the same"),
    ],
)
def test_bad_pairs_are_named(distances, same, message):
    with pytest.raises(InputError, match=message):
        verify(distances, same, 0.5)

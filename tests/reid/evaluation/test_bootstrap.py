import numpy as np
import pytest
from scipy import stats

from annotations.errors import InputError
from reid.evaluation.bootstrap import bootstrap, bootstrap_difference

VALUES = np.random.default_rng(0).random(80)


def test_agrees_with_scipy():
    expected = stats.bootstrap(
        (VALUES,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert bootstrap(VALUES, n=4000) == pytest.approx(tuple(expected), abs=0.006)


def test_covers_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(2)
    intervals = [bootstrap(rng.random(60), n=200, level=0.8) for _ in range(300)]
    covered = np.mean([low <= 0.5 <= high for low, high in intervals])
    assert 0.72 <= covered <= 0.87


def test_identities_are_the_units():
    repeated, groups = np.repeat(VALUES, 9), np.repeat(np.arange(len(VALUES)), 9)
    # Nine copies of each query tell nothing new, and the interval says so.
    assert bootstrap(repeated, groups) == pytest.approx(bootstrap(VALUES))
    low, high = bootstrap(repeated)
    assert high - low < 0.5 * np.diff(bootstrap(VALUES))[0]


def test_uneven_groups_keep_the_mean_over_queries():
    # All weight is in one identity: whenever it is drawn, it dominates.
    values, groups = [1.0] * 98 + [0.0, 0.0], ["a"] * 98 + ["b", "c"]
    low, high = bootstrap(values, groups)
    assert (low, high) == (0.0, 1.0)
    assert bootstrap(values, groups, level=0.2)[0] > 0.9


def test_seeded():
    assert bootstrap(VALUES, seed=3) == bootstrap(VALUES, seed=3) != bootstrap(VALUES, seed=4)


def test_paired_difference_is_narrower_than_the_runs_are():
    better = np.clip(VALUES + 0.03, 0, 1)
    low, high = bootstrap_difference(better, VALUES)
    assert 0 < low <= high <= 0.03 + 1e-9
    # The two alone overlap; of one query each pair differs by the same, so 0.03 is certain.
    alone = bootstrap(better), bootstrap(VALUES)
    assert alone[0][0] < alone[1][1]
    assert high - low < 0.1 * np.diff(alone[1])[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, 0.2], ["a"]), "groups: 1 for 2"),
        (([0.1, np.nan],), "row 1 is not finite"),
        (([0.1, 0.2], ["a", None]), "groups: row 1 is empty"),
        (([0.1, 0.2], ["a", "a"]), "at least 2 identities"),
        (([],), "at least 2"),
        (([0.1, 0.2], None, 0), "n must be"),
        (([0.1, 0.2], None, 10, 95), "level between 0 and 1"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(InputError, match=message):
        bootstrap(*arguments)


def test_runs_on_other_queries_are_refused():
    with pytest.raises(InputError, match="2 and 3 queries"):
        bootstrap_difference([0.1, 0.2], [0.1, 0.2, 0.3])

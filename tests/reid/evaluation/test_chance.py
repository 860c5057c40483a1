from itertools import combinations

import numpy as np
import pytest

from annotations.errors import InputError
from reid.evaluation.chance import chance


def every_order(matches, items):
    """Mean scores over all places that the matches can have, each scored as in its definition."""
    rows = []
    for places in combinations(range(1, items + 1), matches):
        precisions = [(found + 1) / place for found, place in enumerate(places)]
        rows.append((np.mean(precisions), places[0] <= 1, places[0] <= 5, matches / places[-1]))
    return np.mean(rows, axis=0)


@pytest.mark.parametrize("items", [1, 2, 5, 6, 9])
def test_chance_is_the_mean_over_every_order(items):
    matches = np.arange(1, items + 1)
    expected = [every_order(m, items) for m in matches]
    found = chance(matches, np.full(items, items))
    assert list(found.columns) == ["mAP", "rank-1", "rank-5", "mINP"]
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-12)


def test_each_query_has_its_own_counts():
    found = chance([1, 2, 1], [4, 4, 4])["rank-1"]
    assert found.tolist() == pytest.approx([0.25, 0.5, 0.25])


def test_a_large_gallery_is_no_trouble():
    found = chance([3], [50_000]).iloc[0]
    assert found["rank-1"] == pytest.approx(3 / 50_000)
    # The last of m is at m(n + 1)/(m + 1) in the mean, and 1/r of it is a little more.
    assert 1 / 0.75 / 50_000 * 3 < found["mINP"] < 2.1 / 50_000 * 3


@pytest.mark.parametrize(("matches", "items"), [(0, 5), (3, 2)])
def test_impossible_counts_are_refused(matches, items):
    with pytest.raises(InputError, match="among"):
        chance([1, matches], [5, items])

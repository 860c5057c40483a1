from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from annotations.errors import InputError
from annotations.images import Images
from reid.evaluation.rank import rank_compared
from reid.evaluation.truth import Truth
from reid.reranking.k_reciprocal import k_reciprocal
from reid.reranking.measured import Cosines
from reid.reranking.priors import WithTravelTimes
from reid.reranking.travel_times import TravelTimes


def images(rows, columns=("identity", "camera", "time")):
    frame = pd.DataFrame(rows, columns=list(columns))
    frame.insert(0, "image", [f"{number}.jpg" for number in range(len(frame))])
    return Images(frame, Path(), "seen")


TRAINING = [
    ("a", "1", 0.0),
    ("a", "1", 20.0),
    ("a", "2", 45.0),
    ("b", "1", 100.0),
    ("b", "2", 138.0),
    ("c", "2", 0.0),
    ("c", "3", 1000.0),
    (None, "1", 7.0),
    ("d", None, 7.0),
    ("d", "1", None),
]


def test_histograms_are_counted_and_smoothed():
    times = TravelTimes.fit(images(TRAINING), width=10.0, bins=6, smooth=0.7)
    assert times.cameras == ("1", "2", "3")
    assert times.shares.shape == (3, 6)
    np.testing.assert_allclose(times.shares.sum(1), 1)
    np.testing.assert_allclose(times.shares[-1], 1 / 6)
    # a takes 45 - 10 = 35, b 38: the fourth bin; c takes longer than all bins.
    near = np.exp(-np.square((np.arange(6) - 3) / 0.7) / 2)
    np.testing.assert_allclose(times.shares[times.pair[1, 0]], near / near.sum())
    assert times.shares[times.pair[2, 1]].argmax() == 5
    for later, earlier in ((0, 1), (1, 1), (2, 0), (3, 0), (0, 3)):
        assert times.pair[later, earlier] == 2


def sightings():
    queries = images([("x", "2", 50.0), ("y", "1", 50.0), ("z", "9", 50.0), ("z", "2", None)])
    items = images(
        [("x", "1", 16.0), ("x", "1", 60.0), ("y", "2", 88.0), ("y", "1", 0.0), ("z", None, 3.0)]
    )
    return queries, items


def test_joint_similarity_is_the_papers():
    times = TravelTimes.fit(images(TRAINING), width=10.0, bins=6, smooth=0.7)
    queries, items = sightings()
    rng = np.random.default_rng(0)
    query, gallery = rng.standard_normal((4, 8)), rng.standard_normal((5, 8))
    found = WithTravelTimes(Cosines(query, gallery), times, queries, items)
    rows = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (query, gallery)]
    shares = np.full((4, 5), 1 / 6)
    known = times.shares[times.pair[1, 0]]
    shares[0, 0], shares[1, 2], shares[0, 3] = known[3], known[3], known[5]
    cosine = rows[0] @ rows[1].T
    expected = 1 - 1 / (1 + np.exp(-5 * cosine)) / (1 + 2 * np.exp(-5 * shares))
    values = found.values(torch.arange(4))
    np.testing.assert_allclose(values, expected, atol=1e-6)
    pairs = torch.cartesian_prod(torch.arange(4), torch.arange(5))
    exact = found.exact(*pairs.T).view(4, 5)
    np.testing.assert_allclose(exact, expected, atol=1e-6)
    assert ((values - exact).abs() <= found.bound(torch.arange(4))[:, None]).all()


@pytest.mark.parametrize("make", [Cosines, k_reciprocal])
def test_travel_times_tell_look_alikes_apart(make):
    rng = np.random.default_rng(1)
    starts = 10_000 * rng.permutation(40)

    def seen(names):
        return [
            (str(name), str(camera), starts[name] + 500.0 * camera + rng.uniform(0, 50))
            for camera in (1, 2)
            for name in names
        ]

    times = TravelTimes.fit(images(seen(range(20))), width=100.0, bins=200, smooth=1.0)
    test = seen(range(20, 40))
    rows = np.tile(rng.standard_normal((5, 8)), (8, 1)) + 0.01 * rng.standard_normal((40, 8))
    looks = make(rows[:20], rows[20:])
    truth = Truth([row[0] for row in test[:20]], [row[0] for row in test[20:]])
    joint = WithTravelTimes(looks, times, images(test[:20]), images(test[20:]))
    assert rank_compared(looks, truth).cmc[1] < 0.7
    assert rank_compared(joint, truth).cmc[1] == 1


@pytest.mark.parametrize(
    ("rows", "columns", "change", "message"),
    [
        ([("a", "1")], ("identity", "camera"), {}, "seen: no image has a 'time'"),
        ([("a", 1.0)], ("identity", "time"), {}, "seen: no image has a 'camera'"),
        ([("1", 1.0)], ("camera", "time"), {}, "seen: no image has a 'identity'"),
        ([("a", "1", 1.0)], ("identity", "camera", "time"), {}, "no identity was seen by two"),
        (TRAINING, ("identity", "camera", "time"), {"width": 0.0}, "width must be above 0"),
        (TRAINING, ("identity", "camera", "time"), {"bins": 0}, "bins must be above 0"),
        (TRAINING, ("identity", "camera", "time"), {"smooth": -1.0}, "smooth must be above 0"),
    ],
)
def test_nothing_to_learn_from_is_named(rows, columns, change, message):
    with pytest.raises(InputError, match=message):
        TravelTimes.fit(images(rows, columns), **{"width": 1.0} | change)


def test_images_that_do_not_fit_are_named():
    times = TravelTimes.fit(images(TRAINING), width=10.0)
    queries, items = sightings()
    looks = Cosines(np.eye(4), np.eye(5, 4) + 1)
    with pytest.raises(InputError, match="seen: 5 images, 4 embeddings"):
        WithTravelTimes(looks, times, items, items)
    with pytest.raises(InputError, match="no image has a 'time'"):
        WithTravelTimes(looks, times, images([("a", "1")] * 4, ("identity", "camera")), items)
    with pytest.raises(InputError, match="logistic: -1"):
        WithTravelTimes(looks, times, queries, items, (1.0, 5.0, -1.0, 5.0))

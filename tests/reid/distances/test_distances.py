import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from annotations.errors import InputError
from reid.distances import DISTANCES, distance_named


@pytest.mark.parametrize("name", DISTANCES)
def test_pairwise_is_scipys(name):
    a, b = torch.randn(7, 16, generator=torch.manual_seed(0)), torch.randn(5, 16)
    found = DISTANCES[name].pairwise(a, b).numpy()
    np.testing.assert_allclose(found, cdist(a, b, name), atol=1e-5)


def test_euclidean_is_exact_far_from_the_origin():
    a = torch.randn(6, 8, generator=torch.manual_seed(0), dtype=torch.float64) + 1000
    near = a.float()
    expected = cdist(near.double(), near.double())
    np.testing.assert_allclose(DISTANCES["euclidean"].pairwise(near, near), expected, atol=1e-3)


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("size", [1, 5, 17, 1001])
def test_equal_rows_are_equally_far(name, size):
    rows = torch.randn(1, 33, generator=torch.manual_seed(size)).expand(size, 33) * 7 + 3
    found = DISTANCES[name].pairwise(torch.randn(3, 33), rows)
    assert (found == found[:, :1]).all()


@pytest.mark.parametrize("name", DISTANCES)
def test_gradient_is_the_numerical_one_and_finite_at_zero_distance(name):
    a = torch.randn(3, 4, generator=torch.manual_seed(1), dtype=torch.float64, requires_grad=True)
    b = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(DISTANCES[name].pairwise, (a, b))
    DISTANCES[name].pairwise(a, a).sum().backward()
    assert a.grad.isfinite().all()


def test_prepare_keeps_or_normalises_in_float32():
    given = np.array([[3.0, 4.0]])
    assert DISTANCES["euclidean"].prepare(given).tolist() == [[3.0, 4.0]]
    np.testing.assert_allclose(DISTANCES["cosine"].prepare(given), [[0.6, 0.8]], rtol=1e-6)
    assert DISTANCES["cosine"].prepare(torch.ones(1, 2, dtype=torch.float16)).dtype == torch.float32


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([[1.0, 2.0], [np.nan, 1.0]]), "query: row 1 holds NaN"),
        (np.array([[np.inf, 2.0], [np.nan, 1.0]]), r"row 0 holds .* \(1 more rows do too\)"),
        (np.array([[1e30, 0.0]]), "too large to square"),
        (np.array([[1, 2]]), "query: must be floating-point"),
        (np.array([1.0, 2.0]), "one embedding a row"),
        (np.zeros((0, 4)), "at least one"),
    ],
)
def test_unusable_embeddings_are_refused(value, message):
    for distance in DISTANCES.values():
        with pytest.raises(InputError, match=message):
            distance.prepare(value, "query")


def test_only_cosine_refuses_a_zero_vector():
    rows = np.array([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(InputError, match="gallery: row 1 is all zeros"):
        DISTANCES["cosine"].prepare(rows, "gallery")
    DISTANCES["euclidean"].prepare(rows)


def test_unknown_distance_is_suggested():
    with pytest.raises(InputError, match="did you mean 'cosine'"):
        distance_named("cosin")

import numpy as np
import pytest
import torch

from annotations.errors import InputError
from reid.distances import nearest
from reid.reranking.expansion import expand_queries


def plain(query, gallery, top, distance="euclidean", alpha=0.0, hidden=None):
    """One query at a time."""
    if distance == "cosine":
        query, gallery = (
            side / np.linalg.norm(side, axis=1, keepdims=True) for side in (query, gallery)
        )
    means = []
    for number, row in enumerate(query):
        apart = np.square(gallery - row).sum(1)
        near = [item for item in np.argsort(apart) if hidden is None or not hidden[number][item]]
        items = gallery[near[:top]]
        weights = np.maximum(items @ row, 0) ** alpha if alpha else np.ones(len(items))
        mean = (row + weights @ items) / (1 + weights.sum())
        means.append(mean / np.linalg.norm(mean) if distance == "cosine" else mean)
    return np.stack(means)


def sides():
    rng = np.random.default_rng(0)
    return rng.standard_normal((7, 6)), rng.standard_normal((40, 6))


@pytest.mark.parametrize("block", [1, 2**22])
@pytest.mark.parametrize(
    ("distance", "alpha"), [("euclidean", 0.0), ("cosine", 0.0), ("cosine", 3.0)]
)
@pytest.mark.parametrize("top", [1, 5, 50])
def test_equals_the_plain_loop(top, distance, alpha, block, monkeypatch):
    monkeypatch.setattr(nearest, "_BLOCK", block)
    query, gallery = sides()
    found = expand_queries(query, gallery, top=top, distance=distance, alpha=alpha)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, plain(query, gallery, top, distance, alpha), atol=1e-5)


def test_the_query_s_own_camera_is_left_out():
    query, gallery = sides()
    seen, shows = ["1", "1", "2", "2", "", None, "3"], ["1"] * 37 + ["2", "2", None]
    hidden = [[bool(one) and one == other for other in shows] for one in seen]
    found = expand_queries(query, gallery, top=4, query_cameras=seen, gallery_cameras=shows)
    np.testing.assert_allclose(found, plain(query, gallery, 4, hidden=hidden), atol=1e-5)


def test_a_query_with_nothing_to_average_stays():
    query, gallery = sides()
    cameras = {"query_cameras": ["1"] * 7, "gallery_cameras": ["1"] * 40}
    np.testing.assert_allclose(expand_queries(query, gallery, **cameras), query, rtol=1e-6)


def test_torch_stays_torch():
    query, gallery = (torch.from_numpy(side) for side in sides())
    found = expand_queries(query, gallery)
    assert isinstance(found, torch.Tensor)
    np.testing.assert_array_equal(found, expand_queries(query.numpy(), gallery))


@pytest.mark.gpu
def test_gpu_agrees_with_cpu():
    query, gallery = (torch.from_numpy(side).float() for side in sides())
    found = expand_queries(query.cuda(), gallery, distance="cosine", alpha=2.0)
    expected = expand_queries(query, gallery, distance="cosine", alpha=2.0)
    torch.testing.assert_close(found.cpu(), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"top": 0}, "top must be at least 1"),
        ({"alpha": -1.0}, "alpha must be at least 0"),
        ({"alpha": float("nan")}, "alpha must be at least 0"),
        ({"alpha": 1.0}, "alpha: weights are powers of cosines"),
        ({"distance": "euclid"}, "did you mean 'euclidean'"),
        ({"query_cameras": ["1"] * 7}, "one side only"),
        ({"query_cameras": ["1"], "gallery_cameras": ["1"] * 40}, "query_cameras: 1 for 7"),
    ],
)
def test_bad_input_is_named(change, message):
    query, gallery = sides()
    with pytest.raises(InputError, match=message):
        expand_queries(query, gallery, **change)

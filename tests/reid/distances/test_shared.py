import numpy as np
import pytest
import torch

from annotations.errors import InputError
from reid.distances import DISTANCES, SharedCosine, distance_named
from reid.distances.nearest import nearest, search

WIDTHS = (5, 3, 4)
DISTANCE = SharedCosine(WIDTHS)


def draw(count, seed=0, dtype=torch.float32, hidden=0.3):
    """Embeddings of three views; what is not shown is zeros."""
    random = torch.Generator().manual_seed(seed)
    shown = torch.rand(count, len(WIDTHS), generator=random) >= hidden
    shown[:, 0] |= ~shown.any(1)
    features = torch.rand(count, sum(WIDTHS), generator=random, dtype=dtype)
    features *= shown.repeat_interleave(torch.tensor(WIDTHS), 1)
    return torch.cat([features, shown.to(dtype)], 1)


def plain(a, b):
    """One minus the cosine over the numbers of views that both show, with loops."""
    starts, flags = np.cumsum([0, *WIDTHS]), sum(WIDTHS)
    common = [
        place
        for view in range(len(WIDTHS))
        if a[flags + view] and b[flags + view]
        for place in range(starts[view], starts[view + 1])
    ]
    one, other = a[common], b[common]
    if not one.any() or not other.any():
        return 1 + 0 * (a.sum() + b.sum())
    return 1 - one @ other / (one.norm() * other.norm())


def test_it_is_the_cosine_over_what_both_show_in_value_and_gradient():
    a, b = (draw(n, n, torch.float64, 0.5).requires_grad_() for n in (7, 8))
    expected = torch.stack([torch.stack([plain(x, y) for y in b]) for x in a])
    made = DISTANCE.pairwise(a, b)
    torch.testing.assert_close(made, expected)
    assert (expected == 1).any()
    some = torch.randn(7, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for mine, other in zip(*(torch.autograd.grad((found * some).sum(), [a, b])
                             for found in (made, expected)), strict=True):  # fmt: skip
        torch.testing.assert_close(mine, other)
    torch.testing.assert_close(DISTANCE.between(a, b[:7]), expected.diagonal())


def test_where_everything_is_shown_it_is_the_cosine_distance():
    a, b = draw(6, 3, hidden=0), draw(9, 4, hidden=0)
    numbers = [side[:, : sum(WIDTHS)] for side in (a, b)]
    torch.testing.assert_close(DISTANCE.pairwise(a, b), DISTANCES["cosine"].pairwise(*numbers))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_comparisons_are_within_their_error_and_exact(dtype, scale):
    queries, items = draw(9, 5), draw(2000, 6)
    for side in (queries, items):
        side[:, : sum(WIDTHS)] *= scale
    items[7:12] = queries[0]
    queries, items = queries.to(dtype), items.to(dtype)
    compared = DISTANCE.compare(queries, items)
    query = torch.arange(9)
    pairs = torch.cartesian_prod(query, torch.arange(2000))
    exact = compared.exact(*pairs.T).view(9, 2000)
    expected = torch.stack(
        [torch.stack([plain(x.double(), y.double()) for y in items[:40]]) for x in queries]
    )
    torch.testing.assert_close(exact[:, :40], expected, rtol=1e-9, atol=1e-14)
    assert (exact[0, 7:12] == 0).all()
    values = compared.values(query)
    assert values.dtype == torch.float32
    assert ((values - exact).abs() <= compared.error(query[:, None], values)).all()
    assert compared.error(query[:, None], values).max() < 1e-5


@pytest.mark.parametrize("top", [1, 10])
def test_search_finds_what_sorting_finds(top):
    queries, items = draw(40, 7), draw(20_000, 8)
    items[15_000:15_100] = items[:100]
    distances, rows = search(DISTANCE.compare(queries, items), top)
    _, order = nearest(DISTANCE.compare(queries, items), torch.arange(40), top)
    assert (rows == order.numpy()).all()
    best = DISTANCE.pairwise(queries.double(), items.double()).sort(dim=1).values[:, :top]
    np.testing.assert_allclose(distances, best, atol=1e-6)


def test_a_weak_shared_part_has_a_direction_too():
    a, b = torch.zeros(2, 1, 15)
    a[0, 0], b[0, 0] = 5e-9, 3e-9
    a[0, 5], b[0, 8] = 1.0, 1.0
    a[0, -3:], b[0, -3:] = torch.tensor([1.0, 1, 0]), torch.tensor([1.0, 0, 1])
    compared, one = DISTANCE.compare(a, b), torch.zeros(1, dtype=torch.int64)
    for found in (DISTANCE.between(a, b), compared.exact(one, one), compared.values(one)[0]):
        assert found.item() == pytest.approx(0, abs=1e-6)


def test_what_cannot_be_compared_is_refused():
    assert distance_named("shared:5,3,4").widths == WIDTHS
    good = draw(3, hidden=0)
    good[1, -1] = 0
    with pytest.raises(InputError, match="row 1 has numbers of a view not shown"):
        DISTANCE.prepare(good)
    none = torch.zeros(2, 15)
    none[:, -3:] = 1
    with pytest.raises(InputError, match="row 0 is all zeros"):
        DISTANCE.prepare(none)
    with pytest.raises(InputError, match="14 dimensions, where the distance shared:5,3,4 has 15"):
        DISTANCE.prepare(good[:, 1:])

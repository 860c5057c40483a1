import numpy as np
import pytest
import torch

from annotations.errors import InputError
from reid.distances import CoOccurrence, distance_named
from reid.distances.nearest import nearest, search
from reid.evaluation.rank import rank

WIDTHS = (5, 3, 3, 4)
DISTANCE = CoOccurrence(WIDTHS)


def draw(count, seed=0, dtype=torch.float32, hidden=0.3):
    """Embeddings of four views, of which some are not seen; view 0 always is, with a ratio of 1."""
    random = torch.Generator().manual_seed(seed)
    features = torch.randn(count, sum(WIDTHS), generator=random, dtype=dtype)
    ratios = torch.rand(count, len(WIDTHS), generator=random, dtype=dtype)
    ratios[torch.rand(count, len(WIDTHS), generator=random) < hidden] = 0
    ratios[:, 0] = 1
    return torch.cat([features, ratios], 1)


def equation_5(a, b):
    """Equations (4) and (5) with loops."""
    starts = np.cumsum([0, *WIDTHS])
    ratios = sum(WIDTHS)
    common = [a[ratios + i] * b[ratios + i] for i in range(len(WIDTHS))]
    total = 0.0
    for i, product in enumerate(common):
        weight = product / sum(common)
        apart = (a[starts[i] : starts[i + 1]] - b[starts[i] : starts[i + 1]]).square().sum().sqrt()
        total = total + weight * apart
    return total


def test_it_is_equation_5_in_value_and_gradient():
    a, b = draw(6, 1, torch.float64).requires_grad_(), draw(7, 2, torch.float64).requires_grad_()
    plain = torch.stack([torch.stack([equation_5(x, y) for y in b]) for x in a])
    made = DISTANCE.pairwise(a, b)
    torch.testing.assert_close(made, plain)
    some = torch.randn(6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for mine, other in zip(*(torch.autograd.grad((found * some).sum(), [a, b])
                             for found in (made, plain)), strict=True):  # fmt: skip
        torch.testing.assert_close(mine, other)
    torch.testing.assert_close(DISTANCE.between(a, b[:6]), plain.diagonal())


def test_equal_images_are_at_0_with_a_finite_gradient():
    a = draw(4, dtype=torch.float64).requires_grad_()
    made = DISTANCE.pairwise(a, a)
    assert made.diagonal().abs().max() < 1e-6
    (gradient,) = torch.autograd.grad(made.sum(), a)
    assert gradient.isfinite().all()


def test_disjoint_views_leave_it_to_the_whole():
    # SPAN, section 3.3, the discussion.
    a, b = draw(1, 3), draw(1, 4)
    a[:, -3:], b[:, -3:] = torch.tensor([0.5, 0, 0.5]), torch.tensor([0, 1.0, 0])
    whole = (a[:, : WIDTHS[0]] - b[:, : WIDTHS[0]]).norm()
    torch.testing.assert_close(DISTANCE.pairwise(a, b)[0, 0], whole)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_comparisons_are_within_their_error_and_exact(dtype):
    queries, items = draw(9, 5).to(dtype), draw(3000, 6).to(dtype)
    items[7:12] = queries[0]  # equal ones
    items[20, : WIDTHS[0]] = queries[1, : WIDTHS[0]]  # equal in one view
    compared = DISTANCE.compare(queries, items)
    query = torch.arange(9)
    plain = torch.stack(
        [torch.stack([equation_5(x.double(), y.double()) for y in items[:60]]) for x in queries]
    )
    pairs = torch.cartesian_prod(query, torch.arange(60))
    exact = compared.exact(*pairs.T).view(9, 60)
    torch.testing.assert_close(exact, plain, rtol=1e-13, atol=0)
    assert (exact[0, 7:12] == 0).all()
    values = compared.values(query)
    assert values.dtype == torch.float32
    everything = torch.cartesian_prod(query, torch.arange(3000))
    exact = compared.exact(*everything.T).view(9, 3000)
    assert ((values - exact).abs() <= compared.error(query[:, None], values)).all()
    assert compared.error(query[:, None], values).max() < 2e-5
    single = compared.among(5, 2000)
    values = single.values(query)
    assert ((values - exact[:, 5:2000]).abs() <= single.error(query[:, None], values)).all()
    assert single.error(query[:, None], values).max() < 0.03


@pytest.mark.parametrize("top", [1, 10, 9000])
def test_search_by_stretches_finds_what_sorting_finds(top):
    queries, items = draw(40, 7), draw(20_000, 8)
    items[15_000:15_100] = items[:100]  # ties across stretches, the first of which comes first
    items[100] = queries[3]
    compared = DISTANCE.compare(queries, items)
    distances, rows = search(compared, top)
    everything, order = nearest(compared, torch.arange(40), top)
    assert (rows == order.numpy()).all()
    np.testing.assert_array_equal(distances, everything.numpy().astype(np.float32))
    plain = DISTANCE.pairwise(queries.double(), items.double())
    best = plain.sort(dim=1).values[:, :top]
    np.testing.assert_allclose(distances, best, rtol=1e-5, atol=1e-6)
    assert rows[3, 0] == 100


def test_evaluation_takes_it_by_name():
    queries, items = draw(30, 9), draw(200, 10)
    ids, others = np.arange(30) % 10, np.arange(200) % 10
    found = rank(queries, items, ids, others, distance=DISTANCE.name)
    plain = DISTANCE.pairwise(queries.double(), items.double()).numpy()
    precisions = []
    for row, mine in zip(plain, ids, strict=True):
        true = (others == mine)[np.argsort(row, kind="stable")]
        precisions.append((np.cumsum(true) / np.arange(1, 201))[true].mean())
    assert found.mAP == pytest.approx(np.mean(precisions))


def test_its_name_tells_its_views():
    assert DISTANCE.name == "cpdm:5,3,3,4"
    assert distance_named(DISTANCE.name).widths == WIDTHS
    for wrong in ("cpdm:", "cpdm:4,x", "cpdm:4,0"):
        with pytest.raises(InputError, match="cpdm"):
            distance_named(wrong)


def test_what_cannot_be_compared_is_refused():
    good = draw(3)
    with pytest.raises(InputError, match="18 dimensions, where the distance cpdm:5,3,3,4 has 19"):
        DISTANCE.prepare(good[:, 1:])
    for column, value, said in (
        (-4, 0.0, "row 1 has no area of the whole image"),
        (-1, -0.1, "row 1 has an area ratio below 0"),
        (-1, np.nan, "row 1 holds NaN"),
    ):
        wrong = good.clone()
        wrong[1, column] = value
        with pytest.raises(InputError, match=said):
            DISTANCE.prepare(wrong)

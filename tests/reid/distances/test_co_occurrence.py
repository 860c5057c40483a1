import numpy as np
import pytest
import torch

from annotations.errors import InputError
from reid.distances import CoOccurrence, distance_named
from reid.distances.co_occurring import CoOccurring
from reid.distances.nearest import nearest, search
from reid.distances.screen import Screen
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


def tied(count, seed):
    """Embeddings of which many are equal, in all views or in some; a quarter show but the whole."""
    made = draw(7, 1)[torch.randint(7, (count,), generator=torch.Generator().manual_seed(seed))]
    made[:, -3:] = draw(count, seed)[:, -3:]
    made[: count // 4, -3:] = 0
    return made


def clustered(count, seed):
    """Embeddings around a few points that are far from 0."""
    centres = draw(5, 2) * 20
    made = centres[torch.randint(5, (count,), generator=torch.Generator().manual_seed(seed))]
    made += 0.1 * draw(count, seed)
    made[:, -len(WIDTHS) :] = draw(count, seed)[:, -len(WIDTHS) :]
    return made


def disjoint(count, seed):
    """Embeddings that show view 0 and one more, and where it is not seen hold other numbers."""
    made = draw(count, seed)
    made[:, -3:] = torch.eye(3)[torch.arange(count) % 3]
    return made


def long(count, seed):
    """Embeddings of many lengths, and of areas from next to nothing to many times the whole."""
    made = draw(count, seed)
    sizes = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed)).mul_(4).exp_()
    made[:, : sum(WIDTHS)] *= sizes[:, :1]
    made[:, -3:] *= sizes[:, 1:]
    return made


KINDS = [draw, tied, clustered, disjoint, long]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_screen_leaves_every_pair_that_is_as_near(kind, dtype, monkeypatch):
    monkeypatch.setattr("reid.distances.screen._MANY", 1)
    queries, items = (kind(*some).to(dtype).clamp(-6e4, 6e4) for some in ((20, 5), (1500, 6)))
    items[100:110] = queries[:10]
    screen = Screen(DISTANCE.views(queries), DISTANCE.views(items))
    everything = torch.cartesian_prod(torch.arange(20), torch.arange(1500)).T
    exact = DISTANCE.compare(queries, items).exact(*everything).view(20, 1500)
    for place in (0, 1, 20):  # as near as any, which is 0 for some, as the next, as the 20th
        most = exact.sort(dim=1).values[:, place, None]
        row, item = screen.within(torch.arange(20), most.float())
        left = torch.zeros(20, 1500, dtype=torch.bool)
        left[row, item] = True
        assert left[exact <= most].all()
        assert ((row * 1500 + item).diff() > 0).all()


def test_where_too_many_pairs_are_left_a_screen_gives_up():
    queries, items = tied(20, 5), tied(1500, 6)
    screen = Screen(DISTANCE.views(queries), DISTANCE.views(items))
    assert screen.within(torch.arange(20), torch.full((20, 1), 10.0)) is None
    views = [DISTANCE.views(side) for side in (queries, items)]
    stretch = CoOccurring(*views, screened=True).among(0, 1500)
    row, _ = stretch.within(torch.arange(20), torch.full((20, 1), 10.0))
    assert len(row) == 20 * 1500


def test_a_screen_rules_most_pairs_out():
    queries, items = draw(20, 5), draw(4000, 6)
    screen = Screen(DISTANCE.views(queries), DISTANCE.views(items))
    plain = DISTANCE.pairwise(queries.double(), items.double())
    most = plain.sort(dim=1).values[:, 9:10]
    row, _ = screen.within(torch.arange(20), most.float())
    assert len(row) <= (plain <= 1.05 * most).sum()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("screened", [True, False])
def test_search_with_and_without_a_screen_finds_what_sorting_finds(kind, screened, monkeypatch):
    monkeypatch.setattr("reid.distances.nearest._ITEMS", 500)
    monkeypatch.setattr("reid.distances.nearest._QUERIES", 7)
    queries, items = kind(15, 7), kind(1800, 8)
    items[1500:1550] = items[:50]
    views = [DISTANCE.views(side) for side in (queries, items)]
    distances, rows = search(CoOccurring(*views, screened=screened), 10)
    everything = torch.cartesian_prod(torch.arange(15), torch.arange(1800)).T
    exact, order = CoOccurring(*views).exact(*everything).view(15, 1800).sort(dim=1, stable=True)
    assert (rows == order[:, :10].numpy()).all()
    np.testing.assert_array_equal(distances, exact[:, :10].numpy().astype(np.float32))


def test_numbers_too_great_for_a_screen_are_found_all_the_same():
    queries, items = draw(3, 1), draw(200, 2)
    items[5, 0] = 1e30
    screen = Screen(DISTANCE.views(queries), DISTANCE.views(items))
    row, item = screen.within(torch.arange(3), torch.full((3, 1), 1e-3))
    assert row.tolist() == [0, 1, 2] and item.tolist() == [5, 5, 5]


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

import pytest
import torch

from reid.losses.coupled_cluster import CoupledClusterLoss
from reid.losses.modified_coupled_cluster import ModifiedCoupledClusterLoss


def apart(row, centre, shown, held):
    """The squared distance over the numbers that both sides have, each at its whole length."""
    common = [d for d in range(len(row)) if shown[d] and held[d]]

    def scale(side, there):
        return (
            sum(side[d] ** 2 for d in range(len(row)) if there[d])
            / sum(side[d] ** 2 for d in common)
        ) ** 0.5

    one, other = scale(row, shown), scale(centre, held)
    return sum((row[d] * one - centre[d] * other) ** 2 for d in common)


def plain(embeddings, labels, alpha, beta=0.0, models=None, seen=None):
    """Equations (4) to (6) with loops, each label with a pair being the positive set in turn."""
    seen = torch.ones_like(embeddings, dtype=torch.bool) if seen is None else seen
    total, sets = embeddings.sum() * 0, 0
    for label in sorted(set(labels.tolist())):
        positives = [i for i, other in enumerate(labels.tolist()) if other == label]
        negatives = [i for i, other in enumerate(labels.tolist()) if other != label]
        if len(positives) < 2 or not negatives:
            continue
        sets += 1
        having = [[i for i in positives if seen[i, d]] for d in range(embeddings.shape[1])]
        centre = [sum(embeddings[i, d] for i in some) / max(len(some), 1)
                  for d, some in enumerate(having)]  # fmt: skip
        far = {
            i: apart(embeddings[i], centre, seen[i], having)
            for i in negatives
            if any(shown and held for shown, held in zip(seen[i], having, strict=True))
        }
        if not far:
            continue
        nearest = min(far, key=lambda i: far[i].item())
        reach = far[nearest]
        if models is not None and models[nearest] == models[positives[0]]:
            reach = reach - beta
        for i in positives:
            shows = any(seen[i])
            term = (apart(embeddings[i], centre, seen[i], having) if shows else 0) + alpha - reach
            total = total + 0.5 * term.clamp(min=0)
    return total / max(sets, 1)


def draw(seed):
    random = torch.Generator().manual_seed(seed)
    years = torch.randint(5, (14,), generator=random)
    years[0] = 7  # alone: a negative, no positive set
    embeddings = torch.randn(14, 6, generator=random).add_(years[:, None] * 0.3)
    return embeddings.requires_grad_(), years, years // 2


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("alpha", [0.5, 4.0])
def test_value_and_gradient_agree_with_equation_4(seed, alpha):
    embeddings, labels, _ = draw(seed)
    mine = CoupledClusterLoss(alpha)(embeddings, labels)
    expected = plain(embeddings, labels, alpha)
    torch.testing.assert_close(mine, expected)
    found, wanted = (torch.autograd.grad(loss, embeddings)[0] for loss in (mine, expected))
    torch.testing.assert_close(found, wanted)
    assert wanted.any()


@pytest.mark.parametrize("seed", range(6))
def test_value_and_gradient_agree_with_equations_5_and_6(seed):
    embeddings, years, models = draw(seed)
    mine = ModifiedCoupledClusterLoss(0.5, 2.0)(embeddings, years, models)
    expected = plain(embeddings, years, 0.5, 2.0, models)
    torch.testing.assert_close(mine, expected)
    found, wanted = (torch.autograd.grad(loss, embeddings)[0] for loss in (mine, expected))
    torch.testing.assert_close(found, wanted)
    assert wanted.any()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("share", [0.15, 0.7])
def test_only_what_both_sides_show_is_compared(seed, share):
    embeddings, years, models = draw(seed)
    random = torch.Generator().manual_seed(seed)
    seen = (torch.rand(14, 3, generator=random) < share).repeat_interleave(2, 1)
    mine = ModifiedCoupledClusterLoss(0.5, 2.0)(embeddings, years, models, seen=seen)
    expected = plain(embeddings, years, 0.5, 2.0, models, seen)
    torch.testing.assert_close(mine, expected)
    found, wanted = (torch.autograd.grad(loss, embeddings)[0] for loss in (mine, expected))
    torch.testing.assert_close(found, wanted)
    assert not found[~seen].any()  # what stands for a part that was not found


def test_a_negative_that_shows_nothing_of_the_set_is_not_near():
    # The first negative shows another part only, so that nothing tells how far it is.
    embeddings = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 5.0], [3.0, 0.0]])
    seen = torch.tensor([[1, 0], [1, 0], [0, 1], [1, 0]], dtype=torch.bool)
    labels = torch.tensor([0, 0, 1, 2])
    assert CoupledClusterLoss(9.0)(embeddings, labels, seen) == pytest.approx(2 * (1 + 9 - 9) / 2)
    alone = CoupledClusterLoss(9.0)(embeddings[:3], labels[:3], seen[:3])
    assert alone == 0


def test_mixed_precision_finds_the_same_negatives():
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(64) // 4
    rows = 1 + 0.05 * torch.randn(64, 256, generator=random)
    rows = torch.nn.functional.normalize(rows + 0.02 * labels[:, None])
    loss = CoupledClusterLoss(0.5)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = loss(rows, labels)
    torch.testing.assert_close(mixed, loss(rows, labels))


def test_the_second_margin_is_felt():
    for seed in (0, 3, 4):
        embeddings, years, models = draw(seed)
        mine = ModifiedCoupledClusterLoss(0.5, 2.0)(embeddings, years, models)
        assert mine > CoupledClusterLoss(0.5)(embeddings, years)


def test_without_second_margin_it_is_the_original():
    embeddings, years, models = draw(9)
    mine = ModifiedCoupledClusterLoss(0.7, 0.0)(embeddings, years, models)
    assert mine == CoupledClusterLoss(0.7)(embeddings, years)


def test_one_positive_and_one_negative_set_is_the_papers_case():
    # Positives at -1 and 1, so the centre is 0; the nearest negative is at 1.5.
    embeddings = torch.tensor([[-1.0], [1.0], [1.5], [4.0]])
    labels = torch.tensor([0, 0, 1, 2])
    assert CoupledClusterLoss(2.0)(embeddings, labels) == pytest.approx(2 * (1 + 2 - 2.25) / 2)
    hard = ModifiedCoupledClusterLoss(2.0, 1.0)(embeddings, labels, torch.tensor([0, 0, 0, 1]))
    assert hard == pytest.approx(2 * (1 + 2 - 1.25) / 2)


def test_order_of_the_batch_does_not_matter():
    embeddings, years, models = draw(3)
    order = torch.randperm(14, generator=torch.Generator().manual_seed(0))
    loss = ModifiedCoupledClusterLoss(0.5, 2.0)
    shuffled = loss(embeddings[order], years[order], models[order])
    torch.testing.assert_close(shuffled, loss(embeddings, years, models))


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 0, 0, 0]])
def test_without_a_pair_or_a_negative_it_is_zero_and_keeps_a_gradient(labels):
    embeddings = torch.randn(4, 3, requires_grad=True)
    labels = torch.tensor(labels)
    for loss in (
        CoupledClusterLoss(1.0)(embeddings, labels),
        ModifiedCoupledClusterLoss(1.0, 1.0)(embeddings, labels, labels),
    ):
        assert loss == 0
        (gradient,) = torch.autograd.grad(loss, embeddings)
        assert not gradient.any()

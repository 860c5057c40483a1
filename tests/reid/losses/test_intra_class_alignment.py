from itertools import combinations

import pytest
import torch

from reid.losses.intra_class_alignment import IntraClassAlignmentLoss


def plain(vectors, visible, labels, pairs, parts):
    """Equation (7) with loops."""
    positive = [(j, k) for j, k in combinations(range(len(labels)), 2) if labels[j] == labels[k]]
    total = torch.zeros(())
    for j, k in positive if pairs is None else positive[:pairs]:
        for i in range(vectors.shape[1]) if parts is None else parts:
            if visible[j, i] and visible[k, i]:
                total = total + ((vectors[j, i] - vectors[k, i]) ** 2).sum()
    return total


def draw(seed, batch=12, parts=5):
    random = torch.Generator().manual_seed(seed)
    # Far from the origin, where sums of squares would cancel.
    vectors = torch.randn(batch, parts, 4, generator=random).add_(300)
    visible = torch.rand(batch, parts, generator=random) < 0.7
    return vectors.requires_grad_(), visible, torch.randint(4, (batch,), generator=random)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pairs", [None, 1, 3, 1000])
@pytest.mark.parametrize("parts", [None, [0, 3]])
def test_value_and_gradient_agree_with_equation_7(seed, pairs, parts):
    vectors, visible, labels = draw(seed)
    visible[:, 0] = True
    mine = IntraClassAlignmentLoss(pairs, parts)(vectors, visible, labels)
    expected = plain(vectors, visible, labels, pairs, parts)
    assert expected > 0
    torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-4)
    found, wanted = (torch.autograd.grad(loss, vectors)[0] for loss in (mine, expected))
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("pairs", [None, 1])
def test_a_part_that_one_of_two_shows_adds_nothing(pairs):
    vectors = torch.randn(2, 3, 4, requires_grad=True)
    visible = torch.tensor([[True, True, False], [True, False, False]])
    loss = IntraClassAlignmentLoss(pairs)(vectors, visible, torch.tensor([1, 1]))
    torch.testing.assert_close(loss, (vectors[0, 0] - vectors[1, 0]).square().sum())
    (gradient,) = torch.autograd.grad(loss, vectors)
    assert not gradient[:, 1:].any()


@pytest.mark.parametrize("pairs", [None, 1])
def test_without_a_positive_pair_it_is_zero_and_keeps_a_gradient(pairs):
    vectors, visible, _ = draw(0)
    loss = IntraClassAlignmentLoss(pairs)(vectors, visible, torch.arange(12))
    assert loss == 0
    (gradient,) = torch.autograd.grad(loss, vectors)
    assert not gradient.any()

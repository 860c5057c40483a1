import pytest
import torch
from pytorch_metric_learning.distances import LpDistance
from torch import Tensor

from reid.losses.batch_hard import BatchHardTripletLoss


def plain(vectors, labels, margin):
    """MFG-Net, equation (2), its terms one by one."""
    terms = []
    for anchor in range(len(labels)):
        apart = [(vectors[anchor] - other).norm() for other in vectors]
        same = [apart[n] for n in range(len(labels)) if n != anchor and labels[n] == labels[anchor]]
        others = [apart[n] for n in range(len(labels)) if labels[n] != labels[anchor]]
        nearest = min(others, key=Tensor.item)
        hardest = max(same, key=Tensor.item) - nearest
        terms.append((hardest + margin).clamp(min=0))
    return torch.stack(terms)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("every_anchor", [True, False])
def test_value_and_gradient_are_the_equations(seed, every_anchor):
    random = torch.Generator().manual_seed(seed)
    vectors = torch.randn(8, 5, generator=random).mul_(0.3).requires_grad_(True)
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 2, 1])
    by = LpDistance(normalize_embeddings=False)
    found = BatchHardTripletLoss(by, 0.3, every_anchor=every_anchor)(vectors, labels)
    terms = plain(vectors, labels.tolist(), 0.3)
    expected = terms.mean() if every_anchor else terms[terms > 0].mean()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    gradients = [torch.autograd.grad(each, vectors)[0] for each in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-5)


def test_without_a_triplet_it_is_zero():
    loss = BatchHardTripletLoss(LpDistance(normalize_embeddings=False), 0.3)
    vectors = torch.randn(4, 3, requires_grad=True)
    for labels in (torch.arange(4), torch.zeros(4).long()):
        value = loss(vectors, labels)
        value.backward()
        assert value.item() == 0

"""VAL's equations (3) to (7), value and gradient, against plain loops; what must hold of them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.losses import CircleLoss

from annotations.errors import InputError
from reid.losses.viewpoint_aware import ViewpointAwareLoss, require_divided

BATCH, IDENTITIES, DIMENSION = 7, 4, 5


def cosine(one, other):
    return (one * other).sum() / (one.square().sum().sqrt() * other.square().sum().sqrt())


def phi(x, centre, own, margin):
    """Equation (4), or where there is a margin, (7)."""
    s = cosine(x, centre)
    if margin is None:
        return s
    fixed = float(s.detach())
    if own:
        return max(0.0, 1 + margin - fixed) * (s - (1 - margin))
    return max(0.0, fixed - -margin) * (s - margin)


def partition(loss, embeddings, identities, viewpoints):
    """Equation (3) with loops over images i, identities j and viewpoints k."""
    margin = loss.margin if loss.boundary else None
    total = 0
    for i in range(len(embeddings)):
        scores, own = 0, None
        for j in range(loss.shown.shape[0]):
            for k in range(loss.shown.shape[1]):
                if not loss.shown[j, k]:
                    continue
                same = j == int(identities[i])
                score = loss.scale * phi(embeddings[i], loss.centres[j, k], same, margin)
                scores = scores + score.exp()
                if same and k == int(viewpoints[i]):
                    own = score
        total = total - (own.exp() / scores).log()
    return total / len(embeddings)


def reunion(loss):
    """Equation (5) with loops over identities j and viewpoints k, l, times lambda."""
    identities, count = loss.shown.shape
    total = 0 * loss.centres.sum()
    for j in range(identities):
        for k in range(count):
            for l in range(count):  # noqa: E741, the paper's letter
                if loss.shown[j, k] and loss.shown[j, l]:
                    total = total + cosine(loss.centres[j, l], loss.centres[j, k])
    return -loss.reunion * 2 / (count * (count - 1)) * total


def draw(seed, count=2, whole=True, **options):
    """Make a loss, and images of classes that are shown."""
    random = torch.Generator().manual_seed(seed)
    shown = torch.ones(IDENTITIES, count, dtype=torch.bool)
    if not whole:
        shown = torch.rand(IDENTITIES, count, generator=random) < 0.5
        shown[0], shown[1] = True, torch.arange(count) == 1
    loss = ViewpointAwareLoss(DIMENSION, shown, **{"scale": 6.0, **options})
    classes = shown.nonzero()
    identities, viewpoints = classes[
        torch.randint(len(classes), (BATCH,), generator=random)
    ].unbind(1)
    with torch.no_grad():
        loss.centres.copy_(torch.randn(loss.centres.shape, generator=random))
    near = loss.centres.detach()[identities, viewpoints]
    embeddings = near + torch.randn(BATCH, DIMENSION, generator=random)
    return loss, embeddings.requires_grad_(), identities, viewpoints


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("boundary", [True, False])
@pytest.mark.parametrize("weight", [0.0, 1.0, 0.3])
def test_value_and_gradient_agree_with_the_equations(count, whole, boundary, weight):
    loss, embeddings, *labels = draw(count, count, whole, boundary=boundary, reunion=weight)
    mine = loss(embeddings, *labels)
    expected = partition(loss, embeddings, *labels), reunion(loss)
    leaves = (embeddings, loss.centres)
    for found, wanted in zip(mine, expected, strict=True):
        torch.testing.assert_close(found, wanted)
    ours, plain = (torch.autograd.grad(sum(pair), leaves) for pair in (mine, expected))
    for found, wanted in zip(ours, plain, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
        assert wanted.abs().sum() > 0.01
    if not weight:
        assert mine[1] == 0


def test_no_second_copy_of_all_centres_is_kept():
    """Passes over identities times viewpoints times dimensions are what the loss's time goes to."""
    loss, embeddings, *labels = draw(0, 4)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda each: kept.append(each) or each, id):
        sum(loss(embeddings, *labels))
    large = [each for each in kept if each.numel() == loss.centres.numel()]
    assert {each.untyped_storage().data_ptr() for each in large} == {
        loss.centres.untyped_storage().data_ptr()
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_boundary_is_circle_loss_where_an_identity_has_one_class(seed):
    """With a second library: the own centre is the one positive, all others are negatives."""
    loss, embeddings, *_ = draw(seed, margin=0.3)
    loss.shown[1:] = torch.tensor([True, False])
    identities = torch.tensor([1, 2, 3, 1, 2, 3, 1])
    mine, _ = loss(embeddings, identities, torch.zeros_like(identities))
    circle = CircleLoss(m=0.3, gamma=6.0)
    expected = circle(
        embeddings,
        identities,
        ref_emb=loss.centres[loss.shown],
        ref_labels=loss.shown.nonzero()[:, 0],
    )
    torch.testing.assert_close(mine, expected)
    leaves = (embeddings, loss.centres)
    ours, theirs = (torch.autograd.grad(each, leaves) for each in (mine, expected))
    for found, wanted in zip(ours, theirs, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


@settings(max_examples=40)
@given(
    margin=st.floats(0.1, 0.5),
    angle=st.floats(-math.pi / 4, 1.2),  # down to the cut-off s = -m; a unit vector's cosines
    out=st.sampled_from([0.9, 1.0, 1.1]),
)
def test_the_decision_boundary_is_the_circle_of_section_2_3(margin, angle, out):
    """(s11 - 1)^2 + s2k^2 = 2 m^2, where as many classes of the other identity are as likely."""
    radius = math.sqrt(2) * margin * out
    own, other = 1 - radius * math.cos(angle), radius * math.sin(angle)
    rest = 1 - own**2 - other**2
    if rest < 0 or other < -margin:
        return
    loss = ViewpointAwareLoss(3, torch.tensor([[1, 0], [1, 1]]).bool(), scale=10.0, margin=margin)
    with torch.no_grad():
        loss.centres.copy_(torch.eye(3)[torch.tensor([[0, 0], [1, 1]])])
    x = torch.tensor([[own, other, math.sqrt(rest)]])
    found = loss(x, torch.tensor([0]), torch.tensor([0]))[0].item()
    level = math.log(3)  # one class of its own against two of the other
    if out == 1:
        assert found == pytest.approx(level, abs=1e-4)
    else:
        assert (found < level) == (out < 1)


def test_beyond_the_cut_off_other_identities_say_nothing():
    loss = ViewpointAwareLoss(2, torch.ones(2, 2).bool(), margin=0.5)
    with torch.no_grad():
        loss.centres.copy_(torch.tensor([[[1.0, 0.0], [1.0, 0.1]], [[-1.0, 1.0], [-1.0, -3.0]]]))
    x = torch.tensor([[1.0, 0.0]])  # cosines -0.71 and -0.32 to the other identity
    found, _ = loss(x, torch.tensor([0]), torch.tensor([1]))
    found.backward()
    assert not loss.centres.grad[1, 0].any()
    assert loss.centres.grad[1, 1].any()


@pytest.mark.parametrize("boundary", [True, False])
def test_classes_without_images_are_not_there(boundary):
    loss, embeddings, *labels = draw(0, 4, whole=False, boundary=boundary)
    unseen = ~loss.shown
    assert unseen.any()
    before = loss(embeddings, *labels)
    for each in before:
        (gradient,) = torch.autograd.grad(each, loss.centres, retain_graph=True)
        assert not gradient[unseen].any()
        assert gradient.any()
    with torch.no_grad():
        loss.centres[unseen] = torch.randn(int(unseen.sum()), DIMENSION)
    assert torch.equal(torch.stack(loss(embeddings, *labels)), torch.stack(before))


def test_an_identity_of_one_class_has_a_constant_in_equation_5():
    loss, embeddings, *labels = draw(1, 3, whole=False)
    loss.shown[2:] = False
    _, found = loss(embeddings, *labels)
    first = sum(cosine(*loss.centres[0, [k, l]]) for k in range(3) for l in range(3))  # noqa: E741
    torch.testing.assert_close(found, -(first + 1) / 3)
    (gradient,) = torch.autograd.grad(found, loss.centres)
    assert gradient[1].abs().max() < 1e-6 < 0.1 < gradient[0].abs().max()


@settings(max_examples=25)
@given(
    seed=st.integers(0, 1000),
    whole=st.booleans(),
    boundary=st.booleans(),
    low=st.floats(1e-4, 1),
    high=st.floats(1, 1e4),
)
def test_lengths_and_the_order_of_identities_do_not_matter(seed, whole, boundary, low, high):
    loss, embeddings, identities, viewpoints = draw(seed, 3, whole, boundary=boundary)
    expected = loss(embeddings, identities, viewpoints)
    random = torch.Generator().manual_seed(seed)
    order = torch.randperm(IDENTITIES, generator=random)
    scales = low + (high - low) * torch.rand(IDENTITIES, 3, 1, generator=random)
    other = ViewpointAwareLoss(DIMENSION, loss.shown[order], scale=loss.scale, boundary=boundary)
    with torch.no_grad():
        other.centres.copy_((loss.centres * scales)[order])
    stretched = embeddings * (low + (high - low) * torch.rand(BATCH, 1, generator=random))
    found = other(stretched, order.argsort()[identities], viewpoints)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("boundary", [True, False])
def test_mixed_precision_computes_in_float32(boundary):
    random = torch.Generator().manual_seed(0)
    loss = ViewpointAwareLoss(64, torch.ones(50, 2).bool(), boundary=boundary)
    with torch.no_grad():
        loss.centres.copy_(torch.randn(50, 2, 64, generator=random) / 8)
    identities, viewpoints = torch.arange(16), torch.arange(16) % 2
    near = loss.centres.detach()[identities, viewpoints]
    embeddings = (near + torch.randn(16, 64, generator=random) / 4).requires_grad_()
    leaves = (embeddings, loss.centres)
    plain = loss(embeddings, identities, viewpoints)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = loss(embeddings, identities, viewpoints)
        half = loss(embeddings.bfloat16(), identities, viewpoints)
    assert {each.dtype for each in (*mixed, *half)} == {torch.float32}
    assert plain[0] > 0.1
    torch.testing.assert_close(mixed, plain)
    torch.testing.assert_close(half, plain, rtol=0.05, atol=0.05)
    ours, theirs = (torch.autograd.grad(sum(pair), leaves) for pair in (mixed, plain))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("boundary", [True, False])
def test_zero_vectors_have_a_finite_and_modest_gradient(boundary):
    loss, embeddings, *labels = draw(3, 2, boundary=boundary)
    with torch.no_grad():
        embeddings[0] = 0
        loss.centres[labels[0][1], labels[1][1]] = 0
    found = loss(embeddings, *labels)
    assert torch.stack(found).isfinite().all()
    for gradient in torch.autograd.grad(sum(found), (embeddings, loss.centres)):
        assert gradient.abs().max() < 100


def test_centres_are_learned_and_come_together():
    loss, embeddings, *labels = draw(5, 2)
    before = reunion(loss).item()
    for _ in range(50):
        (gradient,) = torch.autograd.grad(sum(loss(embeddings, *labels)), loss.centres)
        with torch.no_grad():
            loss.centres -= 0.2 * gradient
    assert reunion(loss).item() < before - 1
    assert reunion(loss).item() == pytest.approx(-4.0 * IDENTITIES, abs=0.5)


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (torch.ones(3, 1), "at least 2 viewpoint classes, here is 1.*softmax"),
        (torch.eye(2), "no identity of 2 has training images of two.*softmax"),
    ],
)
def test_viewpoints_have_to_divide_identities(shown, told):
    with pytest.raises(InputError, match=told):
        require_divided(shown.bool())
    with pytest.raises(InputError, match=told):
        ViewpointAwareLoss(4, shown.bool())

import torch

from reid.losses.part_regularised import PartRegularisedLoss


def plain_loss(global_scores, part_scores, visible, identities, weights, smoothing):
    def cross_entropy(scores, label):
        exponentials = [torch.exp(score) for score in scores]
        logs = [torch.log(value / sum(exponentials)) for value in exponentials]
        spread = sum(logs) / len(logs)
        return -((1 - smoothing) * logs[label] + smoothing * spread)

    labels = identities.tolist()
    total = sum(cross_entropy(s, y) for s, y in zip(global_scores, labels, strict=True)) / len(
        labels
    )
    parts = torch.zeros((), dtype=global_scores.dtype)
    for part, weight in enumerate(weights):
        seen = [i for i in range(len(labels)) if visible[i, part]]
        if seen:
            terms = [cross_entropy(part_scores[i, part], labels[i]) for i in seen]
            parts = parts + weight * sum(terms) / len(seen)
    return total, parts


def draw(seed, batch=5, parts=3, identities=4):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(batch, identities, generator=generator, requires_grad=True)
    part_scores = torch.randn(batch, parts, identities, generator=generator, requires_grad=True)
    visible = torch.rand(batch, parts, generator=generator) < 0.6
    visible[:, -1] = False
    return scores, part_scores, visible, torch.randint(identities, (batch,), generator=generator)


def test_value_and_gradient_agree_with_equation_3_written_out():
    for seed, smoothing in ((0, 0.0), (1, 0.1)):
        scores, part_scores, visible, identities = draw(seed)
        weights = [1.0, 0.5, 2.0]
        mine = PartRegularisedLoss(weights, smoothing)(scores, part_scores, visible, identities)
        plain = plain_loss(scores, part_scores, visible, identities, weights, smoothing)
        for left, right in zip(mine, plain, strict=True):
            torch.testing.assert_close(left, right)
        inputs = (scores, part_scores)
        for left, right in zip(
            torch.autograd.grad(sum(mine), inputs),
            torch.autograd.grad(sum(plain), inputs),
            strict=True,
        ):
            torch.testing.assert_close(left, right)


def test_a_hidden_part_gets_no_gradient():
    scores, part_scores, visible, identities = draw(2)
    _, parts = PartRegularisedLoss([1.0] * 3)(scores, part_scores, visible, identities)
    (gradient,) = torch.autograd.grad(parts, part_scores)
    assert gradient[~visible].abs().max() == 0
    assert gradient[visible].abs().min() > 0


def test_without_parts_only_the_global_term_is_left():
    scores, _, _, identities = draw(3)
    whole, parts = PartRegularisedLoss([])(
        scores, torch.zeros(5, 0, 4), torch.zeros(5, 0, dtype=torch.bool), identities
    )
    assert parts == 0
    torch.testing.assert_close(whole, torch.nn.functional.cross_entropy(scores, identities))

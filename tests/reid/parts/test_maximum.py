import pytest
import torch

from reid.parts.maximum import maximum_over_parts
from reid.parts.projection import mark_cells


def draw(seed, batch=3, channels=5, slots=7, num_parts=4, grid=(6, 8)):
    random = torch.Generator().manual_seed(seed)
    features = torch.randn(batch, channels, *grid, generator=random)
    boxes = torch.rand(batch, slots, 2, 2, generator=random).sort(2).values.flatten(2)
    # Some end on borders of cells, and some beyond the image.
    boxes[0] = (boxes[0] * 8).round() / 8
    boxes[1] = boxes[1] * 1.6 - 0.3
    parts = torch.randint(-1, num_parts, (batch, slots), generator=random)
    parts[2] = parts[2].clamp(max=1)
    return features, boxes, parts, num_parts


def plain(features, boxes, parts, num_parts):
    """Equation (2) with loops, over the cells that the projection marks."""
    cells = mark_cells(boxes, parts, num_parts, features.shape[2:])
    images = []
    for feature, marked in zip(features, cells, strict=True):
        rows = []
        for region in marked:
            places = region.nonzero().tolist()
            rows.append(
                torch.stack([max(channel[r, c] for r, c in places) for channel in feature])
                if places
                else torch.zeros(len(feature))
            )
        images.append(torch.stack(rows))
    return torch.stack(images), cells.flatten(2).any(2)


@pytest.mark.parametrize("seed", range(4))
def test_value_and_gradient_agree_with_loops(seed):
    features, boxes, parts, num_parts = draw(seed)
    features.requires_grad_()
    vectors, visible = maximum_over_parts(features, boxes, parts, num_parts)
    expected, seen = plain(features, boxes, parts, num_parts)
    assert torch.equal(visible, seen)
    assert not visible.all()
    assert torch.equal(vectors, expected)
    weights = torch.randn(vectors.shape, generator=torch.Generator().manual_seed(seed))
    gradients = [
        torch.autograd.grad((made * weights).sum(), features)[0] for made in (vectors, expected)
    ]
    torch.testing.assert_close(*gradients)


def test_the_whole_image_is_the_plain_maximum():
    features = torch.randn(2, 9, 4, 4)
    boxes = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(2, 1, 4)
    vectors, _ = maximum_over_parts(features, boxes, torch.zeros(2, 1, dtype=torch.long), 1)
    assert torch.equal(vectors[:, 0], features.amax((2, 3)))


def test_order_of_boxes_does_not_matter():
    features, boxes, parts, num_parts = draw(5)
    one = maximum_over_parts(features, boxes, parts, num_parts)
    other = maximum_over_parts(features, boxes.flip(1), parts.flip(1), num_parts)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_images_without_boxes_are_zero_and_keep_a_gradient():
    features = torch.randn(2, 3, 4, 4, requires_grad=True)
    for slots in (0, 2):
        parts = torch.full((2, slots), -1)
        vectors, visible = maximum_over_parts(features, torch.rand(2, slots, 4), parts, 5)
        assert vectors.shape == (2, 5, 3)
        assert not vectors.any()
        assert not visible.any()
        vectors.sum().backward()
    assert features.grad is not None
    assert not features.grad.any()


def test_bf16_in_any_memory_order_is_float32s():
    features, boxes, parts, num_parts = draw(6)
    half = features.bfloat16()
    expected, _ = maximum_over_parts(half.float(), boxes, parts, num_parts)
    for given in (half, half.to(memory_format=torch.channels_last)):
        vectors, _ = maximum_over_parts(given, boxes, parts, num_parts)
        assert vectors.dtype == torch.bfloat16
        assert torch.equal(vectors.float(), expected)

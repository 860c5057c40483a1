import pytest
import torch

from reid.data.augment import Augment
from reid.parts.located import Located
from reid.recipe import AugmentSettings

SIZE = (64, 96)


def located(boxes, parts):
    return Located.by_boxes(boxes, torch.tensor(parts))


def image_with(box):
    """A black image whose box, a fraction of it, is white."""
    image = torch.zeros(3, *SIZE, dtype=torch.uint8)
    x1, y1, x2, y2 = (box * torch.tensor([96, 64, 96, 64])).round().int().tolist()
    image[:, y1:y2, x1:x2] = 255
    return image


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("settings", "slack"),
    [
        (AugmentSettings(flip=1.0), 0.5),
        (AugmentSettings(flip=0.5, pad=12), 0.5),
        (AugmentSettings(flip=0.5, zoom=0.2), 1.5),
        (AugmentSettings(flip=0.5, pad=8, zoom=0.1, rotate=10.0), 2.5),
    ],
)
def test_the_box_stays_around_what_it_was_drawn_around(settings, slack, seed):
    torch.manual_seed(seed)
    box = torch.tensor([0.25, 0.25, 0.5, 0.75])
    augment = Augment(settings, SIZE, (0,))
    # Padding is grey 128; only the white rectangle is above 200.
    image, (boxes, parts, _) = augment(image_with(box), located(box[None], [0]))
    rows, columns = torch.nonzero(image[0] > 200, as_tuple=True)
    assert parts.tolist() == [0]
    edges = boxes[0] * torch.tensor([96, 64, 96, 64])
    found = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert (edges - found).abs().max() <= slack
    assert image.shape == (3, *SIZE)
    assert image.dtype == torch.uint8


def test_mirroring_swaps_left_and_right():
    augment = Augment(AugmentSettings(flip=1.0), SIZE, (1, 0, 2))
    boxes = torch.tensor([[0.0, 0.0, 0.25, 0.5], [0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    image = torch.randint(0, 255, (3, *SIZE), dtype=torch.uint8)
    mirrored, (moved, parts, _) = augment(image, located(boxes, [0, 2, -1]))
    assert parts.tolist() == [1, 2, -1]
    torch.testing.assert_close(moved[0], torch.tensor([0.75, 0.0, 1.0, 0.5]))
    assert torch.equal(mirrored, image.flip(2))


def test_a_box_cropped_away_is_out_of_sight():
    augment = Augment(AugmentSettings(flip=0.0, pad=40), SIZE, (0, 1))
    boxes = torch.tensor([[0.0, 0.0, 0.05, 0.05], [0.3, 0.3, 0.7, 0.7]])
    image = torch.zeros(3, *SIZE, dtype=torch.uint8)
    seen = set()
    for seed in range(40):
        torch.manual_seed(seed)
        _, (moved, parts, _) = augment(image, located(boxes, [0, 1]))
        seen.add(int(parts[0]))
        assert moved.min() >= 0
        assert moved.max() <= 1
    assert seen == {-1, 0}


def test_every_change_of_pixels_leaves_boxes_alone():
    torch.manual_seed(0)
    settings = AugmentSettings(flip=0.0, colour=0.5, blur=1.0, erase=1.0)
    image = torch.randint(0, 255, (3, *SIZE), dtype=torch.uint8)
    boxes = torch.tensor([[0.25, 0.25, 0.5, 0.75]])
    changed, (same, parts, _) = Augment(settings, SIZE, (0,))(image, located(boxes, [0]))
    assert not torch.equal(changed, image)
    torch.testing.assert_close(same, boxes)
    assert parts.tolist() == [0]

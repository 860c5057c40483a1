import torch

from reid.parts.areas import as_ratios, part_areas
from reid.parts.located import Located


def test_areas_are_those_of_a_plain_loop():
    random = torch.Generator().manual_seed(0)
    corners = torch.rand(5, 7, 2, 2, generator=random).sort(2).values * 1.4 - 0.2
    boxes, parts = corners.flatten(2), torch.randint(-1, 4, (5, 7), generator=random)
    expected = torch.zeros(5, 4)
    for image in range(5):
        for box in range(7):
            if (part := int(parts[image, box])) >= 0:
                x1, y1, x2, y2 = (min(max(float(v), 0.0), 1.0) for v in boxes[image, box])
                expected[image, part] += (x2 - x1) * (y2 - y1)
    where = Located.by_boxes(boxes, parts)
    torch.testing.assert_close(part_areas(where, 4), expected)
    assert part_areas(where, 4).max() <= 7
    assert part_areas(Located.nowhere(5), 4).eq(0).all()
    assert part_areas(Located.nowhere(5), 0).shape == (5, 0)


def test_areas_of_masks_are_their_sums_and_ratios_sum_to_one():
    masks = torch.zeros(3, 2, 4, 4, dtype=torch.uint8)
    masks[0, 0, :2], masks[0, 1, 2:, :2], masks[1, 0, 0, 0] = 255, 255, 51
    areas = part_areas(Located.nowhere(3)._replace(masks=masks), 2)
    torch.testing.assert_close(areas, torch.tensor([[0.5, 0.25], [0.2 / 16, 0], [0, 0]]))
    ratios = as_ratios(areas)
    torch.testing.assert_close(ratios, torch.tensor([[2 / 3, 1 / 3], [1, 0], [0, 0]]))

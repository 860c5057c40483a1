import torch

from reid.parts.areas import part_areas


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
    torch.testing.assert_close(part_areas(boxes, parts, 4), expected)
    assert part_areas(boxes, parts, 4).max() <= 7
    assert part_areas(boxes[:, :0], parts[:, :0], 4).eq(0).all()
    assert part_areas(boxes, parts.fill_(-1), 0).shape == (5, 0)

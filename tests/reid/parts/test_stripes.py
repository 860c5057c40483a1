import pytest
import torch

from reid.parts.masked import average_under_masks
from reid.parts.stripes import average_over_stripes


@pytest.mark.parametrize(("rows", "count"), [(12, 4), (12, 5), (7, 3), (3, 3), (8, 1), (5, 0)])
def test_stripes_are_those_of_a_plain_loop(rows, count):
    maps = torch.randn(2, 6, rows, 4, generator=torch.Generator().manual_seed(0))
    maps.requires_grad_(True)
    found = average_over_stripes(maps, count)
    assert found.shape == (2, count, 6)
    owner = [row * count // rows for row in range(rows)] if count else []
    assert sorted(set(owner)) == list(range(count))  # every stripe has a row, and a row one stripe
    expected = []
    for image in range(2):
        for stripe in range(count):
            mine = [maps[image, :, row, c] for row in range(rows) if count
                    and owner[row] == stripe for c in range(4)]  # fmt: skip
            expected.append(sum(mine) / len(mine))
    if not count:
        return
    plain = torch.stack(expected).view(2, count, 6)
    torch.testing.assert_close(found, plain)
    weights = torch.randn_like(plain)
    gradients = [torch.autograd.grad((each * weights).sum(), maps, retain_graph=True)[0]
                 for each in (found, plain)]  # fmt: skip
    torch.testing.assert_close(*gradients)


def test_four_even_stripes_are_the_quarters_of_the_map():
    maps = torch.arange(8.0).view(1, 1, 8, 1)
    assert average_over_stripes(maps, 4).flatten().tolist() == [0.5, 2.5, 4.5, 6.5]
    assert average_over_stripes(maps.bfloat16(), 4).dtype == torch.bfloat16


def test_a_view_is_the_mean_of_the_map_weighed_by_its_mask():
    random = torch.Generator().manual_seed(0)
    maps = torch.randn(3, 5, 4, 4, generator=random, requires_grad=True)
    masks = torch.randint(0, 256, (3, 2, 8, 8), generator=random, dtype=torch.uint8)
    masks[1, 0] = 0
    found, visible = average_under_masks(maps, masks)
    assert visible.tolist() == [[True, True], [False, True], [True, True]]
    for image in range(3):
        for view in range(2):
            total, weight = torch.zeros(5), 0.0
            for row in range(4):
                for column in range(4):
                    square = masks[image, view, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
                    total = total + square.float().mean() * maps[image, :, row, column]
                    weight += float(square.float().mean())
            expected = total / weight if weight else total
            torch.testing.assert_close(found[image, view], expected)

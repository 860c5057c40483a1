"""SPAN's equations (1) to (3), value and gradient, against plain loops over images and cells."""

from itertools import combinations

import pytest
import torch

from reid.losses.area_constraint import area_constraint, largest_areas
from reid.losses.mask_reconstruction import mask_reconstruction
from reid.losses.spatial_diversity import overlap_margins, spatial_diversity

VIEWS = ("front", "rear", "side")
LABELS = torch.tensor([[1, 0, 0], [1, 0, 1], [0, 1, 1], [0, 0, 1]], dtype=torch.bool)


@pytest.fixture
def masks():
    random = torch.Generator().manual_seed(1)
    return torch.rand(4, 3, 5, 6, generator=random, dtype=torch.float64).requires_grad_()


@pytest.fixture
def foreground():
    random = torch.Generator().manual_seed(2)
    return (torch.rand(4, 5, 6, generator=random) > 0.4).double()


def same(found, expected, masks):
    torch.testing.assert_close(found, expected)
    ours = torch.autograd.grad(found.sum(), masks, retain_graph=True)[0]
    plain = torch.autograd.grad(expected.sum(), masks)[0]
    torch.testing.assert_close(ours, plain)
    assert ours.abs().sum() > 0


def test_reconstruction_is_the_mean_square_of_what_visible_masks_leave(masks, foreground):
    expected = []
    for image in range(4):
        total = masks.new_zeros(())
        for row in range(5):
            for column in range(6):
                made = masks.new_zeros(())
                for view in range(3):
                    if LABELS[image, view]:
                        made = made + masks[image, view, row, column]
                total = total + (foreground[image, row, column] - made) ** 2
        expected.append(total / 30)
    same(mask_reconstruction(foreground, masks, LABELS), torch.stack(expected), masks)


def test_areas_are_limited_by_how_many_views_are_visible(masks, foreground):
    largest = largest_areas(LABELS, 0.7)
    assert largest.tolist() == [
        pytest.approx(row) for row in ([1, 0, 0], [0.7, 0, 0.7], [0, 0.7, 0.7], [0, 0, 1])
    ]
    expected = []
    for image in range(4):
        total = masks.new_zeros(())
        for view in range(3):
            ratio = masks[image, view].sum() / foreground[image].sum()
            over = ratio - float(largest[image, view])
            if over > 0:
                total = total + over
        expected.append(total)
    same(area_constraint(foreground, masks, largest.double()), torch.stack(expected), masks)


def test_views_overlap_by_no_more_than_their_margin(masks):
    margins = overlap_margins(VIEWS, [("rear", "front")], 0.04)
    assert margins.tolist() == pytest.approx([0, 0.04, 0.04])
    expected = []
    for image in range(4):
        total = masks.new_zeros(())
        for pair, (one, other) in enumerate(combinations(range(3), 2)):
            shared = masks.new_zeros(())
            for row in range(5):
                for column in range(6):
                    shared = (
                        shared + masks[image, one, row, column] * masks[image, other, row, column]
                    )
            over = shared / 30 - float(margins[pair])
            if over > 0:
                total = total + over
        expected.append(total)
    same(spatial_diversity(masks, margins.double()), torch.stack(expected), masks)


def test_true_masks_cost_nothing_and_the_collapsed_ones_of_figure_6_do(foreground):
    """One generator for both views, and both with half of it everywhere."""
    left = torch.zeros_like(foreground)
    left[:, :, :3] = 1
    labels = torch.tensor([[1, 0, 1]] * 4, dtype=torch.bool)
    nothing = torch.zeros_like(foreground)
    true = torch.stack([foreground * left, nothing, foreground * (1 - left)], 1)
    whole = torch.stack([foreground, nothing, nothing], 1)
    halves = torch.stack([foreground / 2, nothing, foreground / 2], 1)
    largest = largest_areas(labels, 0.7).double()
    margins = overlap_margins(VIEWS, [("front", "rear")], 0.04).double()
    for masks in (true, whole, halves):
        assert mask_reconstruction(foreground, masks, labels).max() < 1e-12
    assert area_constraint(foreground, true, largest).max() < 0.05
    assert area_constraint(foreground, whole, largest).min() > 0.29
    assert spatial_diversity(true, margins).max() == 0
    assert spatial_diversity(halves, margins).min() > 0

"""Nearest rows against sorting all distances in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reid.reranking import neighbours
from reid.reranking.neighbours import find_neighbours
from reid.reranking.squares import Squares


def lattice(random: torch.Generator) -> Tensor:
    """Rows of which many are equally near."""
    return torch.randint(-3, 4, (900, 6), generator=random).float()


def nearly_equal(random: torch.Generator) -> Tensor:
    """Rows whose distances from another differ by less than float32 can tell."""
    rows = torch.nn.functional.normalize(torch.randn(900, 64, generator=random))
    rows[450:] = rows[:450].roll(1, 1).roll(7, 0)
    return rows.add_(1e-6 * torch.randn(900, 64, generator=random))


def collapsed(random: torch.Generator) -> Tensor:
    """Rows of which more are equal than neighbours are kept."""
    return torch.randn(4, 16, generator=random)[torch.randint(4, (900,), generator=random)]


@pytest.mark.parametrize("count", [1, 21, 899, 2_000])
@pytest.mark.parametrize("tile", [2_048, 301])
@pytest.mark.parametrize("make", [lattice, nearly_equal, collapsed])
def test_neighbours_are_those_of_a_sort_in_float64(make, tile, count, monkeypatch):
    monkeypatch.setattr(neighbours, "_TILE", tile)
    rows = make(torch.Generator().manual_seed(0))
    exact = rows.double()
    distance = torch.stack([(exact - row).square().sum(1) for row in exact])
    expected = distance.sort(dim=1, stable=True)
    found = find_neighbours(Squares(rows.clone()), count)
    torch.testing.assert_close(found.index, expected.indices[:, :count], rtol=0, atol=0)

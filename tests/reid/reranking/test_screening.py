"""Neighbours by coarse products against those by float32 products and by float64 distances."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from reid.reranking import neighbours, screening
from reid.reranking.coarse import CoarseSquares
from reid.reranking.neighbours import find_neighbours
from reid.reranking.squares import Squares

SIZE, WIDTH = 700, 48


def spread(random: torch.Generator) -> Tensor:
    return torch.randn(SIZE, WIDTH, generator=random)


def clustered(random: torch.Generator) -> Tensor:
    centres = torch.randn(40, WIDTH, generator=random)
    return centres[torch.randint(40, (SIZE,), generator=random)] + 0.3 * spread(random)


def tied(random: torch.Generator) -> Tensor:
    """Rows of which many are equally near."""
    return torch.randint(-1, 2, (SIZE, WIDTH), generator=random).float()


def nearly_tied(random: torch.Generator) -> Tensor:
    """Every row beside nine that differ by less than float32 products can tell."""
    return spread(random)[: SIZE // 10].repeat(10, 1) + 1e-6 * spread(random)


def offset(random: torch.Generator) -> Tensor:
    """Rows far from the origin, and one far from all others."""
    rows = 300 + spread(random)
    rows[5] += 30
    return rows


def collapsed(random: torch.Generator) -> Tensor:
    """Rows of three kinds."""
    return spread(random)[torch.randint(3, (SIZE,), generator=random)]


MAKERS = [spread, clustered, tied, nearly_tied, offset, collapsed]


def distances(rows: Tensor) -> Tensor:
    exact = rows.double()
    return torch.stack([(exact - row).square().sum(1) for row in exact])


@pytest.mark.parametrize("most", [screening._MOST, 10**6])
@pytest.mark.parametrize("tile", [2_048, 301])
@pytest.mark.parametrize("make", MAKERS)
def test_both_ways_find_the_same(make, tile, most, monkeypatch):
    monkeypatch.setattr(neighbours, "_TILE", tile)
    monkeypatch.setattr(screening, "_MOST", most)
    rows = make(torch.Generator().manual_seed(0))
    found = []
    for coarse in (True, False):
        monkeypatch.setattr(neighbours, "_screens", lambda *_, coarse=coarse: coarse)
        found.append(find_neighbours(Squares(rows.clone()), 21))
    distance = distances(rows)
    expected = distance.sort(dim=1, stable=True).indices[:, :21]
    scale = Squares(rows.clone()).scale
    for one in found:
        torch.testing.assert_close(one.index, expected, rtol=0, atol=0)
        farthest = distance.amax(1) * scale**2
        torch.testing.assert_close(one.farthest.double(), farthest, rtol=2e-6, atol=0)


@pytest.mark.parametrize("tile", [2_048, 301])
@pytest.mark.parametrize(
    ("make", "worth_it"), [(spread, True), (clustered, True), (offset, True), (collapsed, False)]
)
def test_gives_up_only_where_rows_are_too_much_alike(make, worth_it, tile):
    squares = Squares(make(torch.Generator().manual_seed(1)))
    blocks = [slice(start, min(start + tile, SIZE)) for start in range(0, SIZE, tile)]
    assert (screening.screened(squares, blocks, 9) is not None) == worth_it


def test_what_is_too_far_is_forgotten_on_the_way():
    numbers = torch.rand(SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    numbers = numbers + numbers.T
    smallest = screening._Smallest(SIZE, 1, 2)
    blocks = [slice(start, start + 50) for start in range(0, SIZE, 50)]
    held = []
    for number, rows in enumerate(blocks):
        for columns in blocks[number:]:
            tile = numbers[rows, columns].contiguous()
            smallest.add(rows, columns, tile, tile)
            held.append(sum(len(found[0]) for found in smallest._found))
    assert min(after - before for before, after in pairwise(held)) < 0
    assert max(held) <= 2 * SIZE
    assert not smallest.many
    row, column = smallest.pairs()
    assert column[row.argsort()].tolist() == numbers.argmin(1).tolist()


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e15])
@pytest.mark.parametrize("make", MAKERS)
def test_true_distances_are_within_bounds(make, scale):
    rows = make(torch.Generator().manual_seed(3)) * scale
    squares = Squares(rows.clone())
    coarse = CoarseSquares(squares)
    exact = distances(rows.double() * squares.scale)
    lower, upper = coarse.bounds(slice(None), slice(None))
    assert (lower <= exact).all()
    assert (exact <= upper).all()
    assert (upper - lower).max() <= 0.06 * squares.norms.max()

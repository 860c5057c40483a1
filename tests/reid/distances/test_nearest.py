import numpy as np
import pytest
import torch

from annotations.errors import InputError
from reid.distances import nearest
from reid.reranking.k_reciprocal import k_reciprocal
from reid.reranking.measured import Cosines


@pytest.mark.parametrize("block", [1, 2**22])
@pytest.mark.parametrize("top", [1, 7, 90])
def test_finds_what_sorting_all_exact_values_finds(top, block, monkeypatch):
    monkeypatch.setattr(nearest, "_BLOCK", block)
    rows = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32)
    for made in (k_reciprocal(rows[:8], rows[8:], k1=6, k2=3), Cosines(rows[:8], rows[8:])):
        distances, items = nearest.search(made, top)
        assert distances.dtype == np.float32
        pairs = torch.cartesian_prod(torch.arange(8), torch.arange(52))
        exact, order = made.exact(*pairs.T).view(8, 52).sort(dim=1, stable=True)
        np.testing.assert_array_equal(items, order[:, :top])
        np.testing.assert_allclose(distances, exact[:, :top], rtol=1e-6)


def test_equal_items_come_in_the_gallery_s_order():
    rows = np.tile(np.eye(3, 4, dtype=np.float32) + 1, (5, 1))
    _, items = nearest.search(Cosines(rows[:1], rows), 5)
    assert items.tolist() == [[0, 3, 6, 9, 12]]


def test_nothing_to_find_is_refused():
    with pytest.raises(InputError, match="top must be at least 1"):
        nearest.search(Cosines(np.eye(2), np.eye(2)), 0)

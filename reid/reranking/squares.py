"""Squared distances among the rows of one matrix: of all pairs by products, of some exactly."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from annotations.errors import InputError
from reid.device import full_precision
from reid.distances import Distance, Embeddings, IndexedDistance, as_distance
from reid.distances.alike import UNIT, first_equal, require_one_width
from reid.distances.pairs import square_distances


def joined(
    query: Embeddings, gallery: Embeddings, distance: str | Distance
) -> tuple[Tensor, tuple[int, int]]:
    """Return prepared embeddings of both sides in one matrix, (Q + G, D), and Q and G.

    Squared Euclidean distances of the rows are those of the embeddings, or twice their cosine
    distances.

    Raises:
        InputError: an unknown distance or one between views, embeddings that cannot be compared, or
            embeddings of different dimensions.
    """
    by = as_distance(distance)
    if not isinstance(by, IndexedDistance):
        raise InputError(f"the {by.words} is not between single vectors, which this is defined for")
    queries = by.prepare(query, "query")
    items = by.prepare(gallery, "gallery").to(queries.device)
    require_one_width(queries, items)
    return torch.cat([queries, items]), (len(queries), len(items))


class Squares:
    """Squared distances among rows that are multiplied by ``scale``.

    Args:
        rows: float32, shape (N, D), prepared; overwritten.

    Attributes:
        scale: a power of two, which changes no digit and keeps squares from vanishing or
            growing beyond float32.
        device: where the rows are.
        centred: float32 (N, D), the rows less their mean, which changes no distance.
        norms: float32 (N,), the squared lengths of these.
    """

    def __init__(self, rows: Tensor) -> None:
        self._steady = math.sqrt(rows.shape[1])
        longest = float(torch.linalg.vector_norm(rows, torch.inf)) * self._steady
        self.scale = 2.0 ** -math.frexp(max(longest, 1e-30))[1]
        self.device = rows.device
        self._given = rows.mul_(self.scale)
        # Far from the origin |a|^2 + |b|^2 - 2ab would cancel.
        self.centred = rows - rows.mean(0)
        self.norms: Tensor = torch.linalg.vector_norm(self.centred, dim=1).square_()

    def __len__(self) -> int:
        return len(self._given)

    def tile(self, rows: Tensor | slice, columns: slice) -> Tensor:
        """Return all pairs of some rows and columns by |a|^2 + |b|^2 - 2ab: float32 (A, B).

        May be below zero by rounding.
        """
        one, other, norms = self.centred[rows], self.centred[columns], self.norms[columns]
        if self.device.type == "cpu":
            # OpenBLAS was up to 1.6 times as fast as the MKL that torch has, on a Zen 4 processor.
            tile = torch.from_numpy(one.numpy() @ other.numpy().T).mul_(-2).add_(norms)
        else:
            with full_precision(self.device):
                tile = torch.addmm(norms, one, other.T, alpha=-2)
        return tile.add_(self.norms[rows, None])

    def error(self, rows: Tensor | slice) -> Tensor:
        """Return how far tiles of some rows may be from `pairs`: float32, one a row.

        As in `reid.distances.squared`, for the farthest of all columns.
        """
        norm = self.norms[rows].sqrt()
        far = self.norms.max().sqrt()
        return UNIT * (8 * (norm + far).square() + 2 * self._steady * norm * far)

    def pairs(self, first: Tensor, second: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return the same numbers on every device, equal for equal rows: int64 (P,) to (P,).

        From differences of the rows as they were given, worked out in ``dtype``.
        """
        return square_distances(self._given, self._given, first, second, dtype=dtype)

    def alike(self) -> Tensor:
        """Return, for each row, the first row that equals it: int64 (N,)."""
        return first_equal(self._given)

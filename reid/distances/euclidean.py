"""The straight-line distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reid.distances.comparison import Comparison
from reid.distances.distance import Embeddings, IndexedDistance
from reid.distances.squared import Squared


class Euclidean(IndexedDistance):
    """The straight-line distance."""

    name = "euclidean"
    faiss_metric = "METRIC_L2"

    def pairwise(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.pairwise`."""
        # |a|^2 - 2ab + |b|^2 cancels badly far from the origin, so the origin moves to b's centre:
        # taken by way of a row, so that equal rows are exactly at the origin.
        row = b.detach()[0]
        centre = row + (b.detach() - row).mean(0)
        return torch.cdist(a - centre, b - centre, compute_mode="use_mm_for_euclid_dist")

    def between(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.between`."""
        return (a - b).square().sum(1).sqrt()

    def compare(self, query: Embeddings, gallery: Embeddings) -> Comparison:
        """See `Distance.compare`."""
        queries = self.check(query, "query")
        return Squared(queries, self.check(gallery, "gallery").to(queries.device))

    def from_faiss(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """See `IndexedDistance.from_faiss`; faiss returns squares."""
        distances: npt.NDArray[np.float32] = np.sqrt(np.maximum(scores, 0))
        return distances


EUCLIDEAN = Euclidean()

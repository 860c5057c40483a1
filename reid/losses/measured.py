"""Our distances for the standard losses and miners of pytorch-metric-learning."""

from __future__ import annotations

from typing import Any

from pytorch_metric_learning.distances import BaseDistance
from torch import Tensor

from reid.device import full_precision
from reid.distances.distance import Distance


class Measured(BaseDistance):  # type: ignore[misc]
    """One of our distances, by which a loss then mines and measures.

    Args:
        distance: by which embeddings are compared at test, too.
    """

    def __init__(self, distance: Distance, **options: Any) -> None:
        super().__init__(normalize_embeddings=False, **options)
        self.distance = distance

    def compute_mat(self, query_emb: Tensor, ref_emb: Tensor | None) -> Tensor:
        """Return the distances of all pairs, (Q, R)."""
        items = query_emb if ref_emb is None else ref_emb
        with full_precision(query_emb.device):
            return self.distance.pairwise(query_emb.float(), items.float())

    def pairwise_distance(self, query_emb: Tensor, ref_emb: Tensor) -> Tensor:
        """Return the distances of rows, (Q,)."""
        with full_precision(query_emb.device):
            return self.distance.between(query_emb.float(), ref_emb.float())

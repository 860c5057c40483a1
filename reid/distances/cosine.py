"""One minus the cosine of the angle between two embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from reid.distances.comparison import Comparison
from reid.distances.distance import Embeddings, IndexedDistance, refuse
from reid.distances.euclidean import EUCLIDEAN
from reid.distances.squared import Squared

SHORT = 1e-12
"""What torch's normalize takes for the length of shorter vectors."""


class Cosine(IndexedDistance):
    """One minus the cosine of the angle between two embeddings: 0 to 2."""

    name = "cosine"
    faiss_metric = "METRIC_INNER_PRODUCT"

    def pairwise(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.pairwise`."""
        # Half the squared chord is the same number, and exactly equal where embeddings are.
        return EUCLIDEAN.pairwise(F.normalize(a), F.normalize(b)).square() / 2

    def between(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.between`."""
        return EUCLIDEAN.between(F.normalize(a), F.normalize(b)).square() / 2

    def compare(self, query: Embeddings, gallery: Embeddings) -> Comparison:
        """See `Distance.compare`."""
        queries = self.check(query, "query")
        items = self.check(gallery, "gallery").to(queries.device)
        return Squared(queries, items, unit=True)

    def from_faiss(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """See `IndexedDistance.from_faiss`; faiss returns cosines."""
        return np.maximum(1 - scores, 0)

    def check(
        self, embeddings: Embeddings, name: str = "embeddings", rows: Sequence[str] | None = None
    ) -> Tensor:
        """Check as `Distance.check` does, and refuse vectors without a direction."""
        given = super().check(embeddings, name, rows)
        refuse(
            torch.linalg.vector_norm(given, dim=1).float() <= SHORT,
            f"{name}: row {{}} is all zeros, or nearly, which has no direction; use the Euclidean "
            "distance",
            rows,
        )
        return given

    def prepare(self, embeddings: Embeddings, name: str = "embeddings") -> Tensor:
        """Check as `check` does and scale to length one."""
        return F.normalize(super().prepare(embeddings, name))


COSINE = Cosine()

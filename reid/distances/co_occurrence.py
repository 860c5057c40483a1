"""The co-occurrence part-attentive distance (CPDM), SPAN, section 3.3."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reid.distances.co_occurring import CoOccurring
from reid.distances.comparison import Comparison
from reid.distances.distance import Embeddings, refuse
from reid.distances.euclidean import EUCLIDEAN
from reid.distances.viewed import Joined, ViewedDistance


class CoOccurrence(ViewedDistance):
    """How far apart images are in the views that both show.

    SPAN, equation (5): the sum over views i of w_i |f_a,i - f_b,i|, where by equation (4) w_i is
    AR_a,i AR_b,i, scaled so that weights sum to one. View 0 is the whole image, whose area ratio
    is 1 in the paper, so that where no part is common it alone decides. A view is whatever an
    image may show or not: SPAN's front, rear and side, or a part that a detector finds.

    An embedding is f_0 to f_V behind each other, then AR_0 to AR_V.
    """

    kind = "cpdm"
    words = "co-occurrence part-attentive distance"

    def pairwise(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.pairwise`."""
        return self._over_views(a, b, EUCLIDEAN.pairwise, torch.outer)

    def between(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.between`."""
        return self._over_views(a, b, EUCLIDEAN.between, torch.mul)

    def _over_views(self, a: Tensor, b: Tensor, measure: Joined, product: Joined) -> Tensor:
        """Return equation (5), given how features are measured and ratios multiplied."""
        pairs = list(zip(self.views(a), self.views(b), strict=True))
        apart = torch.stack([measure(one.features, other.features) for one, other in pairs])
        weights = torch.stack([product(one.ratios, other.ratios) for one, other in pairs])
        return (apart * weights).sum(0) / weights.sum(0)

    def compare(self, query: Embeddings, gallery: Embeddings) -> Comparison:
        """See `Distance.compare`."""
        queries = self.check(query, "query")
        items = self.check(gallery, "gallery").to(queries.device)
        return CoOccurring(self.views(queries), self.views(items))

    def check(
        self, embeddings: Embeddings, name: str = "embeddings", rows: Sequence[str] | None = None
    ) -> Tensor:
        """Check as `ViewedDistance.check` does, and that the whole has an area."""
        given = super().check(embeddings, name, rows)
        refuse(
            given[:, -len(self.widths)] <= 0,
            f"{name}: row {{}} has no area of the whole image, which decides where no view is "
            "common; it is 1 by definition",
            rows,
        )
        return given

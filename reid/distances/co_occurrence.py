"""The co-occurrence part-attentive distance (CPDM), SPAN, section 3.3."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from annotations.errors import InputError
from reid.distances.co_occurring import CoOccurring, View
from reid.distances.comparison import Comparison
from reid.distances.distance import Distance, Embeddings, refuse
from reid.distances.euclidean import EUCLIDEAN

NAME = "cpdm"


class CoOccurrence(Distance):
    """How far apart images are in the views that both show.

    SPAN, equation (5): the sum over views i of w_i |f_a,i - f_b,i|, where by equation (4) w_i is
    AR_a,i AR_b,i, scaled so that weights sum to one. View 0 is the whole image, whose area ratio
    is 1 in the paper, so that where no part is common it alone decides. A view is whatever an
    image may show or not: SPAN's front, rear and side, or a part that a detector finds.

    An embedding holds all of it in one row: f_0 to f_V behind each other, then AR_0 to AR_V.

    Args:
        widths: the numbers of dimensions of f_0 to f_V.

    Attributes:
        name: by which `reid.distances.distance_named` knows it, such as ``cpdm:512,512``.
        dimension: of an embedding.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        if not widths or min(widths) < 1:
            raise InputError(f"{NAME}: needs at least one dimension of each view, not {widths}")
        self.widths = tuple(widths)
        self.name = f"{NAME}:{','.join(map(str, widths))}"
        self.dimension = sum(widths) + len(widths)

    def views(self, embeddings: Tensor) -> list[View]:
        """Divide embeddings (N, D) into views: features (N, width) and area ratios (N,)."""
        ends = list(accumulate(self.widths))
        return [
            View(embeddings[:, end - width : end], embeddings[:, ends[-1] + number])
            for number, (width, end) in enumerate(zip(self.widths, ends, strict=True))
        ]

    def pairwise(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.pairwise`."""
        apart, weights = [], []
        for one, other in zip(self.views(a), self.views(b), strict=True):
            apart.append(EUCLIDEAN.pairwise(one.features, other.features))
            weights.append(one.ratios[:, None] * other.ratios)
        return _weighted(torch.stack(apart), torch.stack(weights))

    def between(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.between`."""
        apart, weights = [], []
        for one, other in zip(self.views(a), self.views(b), strict=True):
            apart.append(EUCLIDEAN.between(one.features, other.features))
            weights.append(one.ratios * other.ratios)
        return _weighted(torch.stack(apart), torch.stack(weights))

    def compare(self, query: Embeddings, gallery: Embeddings) -> Comparison:
        """See `Distance.compare`."""
        queries = self.check(query, "query")
        items = self.check(gallery, "gallery").to(queries.device)
        return CoOccurring(self.views(queries), self.views(items))

    def check(
        self, embeddings: Embeddings, name: str = "embeddings", rows: Sequence[str] | None = None
    ) -> Tensor:
        """Check as `Distance.check` does, and the dimensions and area ratios."""
        given = super().check(embeddings, name, rows)
        if given.shape[1] != self.dimension:
            raise InputError(
                f"{name}: {given.shape[1]} dimensions, where the distance {self.name} has "
                f"{self.dimension}: embeddings of two models"
            )
        ratios = given[:, -len(self.widths) :]
        refuse((ratios < 0).any(1), f"{name}: row {{}} has an area ratio below 0", rows)
        refuse(
            ratios[:, 0] <= 0,
            f"{name}: row {{}} has no area of the whole image, which decides where no view is "
            "common; it is 1 by definition",
            rows,
        )
        return given


def _weighted(apart: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of distances (V, ...) by weights of the same shape."""
    return (apart * weights).sum(0) / weights.sum(0)


def of_widths(text: str) -> CoOccurrence:
    """Return the distance of a name such as ``cpdm:512,128,128``.

    Raises:
        InputError: it is not of that form.
    """
    _, _, widths = text.partition(":")
    try:
        return CoOccurrence([int(width) for width in widths.split(",")])
    except ValueError:
        raise InputError(
            f"distance '{text}': {NAME} is followed by the dimensions of its views, such as "
            f"{NAME}:512,512,512,512"
        ) from None

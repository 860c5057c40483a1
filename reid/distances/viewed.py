"""Embeddings that are made of views, each of which an image may show or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import ClassVar, NamedTuple

from torch import Tensor

from annotations.errors import InputError
from reid.distances.distance import Distance, Embeddings, refuse

Joined = Callable[[Tensor, Tensor], Tensor]
"""What becomes of two sides: of all pairs, or of each row and the same row of the other."""


class View(NamedTuple):
    """One view of N images.

    Attributes:
        features: (N, D) floating.
        ratios: (N,), how much of the view there is to be seen; 0 for one that is not.
    """

    features: Tensor
    ratios: Tensor


class ViewedDistance(Distance):
    """A distance between images that are given by views.

    An embedding holds all of them in one row: their features behind each other, then their ratios.

    Args:
        widths: the numbers of dimensions of the views.

    Attributes:
        kind: the first word of its name.
        name: by which `reid.distances.distance_named` knows it, such as ``cpdm:512,512``.
        dimension: of an embedding.
    """

    kind: ClassVar[str]

    def __init__(self, widths: Sequence[int]) -> None:
        if not widths or min(widths) < 1:
            raise InputError(f"{self.kind}: needs at least one dimension of each view")
        self.widths = tuple(widths)
        self.name = f"{self.kind}:{','.join(map(str, widths))}"
        self.dimension = sum(widths) + len(widths)

    def features(self, embeddings: Tensor) -> Tensor:
        """Return the features of all views, (N, sum of widths), without the ratios."""
        return embeddings[:, : sum(self.widths)]

    def views(self, embeddings: Tensor) -> list[View]:
        """Divide embeddings (N, D) into views: features (N, width) and ratios (N,)."""
        ends = list(accumulate(self.widths))
        return [
            View(embeddings[:, end - width : end], embeddings[:, ends[-1] + number])
            for number, (width, end) in enumerate(zip(self.widths, ends, strict=True))
        ]

    def check(
        self, embeddings: Embeddings, name: str = "embeddings", rows: Sequence[str] | None = None
    ) -> Tensor:
        """Check as `Distance.check` does, and the dimensions and ratios."""
        given = super().check(embeddings, name, rows)
        if given.shape[1] != self.dimension:
            raise InputError(
                f"{name}: {given.shape[1]} dimensions, where the distance {self.name} has "
                f"{self.dimension}: embeddings of two models"
            )
        ratios = given[:, -len(self.widths) :]
        refuse((ratios < 0).any(1), f"{name}: row {{}} has an area ratio below 0", rows)
        return given

"""What may be done to a ranking after the network: expansion, re-ranking, travel times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import Comparison, CoOccurrence, SharedCosine, distance_named
from reid.distances.cosine import COSINE
from reid.embedding import Embedded
from reid.reranking.expansion import expand_queries
from reid.reranking.k_reciprocal import k_reciprocal
from reid.reranking.measured import Cosines, Measured
from reid.reranking.priors import WithTravelTimes
from reid.reranking.travel_times import TravelTimes, require

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Refinement:
    """Steps that are taken in this order.

    Attributes:
        expand: query expansion by so many nearest images, where there are several cameras none
            of the query's own; 0 for none.
        rerank: k-reciprocal re-ranking.
        times: learned travel times; they need the cosine distance, or ``rerank``.
        k1: of `k_reciprocal`.
        k2: of `k_reciprocal`.
        weight: of `k_reciprocal`.
    """

    expand: int = 0
    rerank: bool = False
    times: TravelTimes | None = None
    k1: int = 20
    k2: int = 6
    weight: float = 0.3

    def __bool__(self) -> bool:
        return bool(self.expand or self.rerank or self.times)

    @property
    def words(self) -> str:
        """What is done, for people: empty for nothing."""
        said = []
        if self.expand:
            said.append(f"queries expanded by {self.expand} (of other cameras, where several are)")
        if self.rerank:
            said.append(f"k-reciprocal re-ranking (k1 {self.k1}, k2 {self.k2}, {self.weight:g})")
        return ", ".join(said + (["travel times"] if self.times else []))

    def check(self, distance: str, parts: Sequence[Images] = ()) -> None:
        """Check what can be checked before anything is embedded.

        Args:
            distance: what embeddings are compared by.
            parts: the images that will be compared.

        Raises:
            InputError: a distance between views, which none of this is defined for; travel times
                over distances that are no similarities; or images without cameras and times.
        """
        if self and distance.startswith(CoOccurrence.kind):
            raise InputError(
                "re-ranking, query expansion and travel times compare single vectors; compare "
                "views without them, or take other branches"
            )
        if self.times is None:
            return
        if not self.rerank and distance.partition(":")[0] not in (COSINE.name, SharedCosine.kind):
            raise InputError(
                f"travel times are weighed against similarities, and the {distance} distance has "
                "none: re-rank too, or train with the cosine distance"
            )
        for images in parts:
            require(images, "camera", "time")

    def expanded(self, query: Embedded, gallery: Embedded, distance: str) -> Vectors:
        """Return what is asked with: the queries' embeddings, expanded where that is wanted."""
        query, gallery, distance = single_vectors(query, gallery, distance)
        if not self.expand:
            return query.vectors
        cameras = [side.images.frame["camera"] for side in (query, gallery)]
        several = pd.concat(cameras).nunique() > 1
        return expand_queries(
            query.vectors,
            gallery.vectors,
            top=self.expand,
            distance=distance,
            query_cameras=cameras[0].tolist() if several else None,
            gallery_cameras=cameras[1].tolist() if several else None,
        )

    def measured(self, query: Embedded, gallery: Embedded, distance: str) -> Measured | None:
        """Return refined distances, or None where distances stay as they are.

        Raises:
            InputError: a number out of range, or travel times over distances that are no
                similarities.
        """
        if not self.rerank and self.times is None:
            return None
        query, gallery, distance = single_vectors(query, gallery, distance)
        asked = self.expanded(query, gallery, distance)
        looks: Measured
        if self.rerank:
            numbers = {"k1": self.k1, "k2": self.k2}
            looks = k_reciprocal(
                asked, gallery.vectors, **numbers, weight=self.weight, distance=distance
            )
        else:
            self.check(distance)
            looks = Cosines(asked, gallery.vectors)
        if self.times is None:
            return looks
        return WithTravelTimes(looks, self.times, query.images, gallery.images)

    def compare(self, query: Embedded, gallery: Embedded, distance: str) -> Comparison:
        """Return the refined comparison under a distance; errors as `measured`."""
        if not self:
            return distance_named(distance).compare(query.vectors, gallery.vectors)
        measured = self.measured(query, gallery, distance)
        if measured is not None:
            return measured
        asked = self.expanded(query, gallery, distance)
        _, kept, by = single_vectors(query, gallery, distance)
        return distance_named(by).compare(asked, kept.vectors)


def single_vectors(
    query: Embedded, gallery: Embedded, distance: str
) -> tuple[Embedded, Embedded, str]:
    """Return both sides as single vectors, and what compares these.

    What is compared over shared parts becomes one vector, with zeros for a part that is not shown:
    neighbourhoods and mean vectors are defined for those alone.
    """
    by = distance_named(distance)
    if not isinstance(by, SharedCosine):
        return query, gallery, distance
    numbers = sum(by.widths)
    one, other = (replace(side, vectors=side.vectors[:, :numbers]) for side in (query, gallery))
    return one, other, COSINE.name

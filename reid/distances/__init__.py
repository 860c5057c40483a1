"""Distances between embeddings: one class each, for training, evaluation and search alike."""

from __future__ import annotations

from annotations.errors import InputError, suggest
from reid.distances.co_occurrence import NAME, CoOccurrence, of_widths
from reid.distances.comparison import Comparison
from reid.distances.cosine import COSINE
from reid.distances.distance import Distance, Embeddings, IndexedDistance
from reid.distances.euclidean import EUCLIDEAN

__all__ = [
    "DISTANCES",
    "CoOccurrence",
    "Comparison",
    "Distance",
    "Embeddings",
    "IndexedDistance",
    "distance_named",
]

DISTANCES: dict[str, Distance] = {each.name: each for each in (EUCLIDEAN, COSINE)}
"""Those that every embedding can be compared by; CPDM's embeddings have views, see `of_widths`."""


def distance_named(name: str) -> Distance:
    """Return the distance called ``name``: one of `DISTANCES`, or such as ``cpdm:512,128``.

    Raises:
        InputError: there is none of that name.
    """
    if name.startswith(f"{NAME}:"):
        return of_widths(name)
    if name not in DISTANCES:
        raise InputError(f"no distance '{name}'; {suggest(name, DISTANCES)}")
    return DISTANCES[name]

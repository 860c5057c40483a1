"""Distances between embeddings: one class each, for training, evaluation and search alike."""

from __future__ import annotations

from annotations.errors import InputError, suggest
from reid.distances.co_occurrence import CoOccurrence
from reid.distances.comparison import Comparison
from reid.distances.cosine import COSINE
from reid.distances.distance import Distance, Embeddings, IndexedDistance
from reid.distances.euclidean import EUCLIDEAN
from reid.distances.shared import SharedCosine
from reid.distances.viewed import ViewedDistance

__all__ = [
    "DISTANCES",
    "VIEWED",
    "CoOccurrence",
    "Comparison",
    "Distance",
    "Embeddings",
    "IndexedDistance",
    "SharedCosine",
    "ViewedDistance",
    "as_distance",
    "distance_named",
]

DISTANCES: dict[str, Distance] = {each.name: each for each in (EUCLIDEAN, COSINE)}
"""Those that every embedding can be compared by."""
VIEWED: dict[str, type[ViewedDistance]] = {each.kind: each for each in (CoOccurrence, SharedCosine)}
"""Those of embeddings that are made of views, whose widths follow in the name."""


def distance_named(name: str) -> Distance:
    """Return the distance called ``name``: one of `DISTANCES`, or such as ``cpdm:512,128``.

    Raises:
        InputError: there is none of that name.
    """
    kind, colon, widths = name.partition(":")
    if colon and kind in VIEWED:
        try:
            return VIEWED[kind]([int(width) for width in widths.split(",")])
        except ValueError:
            raise InputError(
                f"distance '{name}': the dimensions of its views follow, such as {kind}:512,512"
            ) from None
    if name not in DISTANCES:
        raise InputError(f"no distance '{name}'; {suggest(name, DISTANCES)}")
    return DISTANCES[name]


def as_distance(given: str | Distance) -> Distance:
    """Return a distance that was given by its name, or as itself, which may be one's own.

    Raises:
        InputError: there is none of that name.
    """
    return distance_named(given) if isinstance(given, str) else given

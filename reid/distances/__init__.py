"""Distances between embeddings: one class each, for training, evaluation and search alike."""

from __future__ import annotations

from annotations.errors import InputError, suggest
from reid.distances.comparison import Comparison
from reid.distances.cosine import COSINE
from reid.distances.distance import Distance, Embeddings
from reid.distances.euclidean import EUCLIDEAN

__all__ = ["DISTANCES", "Comparison", "Distance", "Embeddings", "distance_named"]

DISTANCES: dict[str, Distance] = {"euclidean": EUCLIDEAN, "cosine": COSINE}


def distance_named(name: str) -> Distance:
    """Return the distance called ``name``.

    Raises:
        InputError: there is none of that name.
    """
    if name not in DISTANCES:
        raise InputError(f"no distance '{name}'; {suggest(name, DISTANCES)}")
    return DISTANCES[name]

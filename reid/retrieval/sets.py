"""The distance between two sets of images, such as two tracks."""

from __future__ import annotations

from torch import Tensor

from reid.distances import Distance


def set_distance(distance: Distance, a: Tensor, b: Tensor) -> float:
    """Return how far two sets are from each other: prepared embeddings (N, D) and (M, D).

    The mean over one set's images of the distance to the nearest of the other's, and the same the
    other way round, averaged: the modified Hausdorff distance (Dubuisson and Jain 1994) with the
    mean of both directions for their maximum. One bad image counts for its share alone.
    """
    between = distance.pairwise(a, b)
    return float(between.amin(1).mean() + between.amin(0).mean()) / 2

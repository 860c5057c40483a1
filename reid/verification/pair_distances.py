"""How far apart two images are: as a whole, and in each part that both show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from reid.distances import Distance, distance_named
from reid.verification.described import Described
from reid.verification.features import Floats

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PairDistances:
    """Distances of P pairs.

    Attributes:
        whole: (P,) float64, of the embeddings.
        parts: (P, K) float64, of each part's vectors; NaN where not both images show the part.
    """

    whole: Floats
    parts: Floats


def pair_distances(
    described: Described, first: Rows, second: Rows, distance: Distance
) -> PairDistances:
    """Measure pairs of images, by the one distance that the recipe names.

    The distance of a part is that distance between the two images' vectors of the part
    (`reid.models.vectors.Vectors.parts`), for every method: of PRN the mean over the cells that the
    part's boxes overlap (its equation 2), of EIA-Net the maxima over its boxes (its equation 2).
    EIA-Net, section 3.2, too compares only parts that were found in both images. Parts' distances
    do not sum to the whole's, which other branches have a share in.

    Args:
        described: N images.
        first: (P,) rows of ``described``.
        second: (P,) rows of the images that these are compared with.
        distance: of parts, the recipe's; the whole is compared as its embedding says.
    """
    parts = part_distances(described.parts, described.visible, first, second, distance)
    return PairDistances(whole_distances(described, first, second), parts)


def whole_distances(described: Described, first: Rows, second: Rows) -> Floats:
    """Measure how far apart the embeddings of pairs are: (P,) float64; see `pair_distances`."""
    by = distance_named(described.embedded.distance)
    vectors = by.prepare(described.embedded.vectors)
    a, b = torch.from_numpy(first), torch.from_numpy(second)
    found: Floats = by.between(vectors[a], vectors[b]).double().cpu().numpy()
    return found


def part_distances(
    vectors: npt.NDArray[np.float32],
    visible: npt.NDArray[np.bool_],
    first: Rows,
    second: Rows,
    distance: Distance,
) -> Floats:
    """Measure how far apart each part of pairs of images is; see `pair_distances`.

    Args:
        vectors: (N, K, C), of each of the K parts of N images.
        visible: (N, K), which of them an image shows.
        first: (P,) rows.
        second: (P,) rows of the images that these are compared with.
        distance: the recipe's.

    Returns:
        (P, K) float64, NaN where not both images show the part.
    """
    a, b = torch.from_numpy(first), torch.from_numpy(second)
    parts = np.full((len(first), visible.shape[1]), np.nan)
    both = visible[first] & visible[second]
    for part, seen in enumerate(both.T):
        mine = torch.from_numpy(np.ascontiguousarray(vectors[:, part]))
        parts[seen, part] = distance.between(mine[a[seen]], mine[b[seen]]).double().numpy()
    return parts

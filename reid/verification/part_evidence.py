"""What the parts of two images say for their showing the same, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid.distances import Distance
from reid.verification.curve import Curve
from reid.verification.features import Floats
from reid.verification.pair_distances import Rows, part_distances


@dataclass(frozen=True)
class PartEvidence:
    """What is known of the parts of P pairs of images.

    It explains a match and is no vote: what images are ranked and judged by is the distance of
    their embeddings.

    Attributes:
        parts: the names of the K parts.
        distances: (P, K) float64, NaN for a part that is not seen in both images.
        says: likewise, the log-odds that each part's distance gives by itself (`Curve.say`): above
            0 for the same, below 0 against. NaN everywhere where there are no curves.
        seen: (P, K, 2) bool, whether the first and the second image show a part.
        curves: of each part, which a calibration has; None where the run has none.
    """

    parts: tuple[str, ...]
    distances: Floats
    says: Floats
    seen: npt.NDArray[np.bool_]
    curves: Mapping[str, Curve] | None

    def __len__(self) -> int:
        return len(self.distances)


def compare_parts(
    vectors: npt.NDArray[np.float32],
    visible: npt.NDArray[np.bool_],
    first: Rows,
    second: Rows,
    parts: tuple[str, ...],
    distance: Distance,
    curves: Mapping[str, Curve] | None,
) -> PartEvidence:
    """Compare the parts of pairs of images.

    Args:
        vectors: (N, K, C), as `reid.verification.described.Described.parts`.
        visible: (N, K).
        first: (P,) rows; -1 for an image that could not be read, of which no part is seen.
        second: (P,) rows of the images that these are compared with; likewise.
        parts: the names of the K parts.
        distance: the recipe's.
        curves: of each of the K parts; None where the run is not calibrated.
    """
    read: npt.NDArray[np.bool_] = (first >= 0) & (second >= 0)
    apart = np.full((len(read), len(parts)), np.nan)
    apart[read] = part_distances(vectors, visible, first[read], second[read], distance)
    says = np.full_like(apart, np.nan)
    if curves is not None:
        for place, part in enumerate(parts):
            says[:, place] = curves[part].say(apart[:, place])
    seen = np.zeros((len(read), len(parts), 2), bool)
    for side, rows in enumerate((first, second)):
        seen[read, :, side] = visible[rows[read]]
    return PartEvidence(parts, apart, says, seen, curves)

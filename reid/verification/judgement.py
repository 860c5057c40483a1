"""What a calibrated run says of pairs of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError
from reid.distances import distance_named
from reid.verification.calibration import Calibration
from reid.verification.described import Described
from reid.verification.features import Floats
from reid.verification.pair_distances import pair_distances

UNREADABLE, NO_COMMON_PART = "unreadable", "no part is seen in both images; judged by the rest"


@dataclass(frozen=True)
class Judgements:
    """What is said of P pairs.

    ``same`` follows from the whole distance alone; what parts say explains it and is no vote.

    Attributes:
        table: a row per pair: ``first`` and ``second``, ``distance`` and ``probability`` (float64,
            empty for a pair with an unreadable image), ``same`` (boolean, whether the
            probability is at least one half), ``note`` (text, empty where there is none).
        parts: the names of the K parts.
        distances: (P, K) float64, NaN for a part that is not seen in both images.
        says: likewise, the log-odds that each part's distance gives by itself (`Curve.say`): above
            0 for the same, below 0 against.
        seen: (P, K, 2) bool, whether the first and the second image show a part.
    """

    table: pd.DataFrame
    parts: tuple[str, ...]
    distances: Floats
    says: Floats
    seen: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.table)


def judge(
    calibration: Calibration, described: Described, first: Sequence[str], second: Sequence[str]
) -> Judgements:
    """Judge pairs.

    Args:
        calibration: of the network that described the images.
        described: the images that could be read.
        first: P names of images.
        second: P names of the images that these are compared with.
    """
    place = pd.Index(described.embedded.images.frame["image"])
    sides = np.stack([place.get_indexer(pd.Index(names)) for names in (first, second)]).astype(int)
    read: npt.NDArray[np.bool_] = (sides[0] >= 0) & (sides[1] >= 0)
    if described.embedded.distance != calibration.compared:
        raise InputError(
            f"the run was calibrated by the {distance_named(calibration.compared).words}, and is "
            f"compared by the {distance_named(described.embedded.distance).words}; run 'partreid "
            "calibrate' again"
        )
    measured = pair_distances(
        described, sides[0, read], sides[1, read], distance_named(calibration.distance)
    )
    parts = tuple(calibration.parts)
    whole, apart = np.full(len(read), np.nan), np.full((len(read), len(parts)), np.nan)
    whole[read], apart[read] = measured.whole, measured.parts
    says = np.full_like(apart, np.nan)
    for part, curve in enumerate(calibration.parts.values()):
        says[:, part] = curve.say(apart[:, part])
    probability = calibration.whole.probability(whole)
    seen = described.visible[sides.T].swapaxes(1, 2) & read[:, None, None]
    lonely = np.isnan(apart).all(1) & described.visible.any()
    table = pd.DataFrame(
        {
            "first": pd.array(list(first), dtype="string"),
            "second": pd.array(list(second), dtype="string"),
            "distance": whole,
            "probability": probability,
            "same": pd.array(probability >= 0.5, dtype="boolean"),
            "note": np.where(read, np.where(lonely, NO_COMMON_PART, ""), UNREADABLE),
        }
    )
    table.loc[~read, "same"] = pd.NA
    return Judgements(table, parts, apart, says, seen)

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
from reid.verification.pair_distances import whole_distances
from reid.verification.part_evidence import PartEvidence, compare_parts

UNREADABLE, NO_COMMON_PART = "unreadable", "no part is seen in both images; judged by the rest"


@dataclass(frozen=True)
class Judgements:
    """What is said of P pairs.

    ``same`` follows from the whole distance alone; what parts say explains it and is no vote.

    Attributes:
        table: a row per pair: ``first`` and ``second``, ``distance`` and ``probability`` (float64,
            empty for a pair with an unreadable image), ``same`` (boolean, whether the
            probability is at least one half), ``note`` (text, empty where there is none).
        evidence: what their parts say of them.
    """

    table: pd.DataFrame
    evidence: PartEvidence

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
    parts = tuple(calibration.parts)
    said = compare_parts(
        described.parts, described.visible, sides[0], sides[1], parts,
        distance_named(calibration.distance), calibration.parts,
    )  # fmt: skip
    whole = np.full(len(read), np.nan)
    whole[read] = whole_distances(described, sides[0, read], sides[1, read])
    probability = calibration.whole.probability(whole)
    lonely = np.isnan(said.distances).all(1) & described.visible.any()
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
    return Judgements(table, said)

"""How surely what was found is the same vehicle, and which queries are unknown."""

from __future__ import annotations

import numpy as np
import pandas as pd

from annotations.errors import InputError
from reid.retrieval.about import GalleryAbout
from reid.retrieval.question import Question
from reid.run import Run
from reid.verification.calibration import Calibration

UNKNOWN = 0.5
"""Queries whose best match is less probable are called unknown, unless told otherwise."""


def calibration_for(
    run: Run, about: GalleryAbout, question: Question, demanded: bool = False
) -> Calibration | None:
    """Return what makes probabilities of a search's distances; None where they have none.

    Args:
        run: the network, which may be calibrated.
        about: what made the galleries.
        question: what is asked.
        demanded: whether it is an error that there are none.

    Raises:
        InputError: there are none, though demanded, or a calibration is damaged or of another
            network.
    """
    if not (run.source / Calibration.FILE).is_file():
        why = f"run 'partreid calibrate {run.source} DATA' first"
    elif question.refine or question.pool != "nearest":
        why = "of re-ranked, averaged or set distances there are none"
    else:
        made = Calibration.read(run.source)
        made.require_model(run)
        if (made.branches, made.compared) == (about.branches, about.distance):
            return made
        why = f"the run was calibrated for branches {made.branches}"
    if demanded:
        raise InputError(f"--unknown: needs probabilities; {why}")
    return None


def with_probabilities(
    found: pd.DataFrame, calibration: Calibration, unknown: float = UNKNOWN
) -> pd.DataFrame:
    """Add ``probability``, that two images show the same, and whether a query is ``unknown``.

    The probability is that of a pair among pairs like those that the calibration learned from
    (`reid.verification.curve.Curve.probability`). A query is unknown where even the best of what it
    found is less probable than ``unknown``.
    """
    probability = calibration.whole.probability(found["distance"].to_numpy())
    best = pd.Series(probability).groupby(found["query"].to_numpy()).transform("max").to_numpy()
    return found.assign(probability=np.round(probability, 6), unknown=best < unknown)

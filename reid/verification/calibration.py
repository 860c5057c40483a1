"""What a run's distances mean: a curve for the whole and for each part, kept beside the model."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from annotations.errors import InputError, explain
from annotations.files import read_text, write_text
from reid.methods import Branches
from reid.run import Run
from reid.verification.curve import Count, Curve, fit_curve
from reid.verification.pair_distances import PairDistances


class Calibration(BaseModel):
    """How a run's distances become probabilities (Platt 1999), as ``calibration.json`` holds it.

    The decision is the whole's alone. A part's curve is learned for itself, on the pairs in which
    both images show it; what it says explains the decision and is no vote: parts agree with each
    other far too often to be added up.

    Attributes:
        format: version of this file.
        model: `Run.hash` of the network; another's distances mean something else.
        same: the columns whose equality made a pair the same, such as ``model`` and ``year``.
        branches: which branches made the embedding.
        distance: the recipe's, which parts are compared by.
        compared: what embeddings are compared by, see `reid.distances.distance_named`.
        source: where the pairs came from.
        detector: hash of the detector that found the boxes; empty where unknown or without boxes.
        whole: of the embedding's distance.
        parts: by the recipe's parts. A part that too few pairs show, or whose distance does not
            tell them apart, says nothing: `Curve.silent`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    FILE: ClassVar[str] = "calibration.json"

    format: Literal[1] = 1
    model: str
    same: tuple[str, ...]
    branches: Branches
    distance: str
    compared: str
    source: str
    detector: str = ""
    whole: Curve
    parts: dict[str, Curve]

    @property
    def pairs(self) -> Count:
        """How many pairs it was learned from."""
        return self.whole.same + self.whole.different

    @property
    def question(self) -> str:
        """What is asked of two images, in words: ``same model and year``."""
        known = {"identity": "vehicle", "year": "released year"}
        # A model has one make.
        told = [name for name in self.same if name != "make" or "model" not in self.same]
        words = [known.get(name, name) for name in told]
        return f"same {' and '.join(words)}"

    def write(self, folder: Path) -> None:
        """Write the file into a run's folder, whole."""
        write_text(folder / self.FILE, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Calibration:
        """Read the file of a run's folder.

        Raises:
            InputError: it is not there, or is not what `write` wrote.
        """
        path = folder / cls.FILE
        if not path.is_file():
            raise InputError(
                f"{folder}: its distances have no probabilities yet; run 'partreid calibrate "
                f"{folder} DATA' first"
            )
        try:
            return cls.model_validate_json(read_text(path))
        except ValidationError as error:
            raise InputError(f"{path}: not a calibration: {explain(error)}") from None

    def require_model(self, run: Run) -> None:
        """Demand that it was made for this run's weights.

        Raises:
            InputError: it was made for others.
        """
        if self.model != run.hash:
            raise InputError(
                f"{run.source / self.FILE}: of other weights ({self.model[:12]}) than this run's "
                f"({run.hash[:12]}); run 'partreid calibrate {run.source} DATA' again"
            )


def fit_parts(
    distances: PairDistances, same: npt.NDArray[np.bool_], parts: tuple[str, ...]
) -> dict[str, Curve]:
    """Learn each part's curve on the pairs in which both images show it.

    Args:
        distances: of P pairs.
        same: bool (P,).
        parts: the names of the K parts.
    """
    found = {}
    for name, values in zip(parts, distances.parts.T, strict=True):
        seen = ~np.isnan(values)
        try:
            found[name] = fit_curve(values[seen], same[seen])
        except InputError:
            found[name] = Curve.silent(int(same[seen].sum()), int((~same[seen]).sum()))
    return found

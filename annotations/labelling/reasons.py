"""Why an image comes where it does, in a short sentence for the person who labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.labelling.signals import Signal

SLIGHT = 0.1
"""What adds less than this to the priority is no reason to name."""
UNSURE = 0.5
"""Doubt from which a detector is called unsure: scores from 0.25 to 0.75."""
FEW = 3
"""Labelled images of a viewpoint up to which these are called few."""

SENTENCES = {
    "doubt": "the detector is unsure: {part} {score:.2f}",
    "disagree": "two detectors disagree on {part}",
    "missing": "the detector found no {part}, which most images show",
    "rare": "{part} is rare so far",
    "unseen": "no {viewpoint} image labelled yet",
    "few": "few {viewpoint} images labelled yet",
    "first": "first image of vehicle {vehicle}",
    "sure": "the detector is sure of it",
    "random": "drawn at random",
}


def reasons(
    signals: Mapping[str, Signal],
    shares: Mapping[str, npt.NDArray[np.float64]],
    looked: npt.NDArray[np.bool_],
    parts: tuple[str, ...],
    known: pd.DataFrame,
) -> list[str]:
    """Name what adds most to the priority of each of N images.

    Args:
        signals: of the detector, by the keys of `SENTENCES`.
        shares: what each of these adds to the priority, (N,) by the same keys, and as
            ``viewpoint`` what the viewpoint adds.
        looked: whether the detector has looked at the image, (N,).
        parts: the names of the parts.
        known: N rows with columns ``viewpoint`` and ``vehicle`` (empty where unknown),
            ``of_viewpoint`` (how many of that viewpoint are labelled) and ``turn`` (how many of
            the vehicle come before, labelled or not).
    """
    kinds = [*SENTENCES]
    adds = np.zeros((len(kinds), len(known)))
    for key in signals:
        adds[kinds.index(key)] = shares[key]
    count = known["of_viewpoint"].to_numpy()
    adds[kinds.index("unseen")] = shares["viewpoint"] * (count == 0)
    adds[kinds.index("few")] = shares["viewpoint"] * (count > 0) * (count <= FEW)
    if "doubt" in signals:
        adds[kinds.index("doubt")] *= signals["doubt"].strength >= UNSURE
    adds[adds < SLIGHT] = 0.0
    first = known["vehicle"].notna().to_numpy() & (known["turn"].to_numpy() == 0)
    adds[kinds.index("first")] = first * SLIGHT / 2
    adds[kinds.index("sure")] = looked * SLIGHT / 3
    adds[kinds.index("random")] = SLIGHT / 4
    kind = adds.argmax(axis=0)
    said = np.empty(len(known), object)
    for number, key in enumerate(kinds):
        mine = np.flatnonzero(kind == number)
        sentence = SENTENCES[key].format
        if key in signals:
            part, score = signals[key].part[mine].tolist(), signals[key].score[mine].tolist()
            said[mine] = [
                sentence(part=parts[p], score=s) for p, s in zip(part, score, strict=True)
            ]
        else:
            words = known[["viewpoint", "vehicle"]].iloc[mine].to_numpy(object).tolist()
            said[mine] = [sentence(viewpoint=view, vehicle=name) for view, name in words]
    return [str(sentence) for sentence in said]

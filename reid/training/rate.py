"""The learning rate at every step."""

from __future__ import annotations

import math
from collections.abc import Sequence


def rate_at(
    step: int,
    total: int,
    warm: float,
    decay_to: float,
    every: int | None = None,
    after: Sequence[float] = (),
    cosine: bool = False,
) -> float:
    """Return the share of the initial learning rate at a step.

    PRN, section 3.3 asks for an exponential schedule and leaves its base open; here the base
    is such that ``decay_to`` of the rate is left at the last step, as it is along half a ``cosine``
    (Loshchilov and Hutter 2017). A linear warm-up over the first ``warm`` steps multiplies it.
    EIA-Net, section 4.2 multiplies the rate by ``decay_to`` after ``every`` steps instead, and
    MFG-Net, section 4.4 after each of the steps ``after``.
    """
    rising = min(1.0, (step + 1) / warm) if warm else 1.0
    if cosine:
        return rising * (decay_to + (1 - decay_to) * (1 + math.cos(math.pi * step / total)) / 2)
    falls = step // every if every else step / total
    if after:
        falls = sum(step >= drop for drop in after)
    return rising * float(decay_to**falls)

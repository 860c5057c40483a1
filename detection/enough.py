"""Whether a part has been labelled often enough: the rule, and its answer in words.

Of a part's gain by the last doubling of the images (`detection.gain`):

- *rising*: at least `WORTH`, and the 95 % interval is above 0: label more.
- *flat*: below `WORTH`, and the interval does not reach above `CLEAR`: enough. Where the AP50 is
  below `LOW`, something else than more labels of the same kind is missing.
- *unsure*: neither: the held-out images are too few to tell.
- *unseen*: no training image shows the part.
- *untested*: no held-out image shows it.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from detection.gain import ALL

WORTH, CLEAR, LOW = 0.02, 0.05, 0.5
RISING, FLAT, UNSURE, UNSEEN, UNTESTED = "rising", "flat", "unsure", "unseen", "untested"


def judge(row: Any) -> str:
    """Return the verdict on a row of `detection.gain.last_gains`, by the rule above."""
    if row.images == 0:
        return UNSEEN
    if row.boxes == 0 or math.isnan(row.gain):
        return UNTESTED
    if row.gain >= WORTH and row.low > 0:
        return RISING
    if row.gain < WORTH and row.high <= CLEAR:
        return FLAT
    return UNSURE


def in_words(row: Any) -> str:
    """Say what a row of `detection.gain.last_gains` means, and what to do."""
    seen = f"it is in {row.images} of {row.size}"
    span = f"{row.before:.2f} to {row.AP50:.2f} from {row.before_size} to {row.size}"
    rise = f"{row.gain:+.2f} by the last doubling"
    match judge(row):
        case "unseen":
            said = f"never seen (in none of {row.size}): label images that show it"
        case "untested":
            said = f"not tested (no held-out image shows it): label images that show it ({seen})"
        case "rising":
            said = f"still rising ({rise}): label more images that show it ({seen})"
        case "flat" if row.AP50 < LOW:
            said = (
                f"flat, but low ({span}): more of the same would change little; check how it is "
                f"drawn, or train larger or longer ({seen})"
            )
        case "flat":
            said = f"{'flat' if row.gain > -WORTH else 'not rising'} ({span}): enough"
        case _:
            said = (
                f"cannot be told ({rise}, 95 % interval {row.low:+.2f} to {row.high:+.2f}, by "
                f"{row.boxes} held-out boxes): hold out more, or label more that show it ({seen})"
            )
    return f"{row.part}: {said}"


def answers(gains: pd.DataFrame) -> pd.DataFrame:
    """Add ``verdict`` and ``answer`` to `detection.gain.last_gains`, for parts alone.

    Returns:
        The rows of the parts, without that of their mean.
    """
    parts = gains[gains["part"] != ALL].reset_index(drop=True)
    rows = list(parts.itertuples())
    return parts.assign(
        verdict=[judge(row) for row in rows], answer=[in_words(row) for row in rows]
    )

"""Which parts a detector finds well enough to be worth comparing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from annotations.errors import InputError
from annotations.table import Column, check_table, read_table

SCORES = "scores.csv"
"""The file of a detector's own table, in its folder."""
_COLUMNS = (
    Column("part", required=True),
    Column("AP50", kind="number", required=True, nullable=True, low=0, high=1),
    Column("boxes", kind="integer", required=True, low=0),
)


class Selection(NamedTuple):
    """What came of a selection.

    Attributes:
        kept: parts found well enough, in the order asked.
        dropped: the others, each with its AP50, or None where it was not tested: the detector does
            not know it, or no held-out image shows it.
    """

    kept: tuple[str, ...]
    dropped: dict[str, float | None]


def select_parts(table: pd.DataFrame, parts: Sequence[str], least: float) -> Selection:
    """Keep the parts that a detector finds well enough by its own table.

    EIA-Net, section 4.3 drops parts that are hardly detected, without naming a limit.

    Args:
        table: see `accuracy_by_part`.
        parts: the parts to choose from.
        least: the lowest AP50 that is kept, from 0 to 1.
    """
    found = accuracy_by_part(table)
    kept = tuple(part for part in parts if found.get(part, -1.0) >= least)
    return Selection(kept, {part: found.get(part) for part in parts if part not in kept})


def accuracy_by_part(table: pd.DataFrame) -> dict[str, float]:
    """Return the AP50 of each part that was tested.

    Args:
        table: columns ``part``, ``AP50`` and ``boxes``, as `detection.evaluate.DetectorScores` has
            them. Of a part with several rows, as of a detector that was tested on several labelled
            sets, it is the mean over boxes.
    """
    tested = table[(table["boxes"] > 0) & table["AP50"].notna()]
    weighted = (tested["AP50"] * tested["boxes"]).groupby(tested["part"]).sum()
    found = weighted / tested.groupby("part")["boxes"].sum()
    return {str(part): float(value) for part, value in found.items()}


def read_scores(detector: Path) -> pd.DataFrame:
    """Read a detector's own table, made when it was trained with ``hold_out``.

    Raises:
        InputError: it has none, or the table is not one.
    """
    path = detector / SCORES
    if not path.is_file():
        raise InputError(
            f"{detector}: no {SCORES} in it, by which parts are chosen; train the detector with "
            "--set hold_out=0.2, or take the recipe's parts as they are by --set parts.least=0"
        )
    return check_table(read_table(path, ["part"])[0], _COLUMNS, [], str(path))

"""Every check against chance, and which of them have found a shortcut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from annotations.errors import InputError
from pipelines.shortcut.checks import Galleries, Nearness

BOX, OUTLINE, SHAPE = "network, box hidden", "network, outline hidden", "network, shape alone"
CHANCE = "chance"


def compare_all(checks: Mapping[str, Nearness], galleries: Galleries) -> pd.DataFrame:
    """Score every check in both galleries against chance, and `OUTLINE` against `SHAPE` too."""
    found = []
    for chosen in (galleries, replace(galleries, strict=True)):
        scores = {name: chosen.score(nearness) for name, nearness in checks.items()}
        pairs = [(name, CHANCE) for name in checks]
        pairs += [(OUTLINE, SHAPE)] if {OUTLINE, SHAPE} <= set(checks) else []
        for name, against in pairs:
            rows = chosen.compare(scores[name], scores.get(against))
            if len(rows):
                rows.insert(0, "against", against)
                rows.insert(0, "gallery", chosen.name)
                rows.insert(0, "check", name)
                found.append(rows)
    if not found:
        raise InputError("the test needs two query identities with matches and other images")
    return pd.concat(found, ignore_index=True)


def shortcuts_in(table: pd.DataFrame) -> list[str]:
    """Name the checks that tell identities apart by something else than the vehicle.

    A check does if it is above chance in either gallery. What a vehicle's shape tells is its
    own, so `SHAPE` never does, and `OUTLINE` only if, among look-alikes seen by other cameras,
    it is above chance and above `SHAPE` in the same metric.
    """
    above = table[table["low"] > 0]
    plain = above[(above["against"] == CHANCE) & ~above["check"].isin([OUTLINE, SHAPE])]
    names = list(plain["check"].unique())
    strict = above[(above["check"] == OUTLINE) & (above["gallery"] != Galleries.ALL)]
    if (strict.groupby("metric")["against"].nunique() == 2).any():
        names.append(OUTLINE)
    return names


def learned(table: pd.DataFrame) -> bool:
    """Whether the networks learned enough for their rows to mean something.

    A vehicle's shape tells its model, so that in the whole gallery `SHAPE` must be above chance. If
    it is not, the budget was too small, and networks at chance prove nothing.
    """
    control = table[(table["check"] == SHAPE) & (table["gallery"] == Galleries.ALL)]
    return bool((control.loc[control["against"] == CHANCE, "low"] > 0).any())

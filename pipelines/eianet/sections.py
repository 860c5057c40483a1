"""The tables of a whole comparison, each with its title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import pandas as pd

from pipelines.ablation.summary import seeds_told
from pipelines.eianet import layout
from pipelines.eianet.ladder import Level
from pipelines.eianet.published import TABLE2, TABLE3, TABLE4, Published

Section: TypeAlias = tuple[str, pd.DataFrame]
"""A title and the table below it."""

_TABLES: dict[str, tuple[tuple[str, tuple[Published, ...]], ...]] = {
    "model": (
        ("Table 2, what each component brings, model level", TABLE2),
        ("Table 3, beside others, model level", TABLE3),
    ),
    "year": (("Table 4, beside others, released-year level", TABLE4),),
}


_SCORES: tuple[tuple[str, layout.Score], ...] = (
    ("accuracy", "accuracy"),
    ("area under the ROC curve", "auc"),
)


def detected(scores: pd.DataFrame | None, used: Sequence[str]) -> Section:
    """Return Table 1; see `pipelines.eianet.layout.detection`."""
    whose = "no detector was tested" if scores is None else "AP50 of the data set's detector"
    return f"Table 1, parts that are found ({whose})", layout.detection(scores, used)


def verified(
    results: pd.DataFrame, lists: Mapping[Level, Sequence[str]], name: str
) -> list[Section]:
    """Return Tables 2 to 4, what every judge makes of every network, and the ladder's steps.

    Args:
        results: see `pipelines.eianet.layout.accuracies`.
        lists: by level, the names of the test pairs.
        name: of the data set.
    """
    found = layout.accuracies(results)
    seeds = seeds_told(found)
    made: list[Section] = []
    for level, names in lists.items():
        for title, rows in _TABLES[level]:
            table = layout.beside(rows, found, level, names)
            made.append((f"{title}: accuracy on pairs, the paper's and {name}'s, {seeds}", table))
        made += [
            (
                f"every network and judge, {level} level: {told}",
                layout.every_judge(found, level, names, score),
            )
            for told, score in _SCORES
        ]
        made.append(
            (
                f"step by step, {level} level: difference in accuracy by distance, 95 % interval",
                layout.steps(results, level),
            )
        )
    return made


def retrieved(results: pd.DataFrame, name: str) -> list[Section]:
    """Return the ladder in re-identification, and its steps."""
    table = layout.ranked(results)
    seeds = seeds_told(table)
    return [
        (f"re-identification on {name}, {seeds}", layout.ranked_for_people(table)),
        ("step by step: difference, 95 % interval over identities", layout.ranked_steps(results)),
    ]

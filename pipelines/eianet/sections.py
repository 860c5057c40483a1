"""The tables of a whole comparison, each with its title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pandas as pd

from pipelines.ablation.summary import seeds_told
from pipelines.eianet import layout
from pipelines.eianet.chart import draw_chart
from pipelines.eianet.ladder import Level
from pipelines.eianet.published import TABLE2, TABLE3, TABLE4, Published

Section: TypeAlias = tuple[str, pd.DataFrame]
"""A title and the table below it."""


class _Table(NamedTuple):
    """One of the paper's tables of accuracies: its number, what it is about, its rows."""

    number: int
    about: str
    rows: tuple[Published, ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return f"Table {self.number}, {self.about}"


_TABLES: dict[str, tuple[_Table, ...]] = {
    "model": (
        _Table(2, "what each component brings, model level", TABLE2),
        _Table(3, "beside others, model level", TABLE3),
    ),
    "year": (_Table(4, "beside others, released-year level", TABLE4),),
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
        for table in _TABLES[level]:
            title = f"{table.title}: accuracy on pairs, the paper's and {name}'s, {seeds}"
            made.append((title, layout.beside(table.rows, found, level, names)))
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


def draw_verified(
    results: pd.DataFrame, lists: Mapping[Level, Sequence[str]], name: str, folder: Path
) -> None:
    """Draw Tables 2 to 4, as far as their levels were tested, as ``tableN.png``; see `verified`."""
    found = layout.accuracies(results)
    for level, names in lists.items():
        for table in _TABLES[level]:
            title = f"EIA-Net's {table.title}, and on {name}, {seeds_told(found)}"
            path = folder / f"table{table.number}.png"
            draw_chart(table.rows, found, level, names, title, path)


def retrieved(results: pd.DataFrame, name: str) -> list[Section]:
    """Return the ladder in re-identification, and its steps."""
    table = layout.ranked(results)
    seeds = seeds_told(table)
    return [
        (f"re-identification on {name}, {seeds}", layout.ranked_for_people(table)),
        ("step by step: difference, 95 % interval over identities", layout.ranked_steps(results)),
    ]

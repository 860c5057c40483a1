"""The tables of a whole comparison, each with its title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pipelines.ablation.summary import seeds_told
from pipelines.ablation.tables import write_csv
from pipelines.eianet import layout
from pipelines.eianet.chart import draw_chart, draw_detection
from pipelines.eianet.ladder import PRN, Level
from pipelines.eianet.published import TABLE2, TABLE3, TABLE4, Published


class Section(NamedTuple):
    """A title, the table below it, and what has to be known to read it, a line each."""

    title: str
    table: pd.DataFrame
    notes: Sequence[str] = ()


class _Table(NamedTuple):
    """One of the paper's tables of accuracies: its number, what it is about, its rows."""

    number: int
    about: str
    rows: tuple[Published, ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return f"Table {self.number}, {self.about}"


_DETECTION = "Table 1, parts that are found"
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


def detected(scores: pd.DataFrame | None, used: Sequence[str], name: str, folder: Path) -> Section:
    """Return Table 1, and write it as ``table1.csv`` and ``table1.png``.

    Args:
        scores: see `pipelines.eianet.layout.detection`.
        used: see there.
        name: of the data set.
        folder: of the results.
    """
    table = layout.detection(scores, used)
    write_csv(table, folder / "table1.csv")
    whose = "no detector was tested" if scores is None else f"AP50 of the detector of {name}"
    title = f"{_DETECTION} ({whose})"
    draw_detection(table, f"EIA-Net's {title}", folder / "table1.png")
    return Section(title, layout.detection_for_people(table))


def verified(
    results: pd.DataFrame,
    lists: Mapping[Level, Sequence[str]],
    name: str,
    regularised: Mapping[str, str],
    folder: Path,
) -> list[Section]:
    """Return Tables 2 to 4, what every judge makes of every network, and the ladder's steps.

    Tables 2 to 4, as far as their levels were tested, are written as ``tableN.csv`` and
    ``tableN.png``.

    Args:
        results: see `pipelines.eianet.layout.accuracies`.
        lists: by level, the names of the test pairs.
        name: of the data set.
        regularised: see `pipelines.eianet.ladder.prn_parts`.
        folder: of the results.
    """
    found = layout.accuracies(results)
    seeds = seeds_told(found)
    made: list[Section] = []
    for level, names in lists.items():
        for table in _TABLES[level]:
            scores = layout.score_table(table.rows, found, level, names)
            write_csv(scores, folder / f"table{table.number}.csv")
            title = f"EIA-Net's {table.title}, and on {name}, {seeds}"
            draw_chart(scores, names, title, folder / f"table{table.number}.png")
            title = f"{table.title}: accuracy on pairs, in the paper and on {name}, {seeds}"
            notes = layout.left_out(table.rows, scores, names)
            if scores.loc[scores["network"] == PRN.name, "seeds"].notna().any():
                notes.append(_about_prn(regularised))
            made.append(Section(title, layout.beside(scores, names), notes))
        made += [
            Section(
                f"every network and judge, {level} level: {told}",
                layout.every_judge(found, level, names, score),
            )
            for told, score in _SCORES
        ]
        made.append(
            Section(
                f"step by step, {level} level: difference in accuracy by distance, 95 % interval",
                layout.steps(results, level),
            )
        )
    return made


def _about_prn(parts: Mapping[str, str]) -> str:
    told = ", ".join(f"{name} ({part})" for name, part in parts.items())
    return f"PRN* here is PRN with {told}; it starts and is trained as the others are"


def retrieved(results: pd.DataFrame, name: str) -> list[Section]:
    """Return the ladder in re-identification, and its steps."""
    table = layout.ranked(results)
    seeds = seeds_told(table)
    return [
        Section(f"re-identification on {name}, {seeds}", layout.ranked_for_people(table)),
        Section(
            "step by step: difference, 95 % interval over identities", layout.ranked_steps(results)
        ),
    ]

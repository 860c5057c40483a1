"""EIA-Net's Tables 1 to 4 as charts, the paper's figures beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from annotations.files import whole_file
from pipelines.ablation.tables import OURS, PAPER
from pipelines.eianet.published import SETS

_NAMES = [name.removeprefix("CompCars ") for name in SETS]
_COLOURS = ("#2f6f8f", "#d98a2b", "#9c3d54", "#5b7f3a")
_MARKS = "osD^"


def draw_detection(table: pd.DataFrame, title: str, path: Path) -> None:
    """Draw Table 1 as a PNG: how well each part is found, and which of them are used.

    Args:
        table: see `pipelines.eianet.layout.detection`.
        title: of the chart.
        path: the file.
    """
    figure = Figure(figsize=(8.0, 1.7 + 0.38 * len(table)), dpi=150, layout="constrained")
    panel = figure.subplots()
    ours = table["here AP50"].notna().any()
    height, places = (0.36 if ours else 0.6), pd.Series(range(len(table)), dtype=float)
    if ours:
        panel.barh(places - 0.2, table["here AP50"], height, color=OURS, label="here, AP50")
    above = places + (0.2 if ours else 0)
    panel.barh(above, table["paper"], height, color=PAPER, label="the paper, accuracy")
    panel.set_xlim(0, 1)
    panel.set_xlabel("detection accuracy", fontsize=9)
    _plain(panel, "x")
    names = table["part"].where(~table["used here"], table["part"] + " (used here)")
    panel.set_yticks(places, names)
    panel.invert_yaxis()
    figure.suptitle(fill(title, 75), x=0.01, ha="left", fontsize=11)
    figure.legend(loc="outside lower right", ncols=2, frameon=False, fontsize=9)
    with whole_file(path) as aside:
        figure.savefig(aside)


def draw_chart(scores: pd.DataFrame, lists: Sequence[str], title: str, path: Path) -> None:
    """Draw one of Tables 2 to 4 as a PNG: the paper's accuracies, and ours with their spread.

    Args:
        scores: see `pipelines.eianet.layout.score_table`.
        lists: the names of our test pairs, in order.
        title: of the chart.
        path: the file.
    """
    figure = Figure(figsize=(10.5, 1.9 + 0.38 * len(scores)), dpi=150, layout="constrained")
    theirs, ours = figure.subplots(1, 2, sharex=True, sharey=True)
    for number, name in enumerate(SETS):
        _dots(theirs, scores[f"paper {name}"], None, name, number)
    for number, name in enumerate(lists):
        # Pairs called as the paper's look as theirs.
        same = _NAMES.index(name) if name in _NAMES else number
        _dots(ours, scores[name], scores[f"{name} spread"], name, same)
    for panel, what in ((theirs, "the paper"), (ours, "here")):
        panel.set_title(what, loc="left", fontsize=10, fontweight="bold")
        panel.set_xlabel("pairs judged right", fontsize=9)
        _plain(panel, "both")
        panel.legend(
            frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2
        )
    theirs.set_yticks(range(len(scores)), scores["method"])
    theirs.set_ylim(len(scores) - 0.5, -0.5)
    figure.suptitle(fill(title, 105), x=0.01, ha="left", fontsize=11)
    with whole_file(path) as aside:
        figure.savefig(aside)


def _plain(panel: Axes, grid: Literal["x", "both"]) -> None:
    panel.grid(axis=grid, color="#e3e7ea", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(axis="y", length=0)


def _dots(
    panel: Axes, means: pd.Series[float], spreads: pd.Series[float] | None, label: str, number: int
) -> None:
    """Draw one set of pairs: a mark for each row that has a figure, with its spread."""
    there = means.dropna()
    reach = 0.0 if spreads is None else spreads[there.index].fillna(0.0)
    panel.errorbar(
        there, there.index, xerr=reach, fmt=_MARKS[number % len(_MARKS)],
        color=_COLOURS[number % len(_COLOURS)], markersize=5, elinewidth=1, capsize=2, label=label,
    )  # fmt: skip

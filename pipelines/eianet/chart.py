"""One of EIA-Net's Tables 2 to 4 as a chart, the paper's pairs beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from annotations.files import whole_file
from pipelines.eianet.ladder import Level
from pipelines.eianet.layout import mean_and_spread
from pipelines.eianet.published import Published

_PAPERS = ("CompCars, easy", "CompCars, medium", "CompCars, hard", "VehicleID")
_COLOURS = ("#2f6f8f", "#d98a2b", "#9c3d54", "#5b7f3a")
_MARKS = "osD^"


def draw_chart(
    rows: Sequence[Published],
    found: pd.DataFrame,
    level: Level,
    lists: Sequence[str],
    title: str,
    path: Path,
) -> None:
    """Draw the paper's accuracies, and ours with their spread over seeds, as a PNG.

    Args:
        rows: of the paper's table.
        found: see `pipelines.eianet.layout.accuracies`.
        level: at which it is tested.
        lists: the names of our test pairs, in order.
        title: of the chart.
        path: the file.
    """
    mine = mean_and_spread(found, level)
    figure = Figure(figsize=(10.5, 1.9 + 0.38 * len(rows)), dpi=150, layout="constrained")
    theirs, ours = figure.subplots(1, 2, sharex=True, sharey=True)
    for number, name in enumerate(_PAPERS):
        _dots(theirs, [(row.accuracies[number], 0.0) for row in rows], name, number)
    for number, name in enumerate(lists):
        cells = [mine.get((row.network, row.judge, name)) for row in rows]
        _dots(ours, cells, name, number)
    for panel, what in ((theirs, "the paper"), (ours, "here")):
        panel.set_title(what, loc="left", fontsize=10, fontweight="bold")
        panel.set_xlabel("pairs judged right", fontsize=9)
        panel.grid(axis="both", color="#e3e7ea", linewidth=0.8)
        panel.set_axisbelow(True)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
        panel.legend(
            frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2
        )
    theirs.set_yticks(range(len(rows)), [row.name for row in rows])
    theirs.invert_yaxis()
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    with whole_file(path) as aside:
        figure.savefig(aside)


def _dots(
    panel: Axes, cells: Sequence[tuple[float, float] | None], label: str, number: int
) -> None:
    """Draw one set of pairs: a mark for each row that has a figure, with its spread."""
    there = [(place, cell) for place, cell in enumerate(cells) if cell is not None]
    panel.errorbar(
        [mean for _, (mean, _) in there],
        [place for place, _ in there],
        xerr=[0.0 if pd.isna(spread) else spread for _, (_, spread) in there],
        fmt=_MARKS[number % len(_MARKS)],
        color=_COLOURS[number % len(_COLOURS)],
        markersize=5,
        elinewidth=1,
        capsize=2,
        label=label,
    )

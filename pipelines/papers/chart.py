"""A paper's table as a chart, ours beside the paper's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from annotations.files import whole_file
from pipelines.ablation.tables import OURS
from pipelines.papers.declare import Table

_PAPERS = ("#b9c3cc", "#d3c4a8", "#c9b3c4")
"""A colour for each of the paper's data sets."""


def draw_chart(table: Table, scores: pd.DataFrame, title: str, path: Path) -> None:
    """Draw a panel per metric as a PNG, with the spread over seeds where there are several.

    Args:
        table: of the paper.
        scores: see `pipelines.papers.layout.score_table`.
        title: of the chart.
        path: the file.
    """
    figure = Figure(
        figsize=(2.2 + 3.0 * len(table.metrics), 1.7 + 0.55 * len(scores)),
        dpi=150, layout="constrained",
    )  # fmt: skip
    axes = figure.subplots(1, len(table.metrics), sharey=True)
    count = 1 + len(table.sets)
    height, places = 0.8 / count, pd.Series(range(len(scores)), dtype=float)
    for panel, (shown, metric) in zip(axes, table.metrics, strict=True):
        above = places - 0.4 + height / 2
        panel.barh(
            above, scores[metric], height, color=OURS, label="here",
            xerr=scores[f"{metric} spread"],
            error_kw={"ecolor": "#222222", "elinewidth": 1, "capsize": 2},
        )  # fmt: skip
        for number, (name, colour) in enumerate(zip(table.sets, _PAPERS, strict=False), 1):
            figures = scores[f"paper {name} {shown}"]
            label = f"the paper, {name}"
            panel.barh(above + number * height, figures, height, color=colour, label=label)
        panel.set_title(shown, loc="left", fontsize=10, fontweight="bold")
        panel.set_xlim(0, 1)
        panel.grid(axis="x", color="#e3e7ea", linewidth=0.8)
        panel.set_axisbelow(True)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
    axes[0].set_yticks(places, scores["here"])
    axes[0].invert_yaxis()
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower right", ncols=count, frameon=False, fontsize=9)
    with whole_file(path) as aside:
        figure.savefig(aside)

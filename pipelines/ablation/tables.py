"""Table 4 with our numbers beside the paper's: for the terminal, as Markdown and as a chart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from annotations.files import whole_file
from pipelines.ablation.summary import METRICS, Difference, difference, means, told_metrics
from pipelines.ablation.table4 import BASELINE, FULL, ROWS

OURS, PAPER = "#1f5f99", "#b9c3cc"


def score_table(results: pd.DataFrame) -> pd.DataFrame:
    """Return a row per network that has results, in Table 4's order.

    Args:
        results: see `pipelines.ablation.trials.collect`; labelled ``row`` and ``seed``.

    Returns:
        ``row``, ``network``, ``paper_row``, ``seeds``, each metric, each metric's spread, and
        the paper's ``paper CMC@1`` and ``paper CMC@5`` (VehicleID, large).
    """
    ours = means(results, "row")
    paper = pd.DataFrame(
        [(row.name, row.label, row.paper, row.cmc1, row.cmc5) for row in ROWS],
        columns=["row", "network", "paper row", "paper CMC@1", "paper CMC@5"],
    )
    table = paper.merge(ours, left_on="row", right_index=True)
    last = ["paper CMC@1", "paper CMC@5"]
    return table[[*(name for name in table.columns if name not in last), *last]]


def difference_table(results: pd.DataFrame) -> pd.DataFrame:
    """Compare PRN with the plain network, and every other network with PRN.

    Returns:
        ``row``, ``against``, ``metric``, ``difference``, ``low``, ``high``: ``row`` minus
        ``against``, 95 % interval over identities; empty where PRN has no results.
    """
    names = [row.name for row in ROWS if (results["row"] == row.name).any()]
    pairs = [(FULL, BASELINE)] if {FULL, BASELINE} <= set(names) else []
    if FULL in names:
        pairs += [(name, FULL) for name in names if name != FULL]
    rows = [
        (first, second, metric, *found)
        for first, second in pairs
        for metric in METRICS
        if (found := difference(results, "row", first, second, metric)) is not None
    ]
    columns = ["row", "against", "metric", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def for_people(scores: pd.DataFrame) -> pd.DataFrame:
    """Return `score_table` with mean and spread in one cell."""
    cells = {"network": scores["network"], **told_metrics(scores)}
    return pd.DataFrame({**cells, **{k: scores[k] for k in ("paper CMC@1", "paper CMC@5")}})


def differences_for_people(differences: pd.DataFrame, against: str) -> pd.DataFrame:
    """Return the part of `difference_table` against one network, a column per metric."""
    labels = {row.name: row.label for row in ROWS}
    mine = differences[differences["against"] == against]
    rows = []
    for name, group in mine.groupby("row", sort=False):
        of = group.set_index("metric")[["difference", "low", "high"]]
        cells = [str(Difference(*of.loc[metric])) for metric in METRICS]
        rows.append([f"{labels[str(name)]} - {labels[against]}", *cells])
    return pd.DataFrame(rows, columns=["difference", *METRICS])


def to_markdown(frame: pd.DataFrame) -> str:
    """Return a frame of text and shares as a Markdown table."""
    lines = [list(frame.columns), ["---"] * frame.shape[1]]
    lines += [
        [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row]
        for row in frame.itertuples(index=False)
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as a CSV, which appears whole."""
    with whole_file(path) as aside:
        frame.to_csv(aside, index=False)


def draw_chart(differences: pd.DataFrame, title: str, path: Path) -> None:
    """Draw what every removal costs at rank 1 and 5, ours beside the paper's, as a PNG."""
    mine = differences[differences["against"] == FULL]
    shown = [row for row in ROWS if row.name in set(mine["row"])]
    figure = Figure(figsize=(9.6, 1.5 + 0.55 * len(shown)), dpi=150, layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for panel, metric, field in zip(axes, ("rank-1", "rank-5"), ("cmc1", "cmc5"), strict=True):
        ours = mine[mine["metric"] == metric].set_index("row").loc[[row.name for row in shown]]
        full = getattr(ROWS[0], field)
        _bars(panel, ours, [getattr(row, field) - full for row in shown])
        panel.set_title(metric, loc="left", fontsize=10, fontweight="bold")
        panel.set_xlabel("percentage points against PRN with all branches", fontsize=9)
    axes[0].set_yticks(range(len(shown)), [row.label for row in shown])
    axes[0].invert_yaxis()
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    with whole_file(path) as aside:
        figure.savefig(aside)


def _bars(panel: Axes, ours: pd.DataFrame, paper: list[float]) -> None:
    places = range(len(paper))
    values = ours["difference"].to_numpy() * 100
    ends = ours[["low", "high"]].to_numpy().T * 100
    reach = np.abs(ends - values)
    panel.barh(
        [place - 0.2 for place in places], values, 0.36, color=OURS, xerr=reach,
        error_kw={"ecolor": "#222222", "elinewidth": 1, "capsize": 2},
        label="here, 95 % interval over identities",
    )  # fmt: skip
    panel.barh(
        [place + 0.2 for place in places], [100 * drop for drop in paper], 0.36, color=PAPER,
        label="PRN, Table 4 (VehicleID, large)",
    )  # fmt: skip
    panel.axvline(0, color="#222222", linewidth=0.8)
    panel.grid(axis="x", color="#e3e7ea", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(axis="y", length=0)

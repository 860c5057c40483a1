"""Everything that finished trainings say of a paper's tables, printed and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from annotations.files import write_text
from pipelines.ablation.summary import seeds_told
from pipelines.ablation.tables import to_markdown, write_csv
from pipelines.ablation.trials import Trial, collect
from pipelines.papers.chart import draw_chart
from pipelines.papers.declare import Paper, Row
from pipelines.papers.layout import (
    difference_table,
    differences_for_people,
    for_people,
    score_table,
)
from pipelines.papers.plan import Plan
from pipelines.tables import say, show, written


def report(
    paper: Paper,
    plan: Plan,
    trials: Sequence[Trial],
    folder: Path,
    data: str,
    before: Sequence[tuple[str, pd.DataFrame]] = (),
    note: str = "",
) -> None:
    """Print a paper's tables and write them into ``folder``.

    That is ``tables.md``, a CSV and a chart per table, ``differences.csv`` and ``queries.csv``.

    Args:
        paper: whose tables.
        plan: what its rows are trained as.
        trials: those that may have finished.
        folder: of the results.
        data: the name of the data set.
        before: tables that come first, each with its title.
        note: what has to be known to read the tables, a line behind them.

    Raises:
        InputError: no training has finished.
    """
    results = collect(trials, folder)
    differences = difference_table(paper, results, plan.trained_as)
    sections: list[str] = []

    def put(heading: str, frame: pd.DataFrame) -> None:
        show(frame, heading)
        sections.append(f"{heading}\n\n{to_markdown(frame)}")

    for heading, frame in before:
        put(heading, frame)
    for table in paper.tables:
        scores = score_table(table, results, plan.trained_as)
        write_csv(scores, folder / f"table{table.number}.csv")
        title = f"{paper.title}'s Table {table.number} on {data}, {table.title}"
        draw_chart(table, scores, title, folder / f"table{table.number}.png")
        if scores["seeds"].notna().any():
            title += f": {seeds_told(scores.dropna(subset='seeds').astype({'seeds': int}))}"
        compared = differences_for_people(table, differences, paper, plan.trained_as)
        put(title, for_people(table, scores, data))
        if len(compared):
            put(
                f"against {paper.title}: paired difference, 95 % interval over identities", compared
            )
        for row in table.rows:
            if row.name in plan.left_out:
                say(left_out(row, plan))
                sections.append(f"{left_out(row, plan)}\n")
    if note:
        say(note)
        sections.append(f"{note}\n")
    write_csv(results, folder / "queries.csv")
    write_csv(differences, folder / "differences.csv")
    write_text(folder / "tables.md", "\n".join(sections))
    written(folder / "tables.md", "tables:")


def left_out(row: Row, plan: Plan) -> str:
    """Say why a row cannot be had."""
    return f"left out: {row.own_label}: {plan.left_out[row.name]}"

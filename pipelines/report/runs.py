"""A page of several runs side by side: scores, curves, costs, and where they differ most."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from annotations.files import write_text
from annotations.images import Images
from pipelines.report.canvas import svg
from pipelines.report.curves import COLOURS, draw_curves
from pipelines.report.differing import Differing, differing, most_differing
from pipelines.report.page import environment
from reid.evaluation.report import Evaluation

SHOWN = len(COLOURS)
"""Runs with a curve and with rank lists; tables have all."""


def write_runs(
    path: Path,
    title: str,
    evaluations: Mapping[str, Evaluation],
    tables: Mapping[str, pd.DataFrame],
    images: Images,
    device: str,
) -> None:
    """Write one self-contained HTML file.

    Args:
        path: the file.
        title: the page's heading.
        evaluations: by the runs' names; the others are compared with the first.
        tables: ``scores``, see `reid.evaluation.compare.against`; ``queries``, see
            `reid.evaluation.compare.by_query`; ``costs``, a row per run.
        images: the data set.
        device: what speeds were measured on, in words.
    """
    shown = dict(list(evaluations.items())[:SHOWN])
    template = environment().get_template("runs.html.j2")
    text = template.render(
        title=title,
        names=list(evaluations),
        base=next(iter(evaluations)),
        shown=dict(zip(shown, COLOURS, strict=False)),
        groups=_groups(tables["scores"]),
        changes=_changes(tables["queries"]),
        count=len(tables["queries"]),
        statements=_statements(evaluations),
        problems=max(len(each.problems) for each in evaluations.values()),
        curves=svg(draw_curves(shown)),
        costs=tables["costs"],
        queries=_queries(tables["queries"], shown, images),
        device=device,
        style=(Path(__file__).parent / "page.css").read_text("utf-8"),
    )
    write_text(path, text)


def _groups(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the rows of scores by pairs, which is empty where queries are ranked, run and metric.

    A run has its metrics in the table's order.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in scores.to_dict("records"):
        runs = found.setdefault(str(row.get("pairs", "")), {})
        runs.setdefault(row["run"], {})[row["metric"]] = row
    return found


def _changes(queries: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Count for each run on how many queries it is better, and worse, than the first."""
    gains = queries.sub(queries.iloc[:, 0], axis=0)
    return {
        str(run): (int((gain > 1e-9).sum()), int((gain < -1e-9).sum()))
        for run, gain in gains.items()
    }


def _statements(evaluations: Mapping[str, Evaluation]) -> dict[str, list[str]]:
    """Return what was done, each time with the runs of which it is true."""
    found: dict[str, list[str]] = {}
    for name, evaluation in evaluations.items():
        found.setdefault(evaluation.protocol, []).append(name)
    return found


def _queries(
    scores: pd.DataFrame, evaluations: Mapping[str, Evaluation], images: Images
) -> list[Differing] | None:
    """Return the queries to show; None where pairs were verified."""
    finders = {name: each.find for name, each in evaluations.items() if each.find}
    if not finders:
        return None
    return differing(most_differing(scores[list(finders)]), finders, images)

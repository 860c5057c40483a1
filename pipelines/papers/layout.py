"""A paper's tables with our numbers beside the paper's, and the differences between rows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipelines.ablation.summary import METRICS, Difference, difference, means, told
from pipelines.papers.declare import Paper, Row, Table


def score_table(table: Table, results: pd.DataFrame, trained_as: Mapping[str, str]) -> pd.DataFrame:
    """Return a row per row of the paper's table.

    Args:
        table: of the paper.
        results: see `pipelines.ablation.trials.collect`; labelled ``row`` and ``seed``.
        trained_as: by a row's name, that of its training in ``results``.

    Returns:
        ``row``, ``label``, ``here``, ``trained as``, and NaN where a row has no results ``seeds``,
        each of `METRICS` and its spread; then ``paper SET METRIC`` for each of the paper's.
    """
    names = [f"paper {name} {metric}" for name in table.sets for metric, _ in table.metrics]
    rows = [
        (row.name, row.label, row.own_label, trained_as.get(row.name), *row.figures)
        for row in table.rows
    ]
    paper = pd.DataFrame(rows, columns=["row", "label", "here", "trained as", *names])
    found = paper.merge(means(results, "row"), how="left", left_on="trained as", right_index=True)
    return found[[*(name for name in found.columns if name not in names), *names]]


def for_people(table: Table, scores: pd.DataFrame, data: str) -> pd.DataFrame:
    """Return `score_table` with mean and spread in one cell, under the paper's own names.

    A table of several data sets is laid out as printed, a block for each, and ours below; one of a
    single set has its traits behind the name.

    Args:
        table: of the paper.
        scores: of it.
        data: the name of our data set.
    """
    metrics = [name for name, _ in table.metrics]
    ours = pd.DataFrame({shown: _cells(scores, name) for shown, name in table.metrics})
    papers = [
        pd.DataFrame({m: _printed(scores[f"paper {name} {m}"], table.digits) for m in metrics})
        for name in table.sets
    ]
    if len(table.sets) == 1:
        theirs = papers[0].add_prefix("paper ")
        traits = pd.DataFrame([row.traits for row in table.rows], columns=[*table.traits])
        return pd.concat([scores["here"].rename(table.head), traits, ours, theirs], axis=1)
    blocks = [
        (f"paper: {name}", scores["label"], block)
        for name, block in zip(table.sets, papers, strict=True)
    ]
    for place, labels, block in [*blocks, (data, scores["here"], ours)]:
        block.insert(0, table.head, labels)
        block.insert(0, "data", place)
    return pd.concat([*papers, ours], ignore_index=True)


def _cells(scores: pd.DataFrame, metric: str) -> list[str]:
    pairs = zip(scores[metric], scores[f"{metric} spread"], strict=True)
    return ["" if pd.isna(mean) else told(mean, spread) for mean, spread in pairs]


def _printed(figures: pd.Series[float], digits: int) -> list[str]:
    return [f"{figure:.{digits}f}" for figure in figures]


def difference_table(
    paper: Paper, results: pd.DataFrame, trained_as: Mapping[str, str]
) -> pd.DataFrame:
    """Compare every training with the paper's own method, by all metrics.

    Returns:
        ``row``, ``metric``, ``difference``, ``low``, ``high``: ``row`` minus the paper's own
        method, paired over queries, 95 % interval over identities; empty where that method has no
        results.
    """
    there = set(results["row"])
    rows = [
        (name, metric, *found)
        for name in dict.fromkeys(trained_as.values())
        if name != trained_as[paper.full] and {name, trained_as[paper.full]} <= there
        for metric in METRICS
        if (found := difference(results, "row", name, trained_as[paper.full], metric)) is not None
    ]
    return pd.DataFrame(rows, columns=["row", "metric", "difference", "low", "high"])


def differences_for_people(
    table: Table, differences: pd.DataFrame, paper: Paper, trained_as: Mapping[str, str]
) -> pd.DataFrame:
    """Return what each row of a table is above the paper's own method, beside what is printed.

    Args:
        table: of the paper; the paper's own differences are given where it has that method and
            one data set.
        differences: see `difference_table`.
        paper: whose table it is.
        trained_as: see `score_table`.
    """
    full = next(row for row in paper.rows if row.name == paper.full)
    same = [row for row in table.rows if trained_as.get(row.name) == trained_as[full.name]]
    found = {
        (name, metric): Difference(value, low, high)
        for name, metric, value, low, high in differences.itertuples(index=False)
    }
    rows = []
    for row in table.rows:
        name = trained_as.get(row.name)
        if (name, METRICS[0]) not in found:
            continue
        cells = [str(found[name, metric]) for _, metric in table.metrics]
        beside = _printed_differences(table, row, same[0]) if same else []
        rows.append([row.own_label, *cells, *beside])
    names = [name for name, _ in table.metrics]
    theirs = [f"paper {name}" for name in names] if same and len(table.sets) == 1 else []
    return pd.DataFrame(rows, columns=[table.head, *names, *theirs])


def _printed_differences(table: Table, row: Row, full: Row) -> list[str]:
    if len(table.sets) > 1:
        return []
    pairs = zip(row.figures, full.figures, strict=True)
    return [f"{one - other:+.{table.digits}f}" for one, other in pairs]

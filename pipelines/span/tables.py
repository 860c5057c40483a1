"""SPAN's Tables 1 and 2 with our numbers beside the paper's."""

from __future__ import annotations

import pandas as pd

from pipelines.ablation.summary import METRICS, difference, means, told_metrics
from pipelines.span.rows import OURS, ROWS


def score_table(results: pd.DataFrame) -> pd.DataFrame:
    """Return a row per network that has results, in the tables' order.

    Args:
        results: see `pipelines.ablation.trials.collect`; labelled ``row`` and ``seed``.

    Returns:
        ``row``, ``network``, ``seeds``, each metric and its spread, ``paper R-1``, ``paper mAP``.
    """
    paper = pd.DataFrame(
        [(row.name, row.label, row.rank1, row.mean) for row in ROWS],
        columns=["row", "network", "paper R-1", "paper mAP"],
    )
    table = paper.merge(means(results, "row"), left_on="row", right_index=True)
    last = ["paper R-1", "paper mAP"]
    return table[[*(name for name in table.columns if name not in last), *last]]


def for_people(scores: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the rows of one of the paper's tables, with mean and spread in one cell."""
    names = [row.name for row in ROWS if number in row.tables]
    mine = scores[scores["row"].isin(names)]
    cells = {"network": mine["network"], **told_metrics(mine)}
    return pd.DataFrame({**cells, **{name: mine[name] for name in ("paper R-1", "paper mAP")}})


def differences(results: pd.DataFrame) -> pd.DataFrame:
    """Compare SPAN with CPDM with every other network, paired over queries.

    Returns:
        ``difference`` in words, and each metric as text with its 95 % interval over identities.
    """
    labels = {row.name: row.label for row in ROWS}
    rows = []
    for row in ROWS:
        if row.name == OURS:
            continue
        cells = [difference_or_none(results, row.name, metric) for metric in METRICS]
        if all(cells):
            rows.append([f"{labels[OURS]} - {labels[row.name]}", *map(str, cells)])
    return pd.DataFrame(rows, columns=["difference", *METRICS])


def difference_or_none(results: pd.DataFrame, other: str, metric: str) -> object:
    """Return SPAN with CPDM minus another network; None where one has no results."""
    there = set(results["row"])
    return difference(results, "row", OURS, other, metric) if {OURS, other} <= there else None


def mask_table(agreements: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how well masks agree with the true ones, a row per set of losses and view.

    Args:
        agreements: see `pipelines.jobs.views.compare_masks`, by what `pipelines.span.rows.MASKS`
            calls them.
    """
    labels = {row.masks: row.label for row in ROWS if row.masks and 1 in row.tables}
    frames = [table.assign(losses=labels[name]) for name, table in agreements.items()]
    table = pd.concat(frames, ignore_index=True)
    return table[["losses", "view", "images", "iou", "false"]]

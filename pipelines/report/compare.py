"""Two networks on the same queries."""

from __future__ import annotations

import pandas as pd

from reid.evaluation import compare
from reid.evaluation.report import Evaluation


def paired(plain: Evaluation, prn: Evaluation) -> pd.DataFrame:
    """Join the scores of each query.

    Returns:
        A row per query that both networks counted: ``image``, ``identity``, ``camera``, and
        ``ap``, ``inp`` and ``first`` of each network with ``_plain`` and ``_prn`` behind,
        and ``gain``, how much PRN's average precision is higher.
    """
    both = compare.paired(plain, prn)
    columns = {
        f"{score}_{number}": f"{score}_{name}"
        for score in ("ap", "inp", "first")
        for number, name in ((1, "plain"), (2, "prn"))
    }
    return both[["image", "identity", "camera", *columns, "gain"]].rename(columns=columns)


def comparison(plain: Evaluation, prn: Evaluation) -> pd.DataFrame:
    """Compare the networks metric by metric.

    Returns:
        A row per metric: ``metric``; ``plain`` and ``PRN``, each with ``_low`` and ``_high``;
        and ``difference`` (PRN - plain) with ``low`` and ``high``. Intervals are of 95 %,
        bootstrapped over identities, that of the difference over pairs.
    """
    table = compare.differences(plain, prn).rename(columns={"first": "plain", "second": "PRN"})
    for name, evaluation in (("plain", plain), ("PRN", prn)):
        bounds = evaluation.table.set_index("metric")[["low", "high"]].add_prefix(f"{name}_")
        table = table.join(bounds, on="metric")
    return table

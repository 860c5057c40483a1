"""Two networks on the same queries."""

from __future__ import annotations

import pandas as pd

from reid.evaluation.bootstrap import bootstrap_difference
from reid.evaluation.report import Evaluation

_BY_QUERY = ["image", "identity", "camera"]


def paired(plain: Evaluation, prn: Evaluation) -> pd.DataFrame:
    """Join the scores of each query.

    Returns:
        A row per query that both networks counted: ``image``, ``identity``, ``camera``, and
        ``ap``, ``inp`` and ``first`` of each network with ``_plain`` and ``_prn`` behind,
        and ``gain``, how much PRN's average precision is higher.
    """
    one, other = (each.per_query[[*_BY_QUERY, "ap", "inp", "first"]] for each in (plain, prn))
    both = one.merge(other, on=_BY_QUERY, suffixes=("_plain", "_prn"))
    return both.assign(gain=both["ap_prn"] - both["ap_plain"])


def comparison(plain: Evaluation, prn: Evaluation) -> pd.DataFrame:
    """Compare the networks metric by metric.

    Returns:
        A row per metric: ``metric``; ``plain`` and ``PRN``, each with ``_low`` and ``_high``;
        and ``difference`` (PRN - plain) with ``low`` and ``high``. Intervals are of 95 %,
        bootstrapped over identities, that of the difference over pairs.
    """
    both = paired(plain, prn)
    table = plain.table.merge(prn.table, on="metric", suffixes=("_plain", "_prn"))
    rows = []
    for row in table.itertuples():
        one, other = (_values(both, str(row.metric), name) for name in ("plain", "prn"))
        several = both["identity"].nunique() > 1
        difference = float((other - one).mean())
        low, high = (
            bootstrap_difference(other, one, list(both["identity"]))
            if several
            else (float("nan"), float("nan"))
        )
        rows.append(
            {
                "metric": row.metric,
                "plain": row.value_plain,
                "plain_low": row.low_plain,
                "plain_high": row.high_plain,
                "PRN": row.value_prn,
                "PRN_low": row.low_prn,
                "PRN_high": row.high_prn,
                "difference": difference,
                "low": low,
                "high": high,
            }
        )
    return pd.DataFrame(rows)


def _values(both: pd.DataFrame, metric: str, name: str) -> pd.Series[float]:
    if metric == "mAP":
        return both[f"ap_{name}"]
    if metric == "mINP":
        return both[f"inp_{name}"]
    return (both[f"first_{name}"] <= int(metric.removeprefix("rank-"))).astype(float)

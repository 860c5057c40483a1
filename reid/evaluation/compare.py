"""Two evaluations of the same queries or pairs: the difference, and how sure it is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from annotations.errors import InputError
from reid.evaluation.bootstrap import bootstrap_difference
from reid.evaluation.protocols.ranked import metric_columns
from reid.evaluation.report import Evaluation

_KEYS = (["image", "identity", "camera", "repeat"], ["pairs", "first", "second"])


def paired(first: Evaluation, second: Evaluation) -> pd.DataFrame:
    """Join the scores of each query, or pair, that both evaluations counted.

    Returns:
        what names a query or pair, the scores with ``_1`` and ``_2`` behind, and ``gain``: how
        much higher the second one's average precision is, or for pairs whether it is right
        where the first is not (1) or the other way round (-1).

    Raises:
        InputError: they have no query or pair in common.
    """
    kind = _KEYS[0] if "image" in first.per_query else _KEYS[1]
    known = [[name for name in kind if name in each.per_query] for each in (first, second)]
    if known[0] != known[1]:
        raise InputError("the evaluations followed two protocols and cannot be compared")
    keys = known[0]
    # A pair may be listed twice.
    sides = [
        each.per_query.assign(again=each.per_query.groupby(keys, dropna=False).cumcount())
        for each in (first, second)
    ]
    both = sides[0].merge(sides[1], on=[*keys, "again"], suffixes=("_1", "_2"))
    both = both.drop(columns="again")
    if both.empty:
        raise InputError("the evaluations have no query in common and cannot be compared")
    score = "ap" if kind is _KEYS[0] else "right"
    return both.assign(gain=both[f"{score}_2"].astype(float) - both[f"{score}_1"].astype(float))


def differences(first: Evaluation, second: Evaluation) -> pd.DataFrame:
    """Return each metric of both evaluations and its difference, paired by query.

    Returns:
        ``metric`` (for pairs after ``pairs``), ``first``, ``second``, ``difference`` (second -
        first), ``low`` and ``high``, its 95 % bootstrap interval, over identities where these
        are known; empty where a metric is no mean over queries.

    Raises:
        InputError: as `paired`.
    """
    both = paired(first, second)
    keys = [name for name in ("pairs", "metric") if name in first.table]
    table = first.table[[*keys, "value"]].merge(second.table[[*keys, "value"]], on=keys)
    table = table.rename(columns={"value_x": "first", "value_y": "second"})
    intervals = [
        _interval({str(key): str(word) for key, word in row.items()}, both)
        for row in table[keys].to_dict("records")
    ]
    return table.assign(
        difference=table["second"] - table["first"],
        low=[low for low, _ in intervals],
        high=[high for _, high in intervals],
    )


def _interval(row: dict[str, str], both: pd.DataFrame) -> tuple[float, float]:
    metric = row["metric"]
    if "pairs" in row:
        mine = both[both["pairs"] == row["pairs"]]
        if metric != "accuracy" or len(mine) < 2:
            return np.nan, np.nan
        return bootstrap_difference(mine["right_2"].astype(float), mine["right_1"].astype(float))
    sides = (
        both[[f"{name}_{side}" for name in ("ap", "inp", "first")]].set_axis(
            ["ap", "inp", "first"], axis=1
        )
        for side in (1, 2)
    )
    hit = metric.rstrip("0123456789")
    one, other = (metric_columns(side, hit)[metric] for side in sides)
    if both["identity"].nunique() < 2:
        return np.nan, np.nan
    return bootstrap_difference(other, one, list(both["identity"]))

"""Evaluations of the same queries or pairs: their differences, and how sure these are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
import pandas as pd

from annotations.errors import InputError
from reid.evaluation.bootstrap import bootstrap_difference
from reid.evaluation.protocols.ranked import metric_columns
from reid.evaluation.report import Evaluation

_KEYS = (["image", "identity", "camera", "repeat"], ["pairs", "first", "second"])
_NOTHING = "the evaluations have no query in common and cannot be compared"


def paired(first: Evaluation, second: Evaluation) -> pd.DataFrame:
    """Join the scores of each query, or pair, that both evaluations counted.

    Returns:
        what names a query or pair, the scores with ``_1`` and ``_2`` behind, and ``gain``: how
        much higher the second one's average precision is, or for pairs whether it is right
        where the first is not (1) or the other way round (-1).

    Raises:
        InputError: they have no query or pair in common.
    """
    keys, sides = _lined_up((first, second))
    both = sides[0].merge(sides[1], on=keys, suffixes=("_1", "_2")).drop(columns="again")
    if both.empty:
        raise InputError(_NOTHING)
    score = _score(keys)
    return both.assign(gain=both[f"{score}_2"].astype(float) - both[f"{score}_1"].astype(float))


def by_query(evaluations: Mapping[str, Evaluation]) -> pd.DataFrame:
    """Line up the score of each query, or pair, that all evaluations counted.

    Returns:
        a row per query or pair, whose index names it, and a column per evaluation, called by its
        name: the average precision, or for pairs 1 where it is right and 0 where it is not.

    Raises:
        InputError: as `paired`.
    """
    keys, sides = _lined_up(list(evaluations.values()))
    # Numbered, since an evaluation may be called 'image', too.
    numbered = [
        side[[*keys, _score(keys)]].rename(columns={_score(keys): place})
        for place, side in enumerate(sides)
    ]
    every = reduce(lambda left, right: left.merge(right, on=keys), numbered)
    if every.empty:
        raise InputError(_NOTHING)
    every = every.drop(columns="again").set_index([key for key in keys if key != "again"])
    return every.astype(float).set_axis(list(evaluations), axis=1)


def _lined_up(evaluations: Sequence[Evaluation]) -> tuple[list[str], list[pd.DataFrame]]:
    """Return what names a query or pair, and the scores of each evaluation."""
    kinds = [_KEYS[0] if "image" in each.per_query else _KEYS[1] for each in evaluations]
    known = [
        [name for name in kind if name in each.per_query]
        for kind, each in zip(kinds, evaluations, strict=True)
    ]
    if any(keys != known[0] for keys in known):
        raise InputError("the evaluations followed two protocols and cannot be compared")
    # A pair may be listed twice.
    sides = [
        each.per_query.assign(again=each.per_query.groupby(known[0], dropna=False).cumcount())
        for each in evaluations
    ]
    return [*known[0], "again"], sides


def _score(keys: list[str]) -> str:
    return "ap" if "image" in keys else "right"


def against(base: str, evaluations: Mapping[str, Evaluation]) -> pd.DataFrame:
    """Return every metric of every evaluation, and its difference to one of them.

    Args:
        base: the one that the others are compared with.
        evaluations: by name.

    Returns:
        ``run``, for pairs ``pairs``, ``metric``, ``value``, ``low`` and ``high``, and
        ``difference`` (to the base's value), ``difference_low`` and ``difference_high``: see
        `differences`. Of the base itself the last three are empty.

    Raises:
        InputError: as `paired`.
    """
    tables = []
    for name, evaluation in evaluations.items():
        table = evaluation.table.assign(run=name)
        keys = [key for key in ("pairs", "metric") if key in table]
        if name != base:
            gains = differences(evaluations[base], evaluation)[[*keys, "difference", "low", "high"]]
            gains = gains.rename(columns={end: f"difference_{end}" for end in ("low", "high")})
            table = table.merge(gains, on=keys)
        tables.append(table[["run", *(column for column in table if column != "run")]])
    return pd.concat(tables, ignore_index=True)


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

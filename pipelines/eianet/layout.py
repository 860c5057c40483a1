"""EIA-Net's Tables 1 to 4 with our figures beside the paper's, and the steps of its ladder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import pandas as pd
from sklearn.metrics import roc_auc_score

from detection.selection import accuracy_by_part
from pipelines.ablation.summary import METRICS, Difference, difference, means, told, told_metrics
from pipelines.eianet.ladder import NETWORKS, Level, Network
from pipelines.eianet.published import SETS, TABLE1, Published
from reid.evaluation.bootstrap import bootstrap_difference

Score = Literal["accuracy", "auc"]


def accuracies(results: pd.DataFrame) -> pd.DataFrame:
    """Return the share of pairs judged right, and how well pairs are ordered, over seeds.

    Args:
        results: of all trials, see `pipelines.ablation.trials.collect` and
            `pipelines.eianet.verification.by_pairs`; the trial's own level is ``trained``.

    Returns:
        a row per ``network``, ``trained``, ``level``, ``judge`` and ``pairs``: ``accuracy`` and
        ``auc``, the area under the ROC curve, which no threshold enters; the ``spread`` of each
        (standard deviation over seeds, n - 1; NaN for one) and ``seeds``.
    """
    keys = ["network", "trained", "level", "judge", "pairs"]
    each = results.groupby([*keys, "seed"], sort=False)
    right = each["right"].mean().groupby(level=keys, sort=False)
    auc = each[["same", "surely"]].apply(_auc).groupby(level=keys, sort=False)
    table = pd.DataFrame(
        {
            "accuracy": right.mean(),
            "spread": right.std(),
            "auc": auc.mean(),
            "auc_spread": auc.std(),
            "seeds": right.size(),
        }
    )
    return table.reset_index()


def _auc(pairs: pd.DataFrame) -> float:
    """Return the area under the ROC curve; NaN where all pairs are the same, or none is."""
    same = pairs["same"].to_numpy(bool)
    return float("nan") if same.all() or not same.any() else roc_auc_score(same, pairs["surely"])


def beside(
    published: Sequence[Published], found: pd.DataFrame, level: Level, lists: Sequence[str]
) -> pd.DataFrame:
    """Return one of Tables 2 to 4: the paper's accuracies, then our means over seeds, as text.

    Args:
        published: its rows.
        found: see `accuracies`.
        level: at which it is tested.
        lists: the names of our test pairs, in order.
    """
    mine = mean_and_spread(found, level)
    rows = []
    for row in published:
        *compcars, vehicleid = (f"{value:.3f}" for value in row.accuracies)
        keys = [(row.network, row.judge, name) for name in lists]
        ours = " ".join(f"{mine[key][0]:.3f}" for key in keys if key in mine)
        rows.append([row.name, " ".join(compcars), vehicleid, ours])
    return pd.DataFrame(rows, columns=["method", *SETS, f"here: {', '.join(lists)}"])


def every_judge(
    found: pd.DataFrame, level: Level, lists: Sequence[str], score: Score = "accuracy"
) -> pd.DataFrame:
    """Return what we have, a row per network and judge; the paper has some of these rows."""
    mine = mean_and_spread(found, level, score)
    rows = [
        [network.label, judge, *(_cell(mine, network.name, judge, name) for name in lists)]
        for network in NETWORKS
        for judge in found["judge"].unique()
        if any((network.name, judge, name) in mine for name in lists)
    ]
    return pd.DataFrame(rows, columns=["network", "judge", *lists])


Scores = Mapping[tuple[str | None, str, str], tuple[float, float]]


def mean_and_spread(found: pd.DataFrame, level: Level, score: Score = "accuracy") -> Scores:
    """Return mean and spread of `accuracies` at a level, by network, judge and pairs.

    Of a network that was not trained at that level, those of its training at another.
    """
    mine = _best_trained(found, level)
    keys = zip(mine["network"], mine["judge"], mine["pairs"], strict=True)
    spread = mine["spread" if score == "accuracy" else "auc_spread"]
    return dict(zip(keys, zip(mine[score], spread, strict=True), strict=True))


def _best_trained(table: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Return what was tested at a level, of each network as it was trained at that level, or else.

    Networks trained by released years are tested at model level, too.
    """
    mine = table[table["level"] == level]
    at = mine["trained"] == level
    return mine[at | ~mine["network"].isin(mine.loc[at, "network"])]


def _cell(scores: Scores, network: str | None, judge: str, pairs: str) -> str:
    key = network, judge, pairs
    return told(*scores[key]) if key in scores else ""


def steps(results: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Compare each network with the one before it, by distance, on all pairs of a level.

    A pair's score is its mean over the seeds that both networks have. Intervals are bootstrapped
    over pairs; pairs share images and models, so they are rather too narrow.

    Returns:
        ``step`` and ``accuracy``: the difference with its 95 % interval.
    """
    mine = _best_trained(results, level)
    mine = mine[mine["judge"] == "distance"]
    rows: list[tuple[str, str]] = []
    there = [network for network in NETWORKS if (mine["network"] == network.name).any()]
    for before, after in pairwise(there):
        keys = ["seed", "pairs", "first", "second"]
        sides = [
            mine.loc[mine["network"] == each.name, [*keys, "right"]] for each in (after, before)
        ]
        both = sides[0].merge(sides[1], on=keys)
        if both.empty:
            continue
        pair = both.astype({"right_x": float, "right_y": float}).groupby(keys[1:])
        one, other = (pair[side].mean() for side in ("right_x", "right_y"))
        low, high = bootstrap_difference(one, other)
        found = Difference(float((one - other).mean()), low, high)
        rows.append((_step(before, after), str(found)))
    return pd.DataFrame(rows, columns=["step", "accuracy"])


def detection(scores: pd.DataFrame | None, used: Sequence[str]) -> pd.DataFrame:
    """Return Table 1: the paper's detection accuracy of each part, our AP50, and what is used.

    Args:
        scores: the detector's own table, see `detection.selection.accuracy_by_part`; None where
            boxes are not those of a tested detector.
        used: the recipe's parts.
    """
    ours = {} if scores is None else accuracy_by_part(scores)
    parts = [*TABLE1, *(part for part in used if part not in TABLE1)]
    rows = [
        (part, TABLE1.get(part), ours.get(part), "yes" if part in used else "") for part in parts
    ]
    return pd.DataFrame(rows, columns=["part", "paper", "here AP50", "used here"])


def ranked(results: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of re-identification, a row per network, as `summary.means` has them."""
    found = means(results, "network")
    order = [network.name for network in NETWORKS if network.name in found.index]
    return found.loc[order].rename_axis("network").reset_index()


def ranked_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Return `ranked` with mean and spread in one cell."""
    labels = {network.name: network.label for network in NETWORKS}
    return pd.DataFrame({"network": table["network"].map(labels), **told_metrics(table)})


def ranked_steps(results: pd.DataFrame) -> pd.DataFrame:
    """Compare each network with the one before it; see `pipelines.ablation.summary.difference`."""
    there = [network for network in NETWORKS if (results["network"] == network.name).any()]
    rows = []
    for before, after in pairwise(there):
        cells = [
            difference(results, "network", after.name, before.name, metric) for metric in METRICS
        ]
        if all(cell is not None for cell in cells):
            rows.append([_step(before, after), *map(str, cells)])
    return pd.DataFrame(rows, columns=["step", *METRICS])


def _step(before: Network, after: Network) -> str:
    return f"{after.label} over {before.label.removeprefix('+ ')}"

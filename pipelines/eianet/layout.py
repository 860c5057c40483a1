"""EIA-Net's Tables 1 to 4 with our figures beside the paper's, and the steps of its ladder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import pandas as pd
from sklearn.metrics import roc_auc_score

from detection.selection import accuracy_by_part
from pipelines.ablation.summary import METRICS, Difference, difference, means, told, told_metrics
from pipelines.eianet.ladder import EVERY, NETWORKS, Level, Network
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


def score_table(
    published: Sequence[Published], found: pd.DataFrame, level: Level, lists: Sequence[str]
) -> pd.DataFrame:
    """Return one of Tables 2 to 4, a row per row of the paper's.

    Args:
        published: its rows.
        found: see `accuracies`.
        level: at which it is tested.
        lists: the names of our test pairs, in order.

    Returns:
        ``method``, ``network``, ``judge``, and empty where a row has no results ``trained``, the
        level that the network learned from, ``seeds``, the mean accuracy on each of ``lists`` and
        its spread; then ``paper SET`` for each of `SETS`.
    """
    mine = _best_trained(found, level)
    there = {(one.network, one.judge, one.pairs): one for one in mine.itertuples()}
    scores = [name for pairs in lists for name in (pairs, f"{pairs} spread")]
    papers = [f"paper {name}" for name in SETS]
    rows = []
    for row in published:
        cells: dict[str, object] = dict(zip(papers, row.accuracies, strict=True))
        cells |= {"method": row.name, "network": row.network, "judge": row.judge}
        for pairs in lists:
            if one := there.get((row.network, row.judge, pairs)):
                cells |= {"trained": one.trained, "seeds": one.seeds}
                cells |= {pairs: one.accuracy, f"{pairs} spread": one.spread}
        rows.append(cells)
    columns = ["method", "network", "judge", "trained", "seeds", *scores, *papers]
    return pd.DataFrame(rows, columns=columns).astype({"seeds": "Int64"})


def beside(scores: pd.DataFrame, lists: Sequence[str]) -> pd.DataFrame:
    """Return `score_table` for people: the paper's accuracies, and ours with their spread.

    Args:
        scores: the table.
        lists: see there.
    """
    cells = {"method": scores["method"]}
    for name in SETS:
        cells[f"paper: {name}"] = scores[f"paper {name}"].map("{:.3f}".format)
    for name in lists:
        pairs = zip(scores[name], scores[f"{name} spread"], strict=True)
        told_here = ["not run" if pd.isna(mean) else told(mean, spread) for mean, spread in pairs]
        cells[f"here: {name}"] = pd.Series(told_here)
    return pd.DataFrame(cells)


def left_out(
    published: Sequence[Published], scores: pd.DataFrame, lists: Sequence[str]
) -> list[str]:
    """Say, a line per reason, why rows have nothing of ours.

    Args:
        published: the table's rows.
        scores: see `score_table`.
        lists: see there.
    """
    reasons: dict[str, list[str]] = {}
    run = set(scores.loc[scores["seeds"].notna(), "network"])
    for row, none in zip(published, scores[list(lists)].isna().all(axis=1), strict=True):
        if none and row.network in run:
            reasons.setdefault(f"its features cannot be judged by {row.judge}", []).append(row.name)
        elif none:
            asked = f"not trained; ask by --rows {row.network} (ROWS={row.network})"
            reasons.setdefault(row.lacking or asked, []).append(row.name)
    return [f"left out: {', '.join(names)}: {reason}" for reason, names in reasons.items()]


def every_judge(
    found: pd.DataFrame, level: Level, lists: Sequence[str], score: Score = "accuracy"
) -> pd.DataFrame:
    """Return what we have, a row per network and judge; the paper has some of these rows."""
    mine = mean_and_spread(found, level, score)
    rows = [
        [network.label, judge, *(_cell(mine, network.name, judge, name) for name in lists)]
        for network in EVERY
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
    mean, spread = scores.get((network, judge, pairs), (float("nan"), float("nan")))
    return "" if pd.isna(mean) else told(mean, spread)


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

    Returns:
        ``part``, ``paper`` and ``here AP50``, NaN where there is none, and ``used here``, a bool.
    """
    ours = {} if scores is None else accuracy_by_part(scores)
    parts = [*TABLE1, *(part for part in used if part not in TABLE1)]
    rows = [(part, TABLE1.get(part), ours.get(part), part in used) for part in parts]
    table = pd.DataFrame(rows, columns=["part", "paper", "here AP50", "used here"])
    return table.astype({"paper": float, "here AP50": float})


def detection_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Return `detection` as text."""
    shares = {
        name: table[name].map("{:.3f}".format, na_action="ignore").fillna("")
        for name in ("paper", "here AP50")
    }
    return table.assign(**shares, **{"used here": table["used here"].map({True: "yes", False: ""})})


def ranked(results: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of re-identification, a row per network, as `summary.means` has them."""
    found = means(results, "network")
    order = [network.name for network in EVERY if network.name in found.index]
    return found.loc[order].rename_axis("network").reset_index()


def ranked_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Return `ranked` with mean and spread in one cell."""
    labels = {network.name: network.label for network in EVERY}
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

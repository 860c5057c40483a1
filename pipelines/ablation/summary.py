"""What several trainings say together: means, spreads over seeds, and paired differences."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from annotations.errors import InputError
from reid.evaluation.bootstrap import bootstrap_difference

METRICS = ("mAP", "rank-1", "rank-5", "mINP")


class Difference(NamedTuple):
    """A difference of means and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def with_metrics(results: pd.DataFrame) -> pd.DataFrame:
    """Add each query's share of every metric, a column per name in `METRICS`."""
    first = results["first"]
    shares = (results["ap"], (first <= 1) * 1.0, (first <= 5) * 1.0, results["inp"])
    return results.assign(**dict(zip(METRICS, shares, strict=True)))


def means(results: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return each network's means over seeds and the spread between seeds.

    Args:
        results: see `pipelines.ablation.trials.collect`; has a column ``seed``.
        by: the column that tells networks apart.

    Returns:
        by network: ``seeds``, each metric, and each metric with `` spread``, the standard
        deviation over seeds (n - 1), NaN for one seed.
    """
    each = with_metrics(results).groupby([by, "seed"])[list(METRICS)].mean()
    grouped = each.groupby(level=by)
    spread = grouped.std().add_suffix(" spread")
    return pd.concat([grouped.size().rename("seeds"), grouped.mean(), spread], axis=1)


def told(mean: float, spread: float) -> str:
    """Return a mean with its spread, where there is one, such as ``0.514 ±0.009``."""
    return f"{mean:.3f}" + ("" if pd.isna(spread) else f" ±{spread:.3f}")


def told_metrics(table: pd.DataFrame) -> dict[str, pd.Series[str]]:
    """Return the metrics of a table of `means` as text, mean and spread in one cell."""
    return {
        name: pd.Series([*map(told, table[name], table[f"{name} spread"])], index=table.index)
        for name in METRICS
    }


def seeds_told(table: pd.DataFrame) -> str:
    """Say over how many seeds the means of a table with a column ``seeds`` are."""
    low, high = table["seeds"].min(), table["seeds"].max()
    if low < high:
        return f"mean ± standard deviation over {low} to {high} seeds, as far as trained"
    return "one seed" if high == 1 else f"mean ± standard deviation over {high} seeds"


def in_short(results: pd.DataFrame, by: str) -> str:
    """Return the metrics of one network in a line; see `means`."""
    scores = means(results, by).iloc[0]
    return ", ".join(f"{name} {scores[name]:.3f}" for name in METRICS)


def difference(
    results: pd.DataFrame, by: str, first: str, second: str, metric: str
) -> Difference | None:
    """Compare two networks on the same queries, over the seeds that both have.

    Each query's score is its mean over seeds; whole identities are drawn for the interval,
    which is of the choice of vehicles, not of seeds.

    Returns:
        ``first`` minus ``second``, or None where the two share no seed.

    Raises:
        InputError: there are fewer than two test identities.
    """
    table = with_metrics(results)
    keys = ["seed", "image", "identity"]
    sides = [table.loc[table[by] == name, [*keys, metric]] for name in (first, second)]
    pairs = sides[0].merge(sides[1], on=keys)
    if pairs.empty:
        return None
    query = pairs.groupby(["image", "identity"])[[f"{metric}_x", f"{metric}_y"]].mean()
    one, other = query[f"{metric}_x"], query[f"{metric}_y"]
    identities = query.index.get_level_values("identity").tolist()
    if len(set(identities)) < 2:
        raise InputError("a comparison needs at least two test identities with a true match")
    low, high = bootstrap_difference(one, other, identities)
    return Difference(float((one - other).mean()), low, high)

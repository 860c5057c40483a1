"""The queries on which runs differ most, with what each run found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from annotations.images import Images
from pipelines.report.look_alikes import rows_by_name
from pipelines.report.tiles import Tile, Verdict
from reid.retrieval.thumbnails import make_thumbnails

Find: TypeAlias = Callable[[Sequence[str], int], pd.DataFrame]
"""From queries and how many to what is nearest; see `reid.evaluation.report.Evaluation.find`."""

_EACH, _TOP = 8, 8


@dataclass(frozen=True)
class Differing:
    """A query with what every run found.

    Attributes:
        name: of the image.
        query: the image.
        spread: the highest average precision less the lowest.
        scores: average precision by run.
        lists: what was found, by run.
    """

    name: str
    query: Tile
    spread: float
    scores: dict[str, float]
    lists: dict[str, list[Tile]]


def most_differing(scores: pd.DataFrame, count: int = _EACH) -> pd.DataFrame:
    """Choose the queries whose average precisions lie farthest apart, identities once.

    Args:
        scores: from `reid.evaluation.compare.by_query`; of several draws the first is looked at.
        count: how many; fewer where runs differ on fewer.

    Returns:
        Rows of ``scores``, the largest spread first.
    """
    if "repeat" in scores.index.names:
        scores = scores[scores.index.get_level_values("repeat") == 0]
    spread = spread_of(scores).sort_values(ascending=False, kind="stable")
    spread = spread[spread > 0]
    again = spread.index.get_level_values("identity").duplicated()
    return scores.loc[spread[~again].head(count).index]


def spread_of(scores: pd.DataFrame) -> pd.Series[float]:
    """Return how far the highest score of each query is above its lowest."""
    return scores.max(axis=1) - scores.min(axis=1)


def differing(scores: pd.DataFrame, finders: Mapping[str, Find], images: Images) -> list[Differing]:
    """Make the rank lists of queries.

    Args:
        scores: of the queries to show, see `most_differing`.
        finders: of the runs to show, by name.
        images: the data set.
    """
    names = [str(name) for name in scores.index.get_level_values("image")]
    found = {run: find(names, _TOP) for run, find in finders.items()}
    shown = {*names, *(str(name) for each in found.values() for name in each["image"])}
    thumbnails = make_thumbnails(images.root / name for name in shown)
    about = rows_by_name(images)

    def tile(name: str, verdict: Verdict, head: str) -> Tile:
        known = [about[name][key] for key in ("identity", "camera")]
        said = " ".join(str(value) for value in known if pd.notna(value))
        thumbnail = thumbnails[images.root / name]
        return Tile(thumbnail, verdict=verdict, head=head, lines=(said,), tip=name)

    def tiles(run: str, name: str) -> list[Tile]:
        mine = found[run].loc[found[run]["query"] == name, ["image", "match", "rank"]]
        return [
            tile(str(image), "match" if match else "miss", str(rank))
            for image, match, rank in mine.to_numpy(object)
        ]

    return [
        Differing(
            name,
            tile(name, "query", "query"),
            float(spread),
            {run: float(row[run]) for run in finders},
            {run: tiles(run, name) for run in finders},
        )
        for name, spread, row in zip(
            names, spread_of(scores), scores.to_dict("records"), strict=True
        )
    ]

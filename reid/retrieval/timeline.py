"""When and where what was found was seen: a lane for each camera, time from left to right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from annotations.times import told_time


@dataclass(frozen=True)
class Sighting:
    """One image found, on a lane; ``left`` is a percentage of the lane's width."""

    rank: int
    verdict: str
    left: float
    words: str


@dataclass(frozen=True)
class Timeline:
    """Everything found for a query.

    Attributes:
        lanes: the sightings of each camera, by its name, in the order in which they are drawn:
            the nearest last, so that it lies on top.
        first: the earliest time, in words.
        last: the latest.
        asked: where the query lies, a percentage; None where its time is not known.
    """

    lanes: dict[str, list[Sighting]]
    first: str
    last: str
    asked: float | None


def timeline(found: pd.DataFrame, verdicts: Iterable[str], asked: Any = None) -> Timeline | None:
    """Return the timeline of one query; None where no two times are known.

    Args:
        found: rows of `reid.retrieval.results.search`, of one query.
        verdicts: of each.
        asked: the query's time, or nothing.
    """
    if "time" not in found or found["time"].dropna().nunique() < 2:
        return None
    known = None if asked is None or pd.isna(asked) else float(asked)
    times = found["time"].dropna()
    low, high = (edge(times.tolist() + ([] if known is None else [known])) for edge in (min, max))
    lanes: dict[str, list[Sighting]] = {}
    for row, verdict in reversed(list(zip(found.itertuples(), verdicts, strict=True))):
        time: Any = row.time
        if pd.isna(time):
            continue
        camera = "" if pd.isna(row.camera) else str(row.camera)  # type: ignore[arg-type]
        place = round(100 * (time - low) / (high - low), 2)
        words = f"rank {row.rank}, time {told_time(time)}"
        lanes.setdefault(camera, []).append(Sighting(int(row.rank), verdict, place, words))  # type: ignore[arg-type]
    at = None if known is None else round(100 * (known - low) / (high - low), 2)
    return Timeline(dict(sorted(lanes.items())), told_time(low), told_time(high), at)

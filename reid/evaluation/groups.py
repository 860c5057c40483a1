"""Scores by camera, viewpoint, vehicle type and whatever else is known of the queries."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

KNOWN = ("camera", "viewpoint", "type", "make", "model", "year", "colour")


def scores_by(
    per_query: pd.DataFrame, images: pd.DataFrame, columns: Sequence[str] = KNOWN
) -> pd.DataFrame:
    """Score the queries of each camera, viewpoint and so on apart.

    Args:
        per_query: columns ``image``, ``ap``, ``inp`` and ``first``.
        images: an images table with these images.
        columns: of ``images``; those that it lacks, or that are empty, are passed over.

    Returns:
        a row per group: ``column``, ``group``, ``queries``, ``mAP``, ``mINP`` and ``rank-1``.
    """
    tables = []
    about = images.set_index("image")
    for column in columns:
        if column not in about or about[column].isna().all():
            continue
        group = about[column].reindex(per_query["image"]).astype("string").to_numpy()
        scores = pd.DataFrame(
            {
                "group": group,
                "queries": 1,
                "mAP": per_query["ap"].to_numpy(),
                "mINP": per_query["inp"].to_numpy(),
                "rank-1": (per_query["first"] <= 1).to_numpy(float),
            }
        )
        how = {"queries": "sum", "mAP": "mean", "mINP": "mean", "rank-1": "mean"}
        found = scores.groupby("group").agg(how).reset_index()
        found.insert(0, "column", column)
        tables.append(found)
    names = ["column", "group", "queries", "mAP", "mINP", "rank-1"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=names)

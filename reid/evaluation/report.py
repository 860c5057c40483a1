"""A trained network scored on query and gallery images, with intervals, as files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.files import whole_file, write_text
from annotations.images import Images
from reid.embedding import embed
from reid.evaluation.bootstrap import bootstrap
from reid.evaluation.rank import Ranking, rank
from reid.methods import Branches
from reid.run import Run

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Evaluation:
    """Scores and what they are scores of.

    Attributes:
        ranking: the scores; ``per_query`` also names image, identity and camera.
        table: a row per metric: ``metric``, ``value``, ``low`` and ``high``, the 95 %
            bootstrap interval over identities, all as shares.
        protocol: one line that says who was query, who gallery and what was left out.
        problems: one line for each image that could not be read.
    """

    ranking: Ranking
    table: pd.DataFrame
    protocol: str
    problems: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Write ``metrics.json`` and ``per_query.csv``."""
        values = {row.metric: [row.value, row.low, row.high] for row in self.table.itertuples()}
        about = {"protocol": self.protocol, "metrics": values, "problems": self.problems}
        write_text(folder / "metrics.json", json.dumps(about, indent=1) + "\n")
        with whole_file(folder / "per_query.csv") as aside:
            self.ranking.per_query.to_csv(aside, index=False)


def metric_table(ranking: Ranking, identities: pd.Series[str]) -> pd.DataFrame:
    """Return every metric with its 95 % bootstrap interval, identities being the units.

    Args:
        ranking: of queries with columns as `Ranking.per_query`.
        identities: of the counted queries, in order.
    """
    per_query = ranking.per_query
    columns = {"mAP": per_query["ap"], "mINP": per_query["inp"]}
    columns |= {f"rank-{k}": (per_query["first"] <= k).astype(float) for k in ranking.cmc}
    several = identities.nunique() > 1
    rows = []
    for name, values in columns.items():
        value = float(values.mean())
        low, high = bootstrap(values, list(identities)) if several else (value, value)
        rows.append((name, value, low, high))
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high"])


def evaluate(
    run: Run,
    images: Images,
    boxes: Boxes | None = None,
    *,
    branches: Branches = "global",
    device: str = "auto",
    progress: bool = True,
) -> Evaluation:
    """Score a network on the ``query`` and ``gallery`` splits of a table.

    Image to image; gallery images of the query's identity from the query's own camera are
    left out; queries without a true match are left out and counted.

    Args:
        run: the network.
        images: a table with splits ``query`` and ``gallery``.
        boxes: boxes of these images; needed where ``branches`` has parts. They must not be
            filled by identity, which would tell the answer.
        branches: see `reid.embedding.embed`.
        device: ``auto``, ``cpu``, ``cuda``.
        progress: whether to show a bar.

    Raises:
        InputError: a split or an identity is missing, or no query has a true match.
    """
    parts = [images.split(name) for name in ("query", "gallery")]
    parts[0].require("identity", "evaluation")
    for part in parts:
        part.require_files()
    if not parts[0].frame["identity"].isin(parts[1].frame["identity"]).any():
        raise InputError(f"{images.source}: no query's identity is in the gallery")
    sides = [
        embed(run, part, boxes, branches=branches, device=device, progress=progress)
        for part in parts
    ]
    query, gallery = (side.images.frame for side in sides)
    cameras = bool(query["camera"].notna().any() and gallery["camera"].notna().any())
    ranking = rank(
        sides[0].vectors,
        sides[1].vectors,
        query["identity"].tolist(),
        gallery["identity"].tolist(),
        query["camera"].tolist() if cameras else None,
        gallery["camera"].tolist() if cameras else None,
        ranks=RANKS,
        distance=run.recipe.distance,
    )
    named = query[["image", "identity", "camera"]].iloc[ranking.per_query["query"]]
    per_query = pd.concat(
        [named.reset_index(drop=True), ranking.per_query.drop(columns="query")], axis=1
    )
    left_out = (
        "same identity and camera left out" if cameras else "no camera known, nothing left out"
    )
    protocol = (
        f"{len(query)} queries, {len(gallery)} gallery images, {left_out}, "
        f"{ranking.excluded} queries without a true match excluded, branches {branches}, "
        f"{run.recipe.distance} distance"
    )
    table = metric_table(ranking, per_query["identity"])
    scored = Ranking(ranking.mAP, ranking.mINP, ranking.cmc, per_query, ranking.excluded)
    return Evaluation(scored, table, protocol, sides[0].problems + sides[1].problems)

"""What went wrong: PRN's worst queries, and what both networks took vehicles for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.report.explain import Explainer
from pipelines.report.look_alikes import KEYS, Row, compare, describe, known_keys, rows_by_name
from pipelines.report.material import Material, Network
from pipelines.report.ranks import explained
from pipelines.report.tiles import Album, Tile
from reid.distances import distance_named

_WORST, _WRONG = 6, 4


@dataclass(frozen=True)
class Failure:
    """A query that PRN ranked badly.

    Attributes:
        name: of the image.
        score: its average precision.
        first: the rank of its first true match.
        gallery: how many images were ranked.
        tiles: the query, its nearest true match, and the nearest wrong images.
        reason: which parts spoke for the first wrong image and which for the true match.
    """

    name: str
    score: float
    first: int
    gallery: int
    tiles: list[Tile]
    reason: str


def worst(both: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of PRN's worst queries, lowest average precision first, identities once."""
    ordered = both.sort_values(["ap_prn", "first_prn"], ascending=[True, False], kind="stable")
    wrong = ordered[ordered["first_prn"] > 1]
    return wrong.drop_duplicates("identity").head(_WORST)


def failures(
    both: pd.DataFrame, material: Material, explainer: Explainer, album: Album
) -> list[Failure]:
    """Show PRN's worst queries with what was found instead.

    Args:
        both: from `pipelines.report.compare.paired`.
        material: of the page.
        explainer: of PRN.
        album: makes tiles.
    """
    rows = album.rows
    keys = known_keys(material.images, (*KEYS, "viewpoint"))
    network = explainer.network
    found = []
    for _, row in worst(both).iterrows():
        query = str(row["image"])
        nearest = network.results[network.results["query"] == query]
        wrong = list(nearest.loc[~nearest["match"].astype(bool), "image"].head(_WRONG))
        mate = _nearest_true(query, rows[query], explainer)
        tiles = [
            album.tile(query, outlines=album.outlines(query), verdict="query", head="query",
                       lines=(str(rows[query]["identity"]), describe(rows[query], keys))),
        ]  # fmt: skip
        ranks = {mate: int(row["first_prn"])} | dict(
            zip(nearest["image"], nearest["rank"], strict=True)
        )
        for name in (mate, *wrong):
            evidence = explainer.evidence([query], [name], "gallery")
            likeness = compare(rows[query], rows[name], keys)
            tiles.append(
                explained(
                    album, name, explainer.by_part([name], evidence).iloc[0],
                    verdict="match" if name == mate else "miss",
                    head=f"rank {ranks[name]}" + (": nearest true match" if name == mate else ""),
                    lines=(str(rows[name]["identity"]), str(likeness)),
                )
            )  # fmt: skip
        found.append(
            Failure(query, float(row["ap_prn"]), int(row["first_prn"]),
                    len(network.gallery), tiles,
                    _reason(query, wrong[0], mate, explainer) if wrong else "")
        )  # fmt: skip
    return found


def _nearest_true(query: str, row: Row, explainer: Explainer) -> str:
    gallery = explainer.network.gallery
    frame = gallery.images.frame
    mine = (frame["identity"] == row["identity"]).to_numpy(bool, na_value=False)
    seen = (frame["camera"] == row["camera"]).to_numpy(bool, na_value=False)
    places = np.flatnonzero(mine & ~seen)
    measure = distance_named(gallery.about.distance)
    vector = measure.prepare(explainer.cells([query]).mean((2, 3)))
    distances = measure.pairwise(vector, measure.prepare(gallery.embeddings[places]))
    return str(frame["image"].iloc[places[int(distances.argmin())]])


def _reason(query: str, wrong: str, mate: str, explainer: Explainer) -> str:
    """Say what in the query spoke for the wrong image against the true match, most first."""
    maps = explainer.evidence([query], [wrong], "query", against=[mate])
    by_part = explainer.by_part([query], maps).iloc[0].sort_values(key=lambda value: -value.abs())
    said = [
        f"for {what}: {', '.join(map(str, by_part.index[sign * by_part > 0]))}"
        for what, sign in (("the first wrong image", 1), ("the true match", -1))
        if (sign * by_part > 0).any()
    ]
    return "What in the query spoke " + "; ".join(said)


def mistakes(networks: tuple[Network, Network], material: Material) -> pd.DataFrame:
    """Count what the first result was, by its likeness to the query's vehicle.

    Returns:
        A row per kind: ``first result``, ``plain`` and ``PRN`` (counts of queries), the right
        vehicle first; of wrong ones only the kinds that there are.
    """
    rows = rows_by_name(material.images)
    keys = known_keys(material.images)
    columns = {}
    for network in networks:
        first = network.results[network.results["rank"] == 1]
        first = first[first["query"].isin(network.evaluation.per_query["image"])]
        kinds = [
            "the right vehicle"
            if match
            else f"another vehicle: {compare(rows[query], rows[image], keys)}".removesuffix(": ")
            for query, image, match in zip(
                first["query"], first["image"], first["match"], strict=True
            )
        ]
        columns[network.name] = pd.Series(kinds).value_counts()
    table = pd.DataFrame(columns).fillna(0).astype(int)
    order = table.sum(axis=1).sort_values(ascending=False).index
    right = [kind for kind in order if kind == "the right vehicle"]
    wrong = [kind for kind in order if kind != "the right vehicle"]
    return table.loc[right + wrong].rename_axis("first result").reset_index()

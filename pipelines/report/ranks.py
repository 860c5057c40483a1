"""Rank lists of both networks, with the parts that decided."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.report.explain import ELSEWHERE, Explainer
from pipelines.report.material import Network
from pipelines.report.tiles import Album, Tile

SHOWN = 8
_RANDOM, _EXTREME = 4, 2


@dataclass(frozen=True)
class RankList:
    """One query under one network.

    Attributes:
        network: its name.
        score: the query's average precision.
        tiles: the query, then what was found.
    """

    network: str
    score: float
    tiles: list[Tile]


@dataclass(frozen=True)
class Shown:
    """One query under both networks.

    Attributes:
        why: by which rule it was chosen.
        name: of the image.
        gain: its average precision by PRN, less that by the plain network.
        lists: one per network.
    """

    why: str
    name: str
    gain: float
    lists: list[RankList]


def choose(both: pd.DataFrame, seed: int = 0) -> list[tuple[str, str]]:
    """Choose the queries to show: by chance, and those that changed most; identities once.

    Args:
        both: from `pipelines.report.compare.paired`.
        seed: of the chance.

    Returns:
        Image names, each with the rule that chose it.
    """
    shuffled = both.iloc[np.random.default_rng(seed).permutation(len(both))]
    rules = (
        ("drawn by chance", shuffled, _RANDOM),
        ("gained most by part regularisation", shuffled[shuffled["gain"] > 0], _EXTREME),
        ("lost most by part regularisation", shuffled[shuffled["gain"] < 0], _EXTREME),
    )
    taken: set[str] = set()
    chosen = []
    for why, frame, count in rules:
        if why != "drawn by chance":
            frame = frame.sort_values("gain", key=lambda gain: -gain.abs(), kind="stable")
        frame = frame[~frame["identity"].isin(taken)].drop_duplicates("identity").head(count)
        taken |= set(frame["identity"])
        chosen += [(str(name), why) for name in frame["image"]]
    return chosen


def rank_lists(
    both: pd.DataFrame, explainers: tuple[Explainer, Explainer], album: Album
) -> list[Shown]:
    """Make the rank lists of the chosen queries, those of the plain network first."""
    chosen = choose(both)
    for explainer in explainers:
        found = explainer.network.results
        shown = found[found["query"].isin([name for name, _ in chosen])]
        album.read([*shown["query"].unique(), *shown["image"].unique()])
    gain = both.set_index("image")["gain"]
    return [
        Shown(why, name, float(gain[name]), [_rank_list(name, each, album) for each in explainers])
        for name, why in chosen
    ]


def _rank_list(query: str, explainer: Explainer, album: Album) -> RankList:
    network = explainer.network
    found = network.results[network.results["query"] == query].head(SHOWN)
    names = list(found["image"])
    asked = [query] * len(names)
    per_match = explainer.by_part(names, explainer.evidence(asked, names, "gallery"))
    of_query = explainer.by_part([query], explainer.evidence([query], names[:1], "query"))
    tiles = [
        explained(
            album,
            query,
            of_query.iloc[0],
            verdict="query",
            head="query",
            lines=(_who(album, query),),
        )
    ]
    for (_, row), (_, shares) in zip(found.iterrows(), per_match.iterrows(), strict=True):
        tiles.append(
            explained(
                album,
                str(row["image"]),
                shares,
                verdict="match" if row["match"] else "miss",
                head=str(row["rank"]),
                lines=(_who(album, str(row["image"])),),
                distance=float(row["distance"]),
            )
        )
    return RankList(network.name, average_precision(network, query), tiles)


def average_precision(network: Network, query: str) -> float:
    """Return a query's average precision."""
    per_query = network.evaluation.per_query
    return float(per_query.loc[per_query["image"] == query, "ap"].iloc[0])


def explained(
    album: Album,
    name: str,
    evidence: pd.Series[float],
    *,
    distance: float | None = None,
    **more: object,
) -> Tile:
    """Make a tile whose part boxes are as strong as their share of the evidence.

    Args:
        album: makes tiles.
        name: the image.
        evidence: by part, and elsewhere; drawn where its sum speaks for the pair.
        distance: between the pair, for the tip.
        more: further arguments of `Tile`.
    """
    whole = float(evidence.sum())
    shares = evidence / whole if whole > 0 else evidence * 0
    parts = shares.drop(ELSEWHERE)
    chip = None
    if parts.max() > 0:
        chip = (str(parts.idxmax()), f"{100 * parts.max():.0f} %")
    speaking = shares.clip(lower=0)
    bar = tuple(
        (_colour(album, str(part)), round(100 * float(share), 1))
        for part, share in (speaking / (speaking.sum() or 1.0)).items()
        if share > 0
    )
    told = ", ".join(f"{part} {100 * share:.0f} %" for part, share in shares.items())
    far = "" if distance is None else f"distance {distance:.3f}; "
    tip = f"{Path(name).name}; {far}evidence {whole:.3g}: {told}"
    # A part with half of the evidence is drawn at full strength.
    drawn = {str(part): 2 * float(share) for part, share in parts.items()}
    outlines = album.outlines(name, drawn)
    return album.tile(name, outlines=outlines, chip=chip, bar=bar, tip=tip, **more)


def _colour(album: Album, part: str) -> str:
    return "#c3cad3" if part == ELSEWHERE else album.vocabulary[part].colour


def _who(album: Album, name: str) -> str:
    row = album.rows[name]
    return " ".join(str(row[key]) for key in ("identity", "camera") if pd.notna(row[key]))

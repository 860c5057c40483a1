"""Where the networks look: evidence by part, and class activation maps side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from pipelines.report.explain import ELSEWHERE, Explainer
from pipelines.report.look_alikes import describe, known_keys, pairs_alike
from pipelines.report.material import Material
from pipelines.report.tiles import Album, Tile, overlay
from reid.evaluation.bootstrap import bootstrap_difference
from reid.explain.cells import share_out

_PAIRS, _QUERIES, _MOST = 4, 4, 400


@dataclass(frozen=True)
class Compared:
    """A group of images: for each a column of the image itself and both networks' maps.

    Attributes:
        title: what the group is.
        columns: per image: the picture, the plain network's map, PRN's map.
    """

    title: str
    columns: list[tuple[Tile, Tile, Tile]]


@dataclass(frozen=True)
class Looking:
    """Where evidence and activation lie, over many queries.

    Attributes:
        evidence: of the first results: a row per part and ``elsewhere``; columns ``plain``,
            ``PRN`` and ``area``.
        peaks: where the highest cell of class activation maps lies: likewise.
        difference: of the share of the evidence that lies on parts, PRN - plain, and its
            95 % interval over identities.
        queries: over how many queries.
    """

    evidence: pd.DataFrame
    peaks: pd.DataFrame
    difference: tuple[float, float, float]
    queries: int


def looking(material: Material, explainers: tuple[Explainer, Explainer], seed: int = 0) -> Looking:
    """Measure where evidence and activation lie, over at most 400 queries drawn by chance."""
    counted = material.plain.evaluation.per_query
    chosen = counted.sample(min(_MOST, len(counted)), random_state=seed)
    queries = list(chosen["image"])
    evidence, peaks, on_parts = {}, {}, {}
    for explainer in explainers:
        network = explainer.network
        first = network.results[network.results["rank"] == 1].set_index("query")["image"]
        maps = explainer.evidence(queries, list(first[queries]), "query")
        shares = explainer.by_part(queries, maps)
        evidence[network.name] = shares.sum() / shares.to_numpy().sum()
        on_parts[network.name] = _share_on_parts(shares)
        activation = explainer.activation(queries)
        highest = activation == activation.amax((1, 2), keepdim=True)
        peaks[network.name] = explainer.by_part(queries, highest.double()).mean()
    marks = explainers[0].marks(queries)
    even = torch.full((len(queries), *marks.shape[2:]), 1 / marks[0, 0].numel()).double()
    area = pd.Series(share_out(even, marks).mean(0), index=shares.columns)
    plain, prn = (on_parts[explainer.network.name] for explainer in explainers)
    groups = list(chosen["identity"])
    low, high = bootstrap_difference(prn, plain, groups) if len(set(groups)) > 1 else (np.nan,) * 2
    return Looking(
        pd.DataFrame(evidence | {"area": area}),
        pd.DataFrame(peaks | {"area": area}),
        (float((prn - plain).mean()), low, high),
        len(queries),
    )


def _share_on_parts(shares: pd.DataFrame) -> pd.Series[float]:
    """Return each query's share, 0 to 1; of maps that speak against the match, none."""
    whole = shares.sum(axis=1)
    share = (1 - shares[ELSEWHERE] / whole.where(whole > 0)).clip(0, 1)
    return share.fillna(0.0)


def activation_maps(
    material: Material, explainers: tuple[Explainer, Explainer], album: Album, seed: int = 0
) -> list[Compared]:
    """Show class activation maps of training vehicles that look alike, as PRN's Figure 5."""
    random = np.random.default_rng(seed)
    images = material.images.training()
    keys = known_keys(images)
    readable = ~images.frame["image"].isin(material.problems["image"])
    frame = images.frame[readable.to_numpy()]
    shown = []
    for first, second in pairs_alike(images.where(readable), _PAIRS, random):
        names = _alike_views(frame, first, second, random)
        maps = [explainer.activation(names).numpy() for explainer in explainers]
        columns = []
        for place, name in enumerate(names):
            told = describe(album.rows[name], keys)
            columns.append(_column(album, name, told, [m[place] for m in maps]))
        shown.append(Compared(f"vehicles {first} and {second}", columns))
    return shown


def _alike_views(
    frame: pd.DataFrame, first: str, second: str, random: np.random.Generator
) -> list[str]:
    """Take an image of each, from one viewpoint and camera if there are such."""
    one, other = (frame[frame["identity"] == identity] for identity in (first, second))
    chosen = one.iloc[int(random.integers(len(one)))]
    agrees = np.zeros(len(other), dtype=int)
    for column in ("viewpoint", "camera"):
        if column in frame:
            same = (other[column] == chosen[column]).to_numpy(bool, na_value=False)
            agrees = 2 * agrees + same
    return [str(chosen["image"]), str(other["image"].iloc[int(agrees.argmax())])]


def _column(
    album: Album, name: str, caption: str, maps: list[np.ndarray]
) -> tuple[Tile, Tile, Tile]:
    photograph = album.tile(name, outlines=(), lines=(caption,))
    plain, prn = (
        Tile(overlay(album.path(name), heat), album.outlines(name), tip=name) for heat in maps
    )
    return photograph, plain, prn


def similarity_maps(
    both: pd.DataFrame,
    material: Material,
    explainers: tuple[Explainer, Explainer],
    album: Album,
    seed: int = 1,
) -> list[Compared]:
    """Show what in queries speaks for a true match, on vehicles never seen in training.

    The match is the same for both networks: a true match drawn by chance.
    """
    random = np.random.default_rng(seed)
    gallery = material.prn.gallery.images.frame
    by_identity = both.iloc[random.permutation(len(both))].drop_duplicates("identity")
    shown = []
    for _, row in by_identity.head(_QUERIES).iterrows():
        mates = gallery[gallery["identity"] == row["identity"]]
        if pd.notna(row["camera"]):
            mates = mates[mates["camera"] != row["camera"]]
        query, match = str(row["image"]), str(mates["image"].iloc[random.integers(len(mates))])
        columns = []
        for name, side, caption in ((query, "query", "query"), (match, "gallery", "true match")):
            maps = [
                explainer.evidence([query], [match], side)[0].numpy()  # type: ignore[arg-type]
                for explainer in explainers
            ]
            columns.append(_column(album, name, caption, maps))
        shown.append(Compared(f"vehicle {row['identity']}", columns))
    return shown

"""What a search found: one row per query and rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import Embeddings, distance_named
from reid.retrieval.asking import queries_of
from reid.retrieval.finding import Finder
from reid.retrieval.question import Question
from reid.retrieval.searched import Searched
from reid.retrieval.sets import set_distance

SHOWN = ("identity", "camera", "track", "time", "viewpoint", "make", "model", "year", "colour")
"""Columns of an images table that results tell of first; all others that are known come behind."""
OWN = frozenset(
    {"query", "rank", "image", "distance", "query_identity", "query_camera", "match", "images",
     "query_images", "gallery", "file", "row", "item", "probability", "unknown", "parts",
     "parts_say"}
)  # fmt: skip
"""Columns that results have of themselves. An images table's further column of such a name is told
as ``own_NAME``."""


def search(
    galleries: Searched[Any],
    query_embeddings: Embeddings,
    query_images: Images,
    question: Question,
) -> pd.DataFrame:
    """Find the nearest gallery images of every query.

    Args:
        galleries: where to search.
        query_embeddings: shape (Q, D), by the galleries' model.
        query_images: the Q images.
        question: what to find.

    Returns:
        Columns ``query`` (of several images of one vehicle the first), ``rank`` (from 1),
        ``image``, ``distance``, ``identity``, ``camera``, ``query_identity``, ``query_camera``,
        ``match`` (boolean, empty where one of the identities is unknown), ``gallery`` and ``file``
        (paths), ``row`` (of the galleries), and where any image found has them ``track``, ``time``,
        ``viewpoint``, ``make``, ``model``, ``year``, ``colour``, then every further column of the
        galleries' tables; with groups ``images``, how many the galleries hold of the group; with
        several images a query ``query_images``, how many they are. By query in their order and by
        rank.

    Raises:
        InputError: as `Gallery.search`, embeddings that do not fit the images, a column that is not
            there, or what is asked is not defined for the galleries' distance.
    """
    if len(query_embeddings) != len(query_images):
        raise InputError(
            f"{query_images.source}: {len(query_images)} images, {len(query_embeddings)} embeddings"
        )
    question.check(galleries.about.distance)
    keep = galleries.select(question.conditions)
    vectors = torch.as_tensor(query_embeddings).detach().float().cpu().numpy()
    queries = queries_of(vectors, query_images, question, galleries)
    finder = Finder(galleries, queries, question, keep)
    found = finder.found()
    if question.pool == "sets":
        found = _by_sets(found, finder, question)
    found["rank"] = found.groupby("unit").cumcount() + 1
    found = found[found["rank"] <= question.top].reset_index(drop=True)
    return _told(found, finder, question)


def _by_sets(found: pd.DataFrame, finder: Finder, question: Question) -> pd.DataFrame:
    """Give the groups found their distance as sets, and sort by it."""
    galleries = finder.galleries
    assert question.group is not None
    members = galleries.members(question.group, found["group"], finder.keep)
    distance = distance_named(galleries.about.distance)
    prepared = torch.from_numpy(galleries.prepared(finder.queries.vectors))
    unit = finder.queries.images["unit"].to_numpy()
    values = []
    for one, some in found.groupby("unit", sort=False):
        mine = prepared[np.flatnonzero(unit == one)]
        for group, row in zip(some["group"], some["row"], strict=True):
            rows = members.get(group, np.array([row]))  # one of no group is by itself
            pairs = pd.DataFrame({"unit": one, "row": rows})
            rows = rows[finder.allowed(pairs)]
            theirs = torch.from_numpy(galleries.vectors(rows))
            values.append(set_distance(distance, mine, theirs))
    found = found.assign(distance=np.array(values, np.float32))
    return found.sort_values(["unit", "distance"], kind="stable").reset_index(drop=True)


def _told(found: pd.DataFrame, finder: Finder, question: Question) -> pd.DataFrame:
    """Return what is known of queries and of what they found."""
    rows = found["row"].to_numpy()
    items = finder.galleries.table(rows)
    asked = finder.queries.names.loc[found["unit"]].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "query": asked["image"],
            "rank": found["rank"],
            "image": items["image"],
            "distance": found["distance"],
            "identity": items["identity"],
            "camera": items["camera"],
            "query_identity": asked["identity"],
            "query_camera": asked["camera"],
            "match": (items["identity"] == asked["identity"]).astype("boolean"),
        }
    )
    for name in dict.fromkeys([*SHOWN, *items.columns.drop(["image", "gallery", "file"])]):
        if name not in items or name in ("identity", "camera") or items[name].isna().all():
            continue
        column = items[name]
        if column.dtype == object:  # of several galleries, of which one may have no value at all
            column = column.convert_dtypes()
        if column.dtype == object:  # or words where another has numbers
            column = finder.galleries.words(name, rows)
        frame[f"own_{name}" if name in OWN else name] = column
    if question.group is not None:
        sizes = finder.galleries.sizes(question.group, found["group"], finder.keep)
        frame["images"] = found["group"].map(sizes).fillna(1).astype("int64")
    if question.together is not None:
        frame["query_images"] = asked["query_images"]
    return frame.assign(gallery=items["gallery"], file=items["file"], row=found["row"])


def known_columns(found: pd.DataFrame) -> list[str]:
    """Return the columns of what `search` found that tell what is known of an image."""
    return [name for name in found.columns if name not in OWN]


def spelled(found: pd.DataFrame) -> pd.DataFrame:
    """Return a table for a CSV file: what is true or false as ``true`` and ``false``."""
    flags = [str(name) for name in found if pd.api.types.is_bool_dtype(found[name])]
    words = {True: "true", False: "false"}
    return found.assign(**{name: found[name].map(words) for name in flags})

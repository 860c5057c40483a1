"""What a search found: one row per query and rank."""

from __future__ import annotations

import numpy as np
import pandas as pd

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import Embeddings
from reid.retrieval.gallery import Gallery


def search(
    gallery: Gallery,
    query_embeddings: Embeddings,
    query_images: Images,
    top: int,
    *,
    drop_self: bool = False,
    drop_same_camera: bool = False,
) -> pd.DataFrame:
    """Find the ``top`` nearest gallery images of every query.

    Args:
        gallery: where to search.
        query_embeddings: shape (Q, D), by the gallery's model.
        query_images: the Q images.
        top: how many to find for each query, after leaving out what is to be left out.
        drop_self: leave out the query's own file, for a gallery that holds the queries.
        drop_same_camera: leave out images of the query's identity from the query's
            camera, as the evaluation does.

    Returns:
        Columns ``query``, ``rank`` (from 1), ``image``, ``distance``, ``identity``,
        ``camera``, ``query_identity``, ``query_camera`` and ``match`` (boolean, empty
        where one of the identities is unknown), by query in their order and by rank.

    Raises:
        InputError: as `Gallery.search`, or embeddings that do not fit the images.
    """
    if len(query_embeddings) != len(query_images):
        raise InputError(
            f"{query_images.source}: {len(query_images)} images, {len(query_embeddings)} embeddings"
        )
    queries, items = (
        images.frame[["image", "identity", "camera"]].assign(file=_files(images))
        for images in (query_images, gallery.images)
    )
    spare = 0
    if drop_self:
        spare += 1
    if drop_same_camera:
        spare += _largest_overlap(queries, items)
    distances, rows = gallery.search(query_embeddings, top + spare if top > 0 else top)
    found = items.iloc[rows.ravel()].reset_index(drop=True)
    asked = queries.iloc[np.repeat(np.arange(len(rows)), rows.shape[1])].reset_index(drop=True)
    match = found["identity"] == asked["identity"]
    keep = pd.Series(True, index=found.index)
    if drop_self:
        keep &= found["file"] != asked["file"]
    if drop_same_camera:
        keep &= ~(match & (found["camera"] == asked["camera"])).fillna(False).astype(bool)
    frame = pd.DataFrame(
        {
            "query": asked["image"],
            "image": found["image"],
            "distance": distances.ravel(),
            "identity": found["identity"],
            "camera": found["camera"],
            "query_identity": asked["identity"],
            "query_camera": asked["camera"],
            "match": match.astype("boolean"),
        }
    )[keep]
    frame.insert(1, "rank", frame.groupby("query").cumcount() + 1)
    return frame[frame["rank"] <= top].reset_index(drop=True)


def _files(images: Images) -> list[str]:
    root = images.root.resolve()
    return [str(root / image) for image in images.frame["image"]]


def _largest_overlap(queries: pd.DataFrame, items: pd.DataFrame) -> int:
    """Return how many gallery images at most share a query's identity and camera."""
    seen = ["identity", "camera"]
    sizes = items.dropna(subset=seen).groupby(seen).size().rename("size").reset_index()
    return max(queries.merge(sizes, on=seen)["size"], default=0)

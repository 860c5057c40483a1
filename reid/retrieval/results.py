"""What a search found: one row per query and rank."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import Embeddings, nearest
from reid.distances.cosine import COSINE
from reid.embedding import Embedded
from reid.reranking.refinement import Refinement, single_vectors
from reid.retrieval.gallery import Gallery, flat_index, search_flat


def search(
    gallery: Gallery,
    query_embeddings: Embeddings,
    query_images: Images,
    top: int,
    *,
    drop_self: bool = False,
    drop_same_camera: bool = False,
    refine: Refinement | None = None,
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
        refine: query expansion or re-ranking, over the whole gallery; ``distance`` is then the
            refined one.

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
    wanted = top + spare if top > 0 else top
    distances, rows = _find(gallery, query_embeddings, query_images, wanted, refine)
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


def _find(
    gallery: Gallery,
    query_embeddings: Embeddings,
    query_images: Images,
    top: int,
    refine: Refinement | None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    if not refine:
        return gallery.search(query_embeddings, top)
    vectors = torch.as_tensor(query_embeddings).detach().float().cpu().numpy()
    asked = Embedded(vectors, query_images, ())
    kept = Embedded(np.array(gallery.embeddings), gallery.images, ())
    measured = refine.measured(asked, kept, gallery.about.distance)
    if measured is not None:
        return nearest.search(measured, top)
    expanded = refine.expanded(asked, kept, gallery.about.distance)
    asked, kept, name = single_vectors(asked, kept, gallery.about.distance)
    if name == gallery.about.distance:
        return gallery.search(expanded, top)
    index = flat_index(COSINE, COSINE.prepare(kept.vectors).numpy())
    return search_flat(index, COSINE, COSINE.prepare(expanded, "query").numpy(), top)


def _files(images: Images) -> list[str]:
    root = images.root.resolve()
    return [str(root / image) for image in images.frame["image"]]


def _largest_overlap(queries: pd.DataFrame, items: pd.DataFrame) -> int:
    """Return how many gallery images at most share a query's identity and camera."""
    seen = ["identity", "camera"]
    sizes = items.dropna(subset=seen).groupby(seen).size().rename("size").reset_index()
    return max(queries.merge(sizes, on=seen)["size"], default=0)

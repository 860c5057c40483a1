"""Query expansion: asking with the mean of a query and what it finds first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from annotations.errors import InputError
from reid.distances import Distance, Embeddings, as_distance
from reid.distances.cosine import COSINE
from reid.distances.nearest import blocks, nearest
from reid.evaluation.truth import Truth

Given = TypeVar("Given", bound=Embeddings)


def expand_queries(
    query: Given,
    gallery: Embeddings,
    *,
    top: int = 5,
    distance: str | Distance = "euclidean",
    alpha: float = 0.0,
    query_cameras: Sequence[Any] | None = None,
    gallery_cameras: Sequence[Any] | None = None,
) -> Given:
    """Replace queries by means of them and their nearest gallery items.

    Average query expansion (Chum et al., ICCV 2007): the plain mean; under the cosine distance,
    of vectors scaled to length one. With ``alpha`` the weighted form (Radenovic et al., TPAMI
    2019): an item counts cosine ** alpha, none below 0, and the query itself 1.

    Args:
        query: shape (Q, D); the work is done on its device.
        gallery: shape (G, D).
        top: how many items are averaged; all where it is more than there are.
        distance: by which items are near: a name in `reid.distances.DISTANCES`, or itself.
        alpha: 0 or more; above 0 for the cosine distance only.
        query_cameras: Q cameras; with them no item of the query's own camera is averaged, so
            that an evaluation gains nothing from items that it leaves out. An unknown camera
            (None, NaN, empty text) equals no other.
        gallery_cameras: G cameras.

    Returns:
        float32, shape (Q, D), numpy or torch as ``query``; of length one for the cosine
        distance. A query with nothing to average, or whose mean is nothing, stays as it is.

    Raises:
        InputError: ``top`` below 1, ``alpha`` out of range or without the cosine distance, an
            unknown distance, embeddings that cannot be compared, or cameras that do not fit.
    """
    if not 0 <= alpha < float("inf"):
        raise InputError(f"alpha must be at least 0, not {alpha}")
    by = as_distance(distance)
    if alpha and by is not COSINE:
        raise InputError(f"alpha: weights are powers of cosines, not of a {by.name} distance")
    comparison = by.compare(query, gallery)
    asked = by.prepare(query, "query")
    items = by.prepare(gallery, "gallery").to(asked.device)
    hide = _own_camera(comparison.shape, query_cameras, gallery_cameras, asked.device)
    means = []
    for block in blocks(comparison, top, top * items.shape[1]):
        exact, found = nearest(comparison, block, top, hide)
        rows, own = items[found], asked[block, None]
        weights = exact.isfinite().float()
        if alpha:
            weights *= (rows * own).sum(2).clamp_(min=0).pow_(alpha)
        sums = own[:, 0] + rows.mul_(weights[:, :, None]).sum(1)
        # What points every way averages to nothing.
        nothing = sums.norm(dim=1, keepdim=True) <= 1e-6 * own[:, 0].norm(dim=1, keepdim=True)
        means.append((sums / (1 + weights.sum(1, keepdim=True))).where(~nothing, own[:, 0]))
    made = torch.cat(means)
    if distance == "cosine":
        made = F.normalize(made)
    return made.cpu().numpy() if isinstance(query, np.ndarray) else made  # type: ignore[return-value]


def _own_camera(
    shape: tuple[int, int],
    query_cameras: Sequence[Any] | None,
    gallery_cameras: Sequence[Any] | None,
    device: torch.device,
) -> Callable[[Tensor, Tensor], None] | None:
    """Return what hides gallery items of the query's camera."""
    if query_cameras is None and gallery_cameras is None:
        return None
    # To a truth without identities all items are non-matches, of which cameras hide some.
    queries, items = ([None] * size for size in shape)
    truth = Truth(queries, items, query_cameras, gallery_cameras, "camera", device)

    def hide(values: Tensor, query: Tensor) -> None:
        mates, same, _ = truth.mates(query)
        truth.hide(values, query, mates, same)

    return hide

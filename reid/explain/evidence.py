"""Why two images matched: the distance between them, taken apart by cell and part."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Side = Literal["query", "gallery"]


def evidence_maps(
    cells: Tensor, others: Tensor, reference: Tensor, *, side: Side, distance: str = "euclidean"
) -> Tensor:
    """Divide the evidence that a query q matches a gallery image g over one image's cells.

    The evidence is how much nearer g is than the ``reference`` R is on average, in squared
    distances: E(q, g) = mean over r in R of |q - r|^2 - |q - g|^2. With the whole gallery as
    R it orders the gallery exactly as the distance does, and is positive where g is
    nearer than the average. With one image as R it is what spoke for g against that one.

    From the centre m of R, with V the mean of |r - m|^2,

        E(q, g) = 2 (q - m) . (g - m) + V - |g - m|^2,

    linear in q, and its first term in g too. An embedding is the mean of its S cells
    (`reid.explain.cells.embed_cells`), so cell s of the query carries
    (2 (q_s - m) . (g - m) + V - |g - m|^2) / S, and cell t of the gallery image
    (2 (q - m) . (g_t - m) + V - |g - m|^2) / S: a class activation map whose class is the
    match, its constant spread evenly. Both maps sum to E(q, g).

    Args:
        cells: (N, D, rows, columns), of the query or the gallery image of N pairs.
        others: (N, D), the embedding of the pairs' other image.
        reference: (R, D), embeddings.
        side: which image of the pair ``cells`` are of.
        distance: of the recipe. Under ``cosine`` vectors are scaled to length one, a query's
            cells with their mean, and E is in squared chords, twice the cosine distance.

    Returns:
        (N, rows, columns) float64.
    """
    cells, others, reference = cells.double(), others.double(), reference.double()
    if distance == "cosine":
        cells = cells / cells.mean((2, 3), keepdim=True).norm(dim=1, keepdim=True)
        others, reference = F.normalize(others), F.normalize(reference)
    centre = reference.mean(0)
    spread = (reference - centre).square().sum(1).mean()
    cells, others = cells - centre.view(-1, 1, 1), others - centre
    gallery = others if side == "query" else cells.mean((2, 3))
    constant = spread - gallery.square().sum(1)
    along = torch.einsum("ndij,nd->nij", cells, others)
    return (2 * along + constant.view(-1, 1, 1)) / cells[0, 0].numel()

"""An image as views of itself, so that what both images show can be compared."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from reid.distances import CoOccurrence, SharedCosine
from reid.models.vectors import Vectors
from reid.parts.areas import as_ratios


def as_views(
    vectors: Vectors, areas: Tensor, *, scaled: bool = True
) -> tuple[Tensor, CoOccurrence]:
    """Put the whole and the parts of images into embeddings that CPDM compares (SPAN, 3.3).

    View 0 is the network's embedding, with an area ratio of 1; the others are its parts. As in
    the paper, where the area of the whole is the sum of its views', ratios of parts sum to one; an
    image that shows no part has ratios of 0, so that its embedding alone decides.

    A network that was not trained with CPDM has distances of other sizes in other views, and pairs
    would be near for what they do not both show; its views are scaled to length one.

    Args:
        vectors: of B images, with P parts; none of them is in the embedding, too.
        areas: (B, P), of the parts, in any one unit.
        scaled: whether every view is scaled to length one.

    Returns:
        (B, D) float32, and the distance that takes them.
    """
    whole, parts = vectors.embedding.float(), vectors.parts.float()
    if scaled:
        whole, parts = F.normalize(whole), F.normalize(parts, dim=2)
    ratios = as_ratios(areas.float() * vectors.visible)
    ratios = torch.cat([ratios.new_ones(len(ratios), 1), ratios], 1)
    distance = CoOccurrence([whole.shape[1], *[parts.shape[2]] * parts.shape[1]])
    return torch.cat([whole, parts.flatten(1), ratios], 1), distance


def as_shared(vectors: Vectors) -> tuple[Tensor, SharedCosine]:
    """Say of an embedding that begins with its parts which of them were found.

    EIA-Net, section 3.2: only parts that both images show are compared. Of an image without any
    part and without numbers besides, all count as shown: it is compared by what stands for them.

    Args:
        vectors: of B images, whose embedding is P parts' and then what is always there.

    Returns:
        (B, D) float32, whose numbers have length one, with what says which are shown, and the
        distance that takes them.
    """
    parts, visible = vectors.parts, vectors.visible
    whole = F.normalize(vectors.embedding.float())
    rest = whole.shape[1] - parts.shape[1] * parts.shape[2]
    shown = torch.cat([visible, visible.new_ones(len(visible), 1)], 1) if rest else visible
    shown = shown | ~shown.any(1, keepdim=True)
    distance = SharedCosine([*[parts.shape[2]] * parts.shape[1], *([rest] if rest else [])])
    return torch.cat([whole, shown.float()], 1), distance

"""Comparing on the device that embeds, where that is quicker than the processor."""

from __future__ import annotations

import torch

from reid.distances import Comparison, Distance, ViewedDistance
from reid.embedding import Embedded
from reid.evaluation.protocols.protocol import Compare

_SHARE = 0.5
"""Of the free memory of a device, what embeddings may take of it."""


def compare_on(target: torch.device, distance: Distance) -> Compare | None:
    """Return what compares on a GPU by views, a product for each of which is slow elsewhere.

    Embeddings that would not fit beside what is worked on are compared where they are.

    Args:
        target: the device asked for.
        distance: between the embeddings.

    Returns:
        What a protocol takes; None where it compares by itself, on the processor.
    """
    if target.type != "cuda" or not isinstance(distance, ViewedDistance):
        return None

    def compare(query: Embedded, gallery: Embedded) -> Comparison:
        asked = distance.check(query.vectors, "query")
        needed = query.vectors.nbytes + gallery.vectors.nbytes
        if needed < _SHARE * torch.cuda.mem_get_info(target)[0]:
            asked = asked.to(target)
        return distance.compare(asked, gallery.vectors)

    return compare

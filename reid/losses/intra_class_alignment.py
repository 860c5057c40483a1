"""The enforced intra-class alignment loss (EIA-Net, equation 7)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class IntraClassAlignmentLoss(nn.Module):
    """The same part looks the same on two images of one label.

    EIA-Net, equation (7): the sum over positive pairs (j, k) and parts i of the squared Euclidean
    distance of part i's vectors. A part counts where both images show it (section 3.2); a pair
    counts once. The paper relaxes this to one pair in a batch and to the parts that tell most
    (section 3.4).

    Args:
        pairs: how many positive pairs of a batch are aligned, the first of it; None for all. As a
            sampler draws batches, the first pair is a random one.
        parts: the numbers of the parts that are aligned; None for all.
    """

    def __init__(self, pairs: int | None = 1, parts: Sequence[int] | None = None) -> None:
        super().__init__()
        self.pairs = pairs
        self.parts = None if parts is None else list(parts)

    def forward(self, vectors: Tensor, visible: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, a scalar; 0 for a batch without a positive pair that shares a part.

        Args:
            vectors: (B, P, C) floating, one vector for each part.
            visible: (B, P) bool.
            labels: (B,) int64.
        """
        if self.parts is not None:
            vectors, visible = vectors[:, self.parts], visible[:, self.parts]
        if self.pairs is None:
            return _all_pairs(vectors.float(), visible, labels)
        first, second = (labels[:, None] == labels).triu(1).nonzero(as_tuple=True)
        first, second = first[: self.pairs], second[: self.pairs]
        apart = (vectors[first].float() - vectors[second].float()).square().sum(2)
        return (apart * (visible[first] & visible[second])).sum()


def _all_pairs(vectors: Tensor, visible: Tensor, labels: Tensor) -> Tensor:
    """Sum over all pairs of n images at the cost of n: it is n times the sum around their mean."""
    known, code = torch.unique(labels, return_inverse=True)
    shown = visible.float().unsqueeze(2)
    count = shown.new_zeros(len(known), shown.shape[1], 1).index_add(0, code, shown)
    sums = vectors.new_zeros(len(known), *vectors.shape[1:]).index_add(0, code, vectors * shown)
    mean = sums / count.clamp(min=1)
    return ((vectors - mean[code]).square() * (shown * count[code])).sum()

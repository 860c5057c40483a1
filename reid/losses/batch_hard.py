"""The batch-hard triplet loss (Hermans et al. 2017; MFG-Net, equation 2; SPAN, section 3.4)."""

from __future__ import annotations

from pytorch_metric_learning.distances import BaseDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor, nn


class BatchHardTripletLoss(nn.Module):
    """The farthest positive of each anchor is to be nearer than its nearest negative.

    The mean over anchors of max(0, d(anchor, positive) - d(anchor, negative) + margin).

    Args:
        distance: by which triplets are chosen and measured.
        margin: in its unit.
        every_anchor: whether the mean is over all anchors, or over those alone whose term is
            above 0.
    """

    def __init__(
        self, distance: BaseDistance, margin: float, *, every_anchor: bool = False
    ) -> None:
        super().__init__()
        self.miner = BatchHardMiner(distance=distance)
        reducer = MeanReducer() if every_anchor else None
        self.loss = TripletMarginLoss(margin=margin, distance=distance, reducer=reducer)

    def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, a scalar: (B, D) float32 and (B,) int64; 0 without a triplet."""
        loss: Tensor = self.loss(vectors, labels, self.miner(vectors, labels))
        return loss

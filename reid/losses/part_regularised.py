"""The part-regularised identification loss (PRN, equation 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PartRegularisedLoss(nn.Module):
    """Cross-entropy of the global branch plus the weighted cross-entropies of the parts.

    PRN, equation (3): E(global, y) + sum over parts p of lambda_p E(part p, y), where E is the
    softmax cross-entropy. The expectation of a part's term is taken over the images that
    show the part; one that no image of the batch shows adds nothing.

    Args:
        part_weights: lambda_p, one per part.
        label_smoothing: 0 in the paper.
    """

    part_weights: Tensor

    def __init__(self, part_weights: list[float], label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("part_weights", torch.tensor(part_weights, dtype=torch.float32))
        self.label_smoothing = label_smoothing

    def forward(
        self, global_scores: Tensor, part_scores: Tensor, visible: Tensor, identities: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the two sums of equation (3), each a scalar.

        Args:
            global_scores: (B, N) floating.
            part_scores: (B, P, N) floating.
            visible: (B, P) bool.
            identities: (B,) int64, below N.
        """
        whole = F.cross_entropy(
            global_scores.float(), identities, label_smoothing=self.label_smoothing
        )
        return whole, self.of_parts(part_scores, visible, identities)

    def of_parts(self, part_scores: Tensor, visible: Tensor, identities: Tensor) -> Tensor:
        """Return the second sum alone; see `forward`."""
        batch, parts, classes = part_scores.shape
        each = F.cross_entropy(
            part_scores.float().reshape(-1, classes),
            identities.repeat_interleave(parts),
            label_smoothing=self.label_smoothing,
            reduction="none",
        ).view(batch, parts)
        mean = (each * visible).sum(0) / visible.sum(0).clamp(min=1)
        return (self.part_weights * mean).sum()

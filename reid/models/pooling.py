"""How a feature map becomes one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SMALLEST = 1e-6
"""What keeps a root's gradient finite where a channel is silent."""


class MeanPool(nn.Module):
    """The mean over cells: (B, C, rows, columns) to (B, C)."""

    def forward(self, features: Tensor) -> Tensor:
        """Return the means."""
        return features.mean((2, 3))


class MaxPool(nn.Module):
    """The maximum over cells: (B, C, rows, columns) to (B, C)."""

    def forward(self, features: Tensor) -> Tensor:
        """Return the maxima."""
        return features.amax((2, 3))


class GeneralisedMeanPool(nn.Module):
    """The generalised mean over cells, its power learned: (B, C, rows, columns) to (B, C).

    Radenović et al., Fine-tuning CNN Image Retrieval with No Human Annotation, TPAMI 2019,
    equation (3), one power for all channels: 1 is the mean, infinity the maximum. What is below 0
    counts as 0.

    Args:
        power: where it starts, 3 as there.
    """

    def __init__(self, power: float = 3.0) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.tensor(power))

    def forward(self, features: Tensor) -> Tensor:
        """Return the generalised means."""
        mean: Tensor = features.float().clamp(min=_SMALLEST).pow(self.power).mean((2, 3))
        return mean.pow(1 / self.power).to(features.dtype)


POOLINGS: dict[str, type[nn.Module]] = {
    "mean": MeanPool,
    "gem": GeneralisedMeanPool,
    "max": MaxPool,
}
"""By their names in recipes."""

"""Classifying each of several vectors of an image by a classifier of its own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class EachClassified(nn.Module):
    """One linear layer for each of S vectors, all in one product.

    Args:
        count: S, may be 0.
        width: C, the length of a vector.
        outputs: N.
        bias: whether the layers have one.
    """

    def __init__(self, count: int, width: int, outputs: int, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, width, outputs))
        self.bias = nn.Parameter(torch.zeros(count, 1, outputs)) if bias else None
        bound = 1 / math.sqrt(width)
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return (B, S, N) of (B, S, C)."""
        found = torch.bmm(vectors.transpose(0, 1), self.weight)
        if self.bias is not None:
            found = found + self.bias
        return found.transpose(0, 1)

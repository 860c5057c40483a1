"""The part-based CNN of EIA-Net (section 3.2), after Cheng et al., CVPR 2016."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WHOLE, HALF = 400, 100
"""Lengths of the full body's vector and of a half body's: 600 in all, EIA-Net's C."""
_MAPS = 32


class PartBasedCNN(nn.Module):
    """One shared convolution, then the full body and its upper and lower half by themselves.

    The full body goes through two convolutions and two poolings, each half of the shared maps
    through two convolutions; each ends in a fully-connected layer, and the three vectors are
    joined (EIA-Net, section 3.2 and Figure 2). Numbers that EIA-Net's text leaves to its figure
    are those of Cheng et al., on whom it builds: 32 maps; kernels of 7, 5 and 3; a stride of 3 in
    the first convolution; vectors of 400 and 100. The halves' convolutions have a stride of 2, as
    nothing pools their maps, which are far larger here than those of a pedestrian.

    Args:
        size: (height, width) of the input.

    Attributes:
        dimension: C, the length of the joined vector.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Conv2d(3, _MAPS, 7, stride=3, padding=3), nn.ReLU())
        self.full = nn.Sequential(
            nn.Conv2d(_MAPS, _MAPS, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, ceil_mode=True),
            nn.Conv2d(_MAPS, _MAPS, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, ceil_mode=True),
            nn.Flatten(),
        )
        self.halves = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(_MAPS, _MAPS, 3, stride=2, padding=1),
                nn.ReLU(),
                nn.Conv2d(_MAPS, _MAPS, 3, stride=2, padding=1),
                nn.ReLU(),
                nn.Flatten(),
            )
            for _ in range(2)
        )
        with torch.no_grad():
            whole, upper, lower = self._maps(torch.zeros(1, 3, *size))
        self.full_body = nn.Linear(whole.shape[1], WHOLE)
        self.half_bodies = nn.ModuleList(nn.Linear(side.shape[1], HALF) for side in (upper, lower))
        self.dimension = WHOLE + 2 * HALF

    def _maps(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the flattened last maps of the full body and of its halves."""
        maps = self.shared(pixels)
        # An odd row in the middle belongs to the upper half.
        upper, lower = maps.chunk(2, dim=2)
        return self.full(maps), self.halves[0](upper), self.halves[1](lower)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the joined vectors: (B, 3, H, W) floating, normalised, to (B, C)."""
        whole, *halves = self._maps(pixels)
        sides = [layer(side) for layer, side in zip(self.half_bodies, halves, strict=True)]
        return torch.cat([self.full_body(whole), *sides], dim=1)

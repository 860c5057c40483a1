"""Where a vehicle is, and which part of a camera's frame becomes a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SAMPLES = 2
"""Samples a pixel, along each axis."""


@dataclass(frozen=True)
class Pose:
    """Where a vehicle is: its middle on the ground, metres, and its heading as (cosine, sine)."""

    x: float
    y: float
    heading: tuple[float, float]

    def place(self, points: Floats, *, turn_only: bool = False) -> Floats:
        """Turn a vehicle's points or vectors (N, 3) into the world's."""
        c, s = self.heading
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        shift = (0.0, 0.0) if turn_only else (self.x, self.y)
        return np.stack([x * c - y * s + shift[0], x * s + y * c + shift[1], z], 1)


@dataclass(frozen=True)
class Window:
    """A rectangle of a camera's frame that becomes a picture.

    Attributes:
        left: frame pixels.
        top: frame pixels.
        zoom: (across, down) picture pixels a frame pixel.
        size: (width, height) of the picture in pixels.
    """

    left: float
    top: float
    zoom: tuple[float, float]
    size: tuple[int, int]

    def samples(self, pixels: Floats) -> Floats:
        """Turn frame pixels (..., 2) into samples of the picture."""
        x = (pixels[..., 0] - self.left) * (self.zoom[0] * SAMPLES)
        y = (pixels[..., 1] - self.top) * (self.zoom[1] * SAMPLES)
        return np.stack([x, y], -1)

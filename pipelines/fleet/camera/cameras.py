"""Cameras over a road: where they stand, what their lens sees, and how they take pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Background = Literal["plain", "busy"]


def steady(value: float) -> float:
    """Round a transcendental function's result, whose last bits differ between machines."""
    return round(value, 9)


@dataclass(frozen=True)
class Lane:
    """A straight path over the ground.

    Attributes:
        x: metres, where the path meets the point that the camera looks at.
        y: likewise.
        heading: radians, the direction of travel; 0 is along +x, counter-clockwise.
        reach: metres before and after that point within which vehicles are photographed.
    """

    x: float
    y: float
    heading: float
    reach: float


@dataclass(frozen=True)
class Camera:
    """A fixed camera. The world: x and y on the ground, z up, metres; the ground is z = 0.

    Attributes:
        name: as in the images table.
        position: (x, y, z) of the lens.
        target: the point (x, y, z) in the middle of the frame.
        focal: focal length in pixels.
        size: (width, height) of a frame in pixels.
        lanes: the paths that vehicles take.
        background: plain or busy.
        exposure: gain of the sensor, 1 is neutral.
        tint: (red, green, blue) gains.
        blur: standard deviation of the lens's blur, pixels of the written image.
        noise: standard deviation of the sensor's noise, grey levels.
        quality: of the JPEG, 1 to 100.
        seed: of everything fixed about the place (its background).
    """

    name: str
    position: tuple[float, float, float]
    target: tuple[float, float, float]
    focal: float
    size: tuple[int, int]
    lanes: tuple[Lane, ...]
    background: Background
    exposure: float
    tint: tuple[float, float, float]
    blur: float
    noise: float
    quality: int
    seed: int

    @cached_property
    def axes(self) -> Floats:
        """(3, 3): the unit vectors right, down and forward, as rows."""
        ahead = [t - p for t, p in zip(self.target, self.position, strict=True)]
        length = math.sqrt(sum(value * value for value in ahead))
        fx, fy, fz = (value / length for value in ahead)
        flat = math.sqrt(fx * fx + fy * fy)
        rx, ry = fy / flat, -fx / flat
        # down = forward x right
        down = (-fz * ry, fz * rx, fx * ry - fy * rx)
        return np.array([[rx, ry, 0.0], down, [fx, fy, fz]])

    def see(self, points: Floats) -> Floats:
        """Turn world points (..., 3) into the camera's right, down, forward coordinates, metres."""
        x, y, z = (points[..., i] - self.position[i] for i in range(3))
        # Written out: a BLAS product may differ in its last bits between machines.
        return np.stack([row[0] * x + row[1] * y + row[2] * z for row in self.axes], -1)

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Project world points.

        Args:
            points: (..., 3), metres.

        Returns:
            (..., 2) frame pixels, x to the right and y down from the top left corner; and
            (...,) the depth along the viewing direction, metres; a point behind has depth <= 0
            and meaningless pixels.
        """
        seen = self.see(points)
        depth = seen[..., 2]
        safe = np.where(depth > 0.01, depth, 0.01)
        width, height = self.size
        across = self.focal * seen[..., 0] / safe + width / 2
        down = self.focal * seen[..., 1] / safe + height / 2
        return np.stack([across, down], -1), depth

    def rays(self, pixels: Floats) -> Floats:
        """Return the world directions (..., 3), not normalised, seen at frame pixels (..., 2)."""
        width, height = self.size
        across = (pixels[..., 0] - width / 2) / self.focal
        down = (pixels[..., 1] - height / 2) / self.focal
        right, low, ahead = self.axes
        return np.stack([across * right[i] + down * low[i] + ahead[i] for i in range(3)], -1)

    def ground_at(self, pixels: Floats) -> Floats:
        """Return where frame pixels (..., 2) see the ground: (..., 2), metres.

        At and above the horizon the result is not finite.
        """
        rays = self.rays(pixels)
        with np.errstate(divide="ignore", invalid="ignore"):
            along = np.where(rays[..., 2] < 0, -self.position[2] / rays[..., 2], np.inf)
            return np.stack([self.position[i] + along * rays[..., i] for i in range(2)], -1)

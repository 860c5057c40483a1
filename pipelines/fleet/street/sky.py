"""The sky of a plate, and what stands at its horizon."""

from __future__ import annotations

import cv2
import numpy as np

from pipelines.fleet.blending import lay_over, look_up
from pipelines.fleet.street.painting import shade, vary
from pipelines.fleet.textures import SIDE, Pixels, noise, resized, window

_SKIES = (
    ((118, 158, 206), (196, 212, 226), 150),
    ((150, 178, 208), (214, 222, 228), 110),
    ((186, 192, 198), (214, 216, 216), 60),
)
"""Colours at the top and at the horizon; the share of clouds in 255 that is left out."""


def paint_sky(picture: Pixels, horizon: int, random: np.random.Generator) -> None:
    """Fill a picture's rows above the horizon with sky, clouds and a far skyline, in place."""
    if horizon <= 0:
        return
    width = picture.shape[1]
    top, low, clear = _SKIES[int(random.integers(len(_SKIES)))]
    share = (256 * np.arange(horizon) // horizon)[:, None]
    ramp = (np.array(top, np.int64) * (256 - share) + np.array(low, np.int64) * share) >> 8
    blue = np.repeat(ramp.astype(np.uint8)[:, None], width, 1)
    # Clouds are flat: the tile is stretched across.
    cloud = window(noise(64, 1), (min(SIDE, 2 * horizon), SIDE // 2), random)
    cover = resized(cloud, width, horizon)
    white = look_up(np.clip(np.arange(256) - clear, 0, 100), cover)
    picture[:horizon] = lay_over(blue, np.full_like(blue, 238), white)


def paint_skyline(picture: Pixels, horizon: int, busy: bool, random: np.random.Generator) -> None:
    """Paint a far row of trees, and of houses where it is busy, along the horizon, in place."""
    width = picture.shape[1]
    if horizon <= 0:
        return
    if busy:
        for _ in range(int(random.integers(4, 14))):
            x, across = int(random.integers(0, width)), int(random.integers(12, 70))
            high = int(random.integers(6, 60))
            colour = vary((164, 166, 172), random, 14)
            cv2.rectangle(picture, (x, horizon - high), (x + across, horizon + 6), colour, -1)
            for row in range(horizon - high + 3, horizon, 6):
                cv2.line(picture, (x + 2, row), (x + across - 2, row), shade(colour, 0.86), 1)
    green = vary((92, 108, 92), random, 10)
    x = 0
    while x < width:
        wide, high = int(random.integers(6, 22)), int(random.integers(4, 14))
        colour = shade(green, float(random.uniform(0.86, 1.1)))
        cv2.ellipse(picture, (x, horizon + 2), (wide, high), 0, 0, 360, colour, -1, cv2.LINE_AA)
        x += int(random.integers(3, 12))

"""Rain and haze between a camera and what it looks at."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from pipelines.fleet.blending import lay_over, look_up
from pipelines.fleet.light.weather import Weather
from pipelines.fleet.textures import SIDE, Pixels, blurred, window

_SLANTS = (-6, -2, 1, 4, 8)
"""Pixels that a streak of 20 pixels goes to the right."""


@lru_cache(maxsize=len(_SLANTS))
def _streaks(slant: int) -> Pixels:
    """Draw a tile of streaks, (SIDE, SIDE) uint8: how much of each pixel they hide."""
    random = np.random.default_rng([20, slant + 20])
    tile = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(1900):
        x, y = (int(value) for value in random.integers(-16, SIDE, 2))
        length, strength = float(random.uniform(0.3, 1.2)), int(random.integers(20, 110))
        end = (x + int(slant * length), y + int(20 * length))
        cv2.line(tile, (x, y), end, strength, 1, cv2.LINE_AA)
    tile = blurred(tile, 0.6)
    tile.setflags(write=False)
    return tile


def fall(image: Pixels, weather: Weather, random: np.random.Generator) -> Pixels:
    """Let haze and rain come before an image.

    Args:
        image: (height, width, 3) uint8.
        weather: its rain and haze say how much.
        random: draws the drops.

    Returns:
        (height, width, 3) uint8.
    """
    grey = np.array([min(215, int(190 * level)) for level in weather.level])
    if weather.haze > 0:
        veil = int(weather.haze * 256)
        table = (np.arange(256)[:, None] * (256 - veil) + (grey + 20) * veil) >> 8
        image = look_up(table, image)
    if weather.rain <= 0:
        return image
    slant = _SLANTS[int(random.integers(len(_SLANTS)))]
    drops = window(_streaks(slant), image.shape[:2], random)
    cover = look_up(np.arange(256) * int(weather.rain * 200) >> 8, drops)
    bright = np.empty_like(image)
    bright[:] = grey + 40
    return lay_over(image, bright, cover)

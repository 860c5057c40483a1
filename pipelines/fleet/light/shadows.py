"""Shadows that fall across a road and whoever passes: of trees, of buildings, of poles."""

from __future__ import annotations

import numpy as np

from pipelines.fleet.blending import dim, three
from pipelines.fleet.light.weather import Weather
from pipelines.fleet.textures import SIDE, Pixels, noise, resized, window


def shadow_map(shape: tuple[int, int], weather: Weather, random: np.random.Generator) -> Pixels:
    """Draw a shadow over a crop.

    Args:
        shape: (height, width) of the crop.
        weather: without a sun there is no shadow.
        random: draws what throws it.

    Returns:
        (height, width) uint8 to multiply a crop with, 255 for unchanged.
    """
    height, width = shape
    if weather.sun_strength <= 0:
        return np.full(shape, 255, np.uint8)
    depth = int((1 - weather.shadow) * 255)
    kind = int(random.integers(3))
    if kind == 0:
        # Leaves: light falls through in spots.
        # A road is seen at a slant, which makes the spots flat.
        blob = 8 if random.random() < 0.6 else 16
        tall = min(SIDE, 2 * height)
        tile = window(noise(blob, 5), (tall, width), random)
        spots = resized(tile, width, height)
        patch = window(noise(64, 5), shape, random)
        open_ = int(random.integers(60, 160))
        cover = (spots >> 1) + (patch >> 1)
        cover = np.clip((cover.astype(np.int16) - open_) * 4, 0, 255)
    else:
        # A straight edge, or a band between two: across the crop's middle at a random slant.
        slope = float(random.uniform(-0.7, 0.7))
        half = float(random.uniform(0.02, 0.05) if kind == 1 else random.uniform(0.15, 0.5)) * width
        middle = float(random.uniform(0.1, 0.9)) * width
        soft = float(random.uniform(1.5, 4))
        x = np.arange(width, dtype=np.float32) - np.float32(middle)
        y = (np.arange(height, dtype=np.float32) - np.float32(height / 2)) * np.float32(slope)
        away = np.abs(x[None] + y[:, None])
        cover = np.clip((np.float32(half) - away) * np.float32(128 / soft) + 128, 0, 255)
        cover = cover.astype(np.int16)
    return (255 - ((cover.astype(np.uint16) * depth) >> 8)).astype(np.uint8)


def cast(image: Pixels, shadow: Pixels) -> Pixels:
    """Multiply an image (height, width, 3) with a shadow (height, width)."""
    return dim(image, three(shadow))

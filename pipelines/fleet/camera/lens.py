"""What a camera makes of light: blur, exposure, noise, vignette, and a JPEG file."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.fleet.blending import dim, look_up, three
from pipelines.fleet.camera.cameras import Camera
from pipelines.fleet.light.weather import Weather
from pipelines.fleet.textures import SIDE, Pixels, blurred, window

_UNIT = 16
"""Standard deviation of the tile of noise, in its integers."""


def smear(image: Pixels, dx: float, dy: float) -> Pixels:
    """Blur an image (height, width, channels) along a movement of (dx, dy) pixels.

    The mean of shifted copies, in integers; beyond the edge the edge is repeated.
    """
    steps = int(max(abs(dx), abs(dy)) + 0.5)
    if steps < 1:
        return image
    height, width = image.shape[:2]
    border = steps // 2 + 1
    wide = np.pad(image, ((border, border), (border, border), (0, 0)), mode="edge")
    total = np.zeros(image.shape, np.uint16)
    for step in range(steps + 1):
        along = step / steps - 0.5
        x = border + int(np.floor(dx * along + 0.5))
        y = border + int(np.floor(dy * along + 0.5))
        total += wide[y : y + height, x : x + width]
    total += (steps + 1) // 2
    return (total // (steps + 1)).astype(np.uint8)


def defocus(image: Pixels, sigma: float) -> Pixels:
    """Blur an image by a Gaussian of `sigma` pixels."""
    return image if sigma < 0.2 else blurred(image, sigma)


def expose(
    image: Pixels, gain: float, tint: tuple[float, float, float], contrast: float, gamma: float
) -> Pixels:
    """Turn light into grey levels.

    Args:
        image: (height, width, 3) uint8.
        gain: of all channels.
        tint: gain of each channel.
        contrast: slope around the middle grey, 1 for none added.
        gamma: exponent, below 1 for brighter dark parts.

    Returns:
        (height, width, 3) uint8; highlights roll off instead of clipping at once.
    """
    light = np.arange(256)[:, None] / 255 * (gain * np.array(tint))
    # Rounded: a power's last bits differ between machines.
    light = np.round(light**gamma, 6)
    light = (light - 0.45) * contrast + 0.45
    knee = 0.85
    light = np.where(light > knee, knee + (light - knee) / (1 + 2.5 * (light - knee)), light)
    return look_up(np.clip(light * 255 + 0.5, 0, 255), image)


@lru_cache(maxsize=1)
def _grain() -> npt.NDArray[np.int16]:
    """A tile of sensor noise (SIDE, SIDE, 3): the same on all channels, and blotches of colour."""
    random = np.random.default_rng(16)
    # Sums of uniform integers, near enough to normal and the same on every machine: the sum of
    # 8 from 0 to 15 has a standard deviation of sqrt(8 * 255 / 12) = 13.04.
    luma = random.integers(0, 16, (8, SIDE, SIDE), np.int16).sum(0, dtype=np.int16) - 60
    chroma = random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    chroma = blurred(chroma, 1.2)
    grain: npt.NDArray[np.int16] = (luma[..., None] * 9 + chroma.astype(np.int16) * 3 - 378) // 8
    grain.setflags(write=False)
    return grain


def add_noise(image: Pixels, sigma: float, random: np.random.Generator) -> Pixels:
    """Add noise of `sigma` grey levels to an image (height, width, 3) uint8."""
    if sigma <= 0:
        return image
    grain = window(_grain(), image.shape[:2], random)
    # In 128ths, so that 16 bits hold the product.
    noise = grain * np.int16(min(255, int(sigma / _UNIT * 128 + 0.5)))
    noise += 64
    noise >>= 7
    noise += image
    return np.clip(noise, 0, 255, out=noise).astype(np.uint8)


@lru_cache(maxsize=8)
def _corners(size: tuple[int, int]) -> Pixels:
    """Return the share of light, 255 for all, that a lens passes: (height, width, 3)."""
    width, height = size
    x = (np.arange(width) + 0.5) / width - 0.5
    y = (np.arange(height) + 0.5) / height - 0.5
    away = x[None] * x[None] + y[:, None] * y[:, None]
    light = three((255 - 150 * away * (0.5 + away) + 0.5).astype(np.uint8))
    light.setflags(write=False)
    return light


def vignette(image: Pixels, size: tuple[int, int], corner: tuple[int, int]) -> Pixels:
    """Darken a crop by where it lies in its frame.

    Args:
        image: (height, width, 3) uint8.
        size: (width, height) of the frame.
        corner: (x, y) of the crop's upper left pixel in it.
    """
    x, y = corner
    return dim(image, _corners(size)[y : y + image.shape[0], x : x + image.shape[1]])


def encode(image: Pixels, quality: int) -> bytes:
    """Write an image (height, width, 3) uint8 RGB as a JPEG file, colour at half resolution."""
    settings = [
        cv2.IMWRITE_JPEG_QUALITY, quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    ]  # fmt: skip
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
    return bytes(data)


def photograph(
    image: Pixels,
    corner: tuple[int, int],
    camera: Camera,
    weather: Weather,
    random: np.random.Generator,
) -> bytes:
    """Take a picture of light.

    Args:
        image: (height, width, 3) uint8 RGB, a crop of what lies before the camera.
        corner: (x, y) of its upper left pixel in the camera's frame.
        camera: its blur, exposure, tint, noise and quality.
        weather: the darker, the longer the exposure and the higher the gain and the noise.
        random: draws the exposure's error, the shake and the noise.

    Returns:
        A JPEG file.
    """
    red, green, blue = weather.level
    light = (2 * red + 4 * green + blue) / 7 + 0.3 * weather.lamps
    # An automatic exposure makes up for part of what is missing, not for all.
    gain = camera.exposure * float(np.round(min(1.0, light) ** -0.6, 6))
    gain *= float(random.uniform(0.94, 1.06))
    contrast, gamma = float(random.uniform(0.97, 1.06)), float(random.uniform(0.95, 1.05))
    shake = 0.5 * weather.iso
    image = smear(image, *random.uniform(-shake, shake, 2))
    image = defocus(image, camera.blur * float(random.uniform(0.85, 1.2)))
    image = vignette(image, camera.size, corner)
    image = expose(image, gain, camera.tint, contrast, gamma)
    image = add_noise(image, camera.noise * weather.iso, random)
    return encode(image, camera.quality)

"""Light on surfaces: what colour a sample has, given its material, its normal and the sky.

Only sums, products, quotients and square roots are used, element by element: every machine gets
the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.fleet.vehicle.inks import Palette

Floats = npt.NDArray[np.float32]
Triple = tuple[float, float, float]

SKYLINE = 32
"""Pieces of the skyline that is mirrored in paint and glass; a power of two."""
_STEPS = 128
"""Steps of the sky's colour from the horizon to half way up."""


@dataclass(frozen=True)
class Light:
    """The light of one moment; colours are linear, 1 is white paper in full light.

    Attributes:
        sun: unit vector toward it, in the world.
        sunlight: colour of what it gives, black where it is hidden.
        zenith: colour of the sky overhead.
        horizon: colour of the sky low down.
        ground: colour of what the ground throws back.
        skyline: (SKYLINE,) float32, how high what stands around rises, as a sine.
    """

    sun: Triple
    sunlight: Triple
    zenith: Triple
    horizon: Triple
    ground: Triple
    skyline: Floats


def _mirror(x: Floats, y: Floats, z: Floats, light: Light) -> list[Floats]:
    """Return what is seen in the directions (x, y, z): three channels."""
    around = np.abs(x) + np.abs(y) + np.float32(1e-6)
    # A turn measured along a square instead of a circle needs no arc tangent.
    turn = y / around
    turn = np.where(x < 0, 2 - turn, turn) + 1
    place = (turn * np.float32(SKYLINE / 4)).astype(np.int32) & (SKYLINE - 1)
    step = np.minimum(z * np.float32(2 * _STEPS), _STEPS).astype(np.int32)
    step[z < light.skyline.take(place)] = _STEPS + 1
    step[z < 0] = _STEPS + 2
    channels = []
    share = np.arange(_STEPS + 1, dtype=np.float32) / np.float32(_STEPS)
    for zenith, horizon, ground in zip(light.zenith, light.horizon, light.ground, strict=True):
        sky = np.float32(horizon) + share * np.float32(zenith - horizon)
        # What is built, and the ground.
        table = np.append(sky, [0.28 * horizon + 0.1 * ground, 0.6 * ground])
        channels.append(table.astype(np.float32).take(step))
    return channels


def shade(
    ink: npt.NDArray[np.uint8], normal: tuple[Floats, Floats, Floats],
    ray: tuple[Floats, Floats, Floats], palette: Palette, light: Light,
    behind: tuple[Floats, Floats, Floats] | None = None,
) -> list[Floats]:  # fmt: skip
    """Colour samples: Lambert's law under sun and sky, and a mirror image after Schlick.

    Args:
        ink: (N,) the material.
        normal: three (N,) unit components, in the world.
        ray: three (N,) unit components, from the camera to the surface.
        palette: looks of the inks.
        light: of the moment.
        behind: three (N,) linear channels seen through the surface, added to its own; or None.

    Returns:
        Three (N,) float32 linear channels.
    """
    (nx, ny, nz), (dx, dy, dz) = normal, ray
    facing = np.maximum(-(nx * dx + ny * dy + nz * dz), np.float32(0.04))
    mx, my, mz = dx + 2 * facing * nx, dy + 2 * facing * ny, dz + 2 * facing * nz
    sx, sy, sz = (np.float32(value) for value in light.sun)
    sunny = np.maximum(nx * sx + ny * sy + nz * sz, 0)
    upward = np.float32(0.5) + np.float32(0.5) * nz
    gloss = palette.gloss.take(ink)
    grazing = 1 - facing
    grazing = grazing * grazing
    grazing = grazing * grazing * (1 - facing)
    shine = gloss + (np.minimum(8 * gloss, 1) - gloss) * grazing
    spot = np.maximum(mx * sx + my * sy + mz * sz, 0)
    for _ in range(6):
        spot = spot * spot
    seen = _mirror(mx, my, mz, light)
    glow = palette.glow.take(ink)
    shown = []
    for channel in range(3):
        diffuse = (
            np.float32(light.zenith[channel] * 0.5 + light.horizon[channel] * 0.5) * upward
            + np.float32(light.ground[channel]) * (1 - upward)
            + np.float32(light.sunlight[channel]) * sunny
        )
        own = palette.colour[:, channel].take(ink)
        bright = own * (diffuse + glow)
        glint = seen[channel] + np.float32(3 * light.sunlight[channel]) * spot
        value = bright + shine * glint
        if behind is not None:
            value = value + (1 - shine) * behind[channel]
        shown.append(value)
    return shown

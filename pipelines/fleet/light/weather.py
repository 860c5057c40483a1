"""The light and the weather of a pass: what they do to a street and to what stands between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipelines.fleet.blending import look_up, mix, multiply, three
from pipelines.fleet.camera.cameras import steady
from pipelines.fleet.street.backgrounds import Plate
from pipelines.fleet.textures import Pixels, resized

Kind = Literal["day", "overcast", "rain", "dusk", "night"]
Triple = tuple[float, float, float]

KINDS: tuple[Kind, ...] = ("day", "overcast", "rain", "dusk", "night")


@dataclass(frozen=True)
class Weather:
    """Light and weather while a vehicle passes. Light is linear in grey levels; 1 is a full day's.

    Attributes:
        kind: its name.
        sun: unit vector (x, y, z) from the ground towards the sun.
        sun_strength: light on a surface that faces the sun; 0 without shadows.
        sun_tint: (red, green, blue).
        ambient: light from everywhere.
        ambient_tint: likewise.
        haze: share of an image's contrast that the air takes.
        iso: the sensor's noise, as a multiple of the noise by day.
        lamps: light right under a street lamp.
        lamp_tint: likewise.
        wetness: of the ground, 0 dry to 1 under water.
        rain: how much falls, 0 to 1.
    """

    kind: Kind
    sun: Triple
    sun_strength: float
    sun_tint: Triple
    ambient: float
    ambient_tint: Triple
    haze: float
    iso: float
    lamps: float = 0.0
    lamp_tint: Triple = (1.0, 1.0, 1.0)
    wetness: float = 0.0
    rain: float = 0.0

    @property
    def level(self) -> Triple:
        """The light on level, unshaded ground away from lamps: (red, green, blue)."""
        sun = self.sun_strength * self.sun[2]
        red, green, blue = (
            self.ambient * a + sun * s
            for a, s in zip(self.ambient_tint, self.sun_tint, strict=True)
        )
        return red, green, blue

    @property
    def shadow(self) -> float:
        """Share of the light on level ground that is left where the sun does not reach."""
        lit = self.ambient + self.sun_strength * self.sun[2]
        return self.ambient / lit if lit > 0 else 1.0


def _sun(random: np.random.Generator, low: float, high: float) -> Triple:
    height = math.radians(random.uniform(low, high))
    around = random.uniform(0, 2 * math.pi)
    flat = steady(math.cos(height))
    return (
        steady(flat * steady(math.cos(around))),
        steady(flat * steady(math.sin(around))),
        steady(math.sin(height)),
    )


def draw_weather(random: np.random.Generator, kinds: Sequence[Kind] = KINDS) -> Weather:
    """Draw one of some kinds of weather and its particulars."""
    kind = kinds[int(random.integers(len(kinds)))]
    u = random.uniform

    def tint(red: float, green: float, blue: float) -> Triple:
        turn = u(-0.02, 0.02)
        return red * (1 + turn), green, blue * (1 - turn)

    lamp_tint = tint(1.15, 0.92, 0.6) if random.random() < 0.6 else tint(0.96, 1.0, 1.04)
    damp = u(0.2, 0.6) if random.random() < 0.2 else 0.0
    white = (1.0, 1.0, 1.0)
    if kind == "day":
        return Weather(
            kind, _sun(random, 25, 65), u(0.55, 0.8), tint(1.05, 1.0, 0.93), u(0.42, 0.56),
            tint(0.97, 1.0, 1.05), haze=u(0, 0.04), iso=1.0,
        )  # fmt: skip
    if kind == "overcast":
        return Weather(
            kind, _sun(random, 40, 80), 0.0, white, u(0.8, 0.98), tint(0.99, 1.0, 1.02),
            haze=u(0.02, 0.08), iso=1.2, wetness=damp,
        )  # fmt: skip
    if kind == "rain":
        return Weather(
            kind, _sun(random, 40, 80), 0.0, white, u(0.6, 0.82), tint(0.97, 1.0, 1.03),
            haze=u(0.06, 0.2), iso=1.6, lamps=u(0, 0.15), lamp_tint=lamp_tint,
            wetness=u(0.6, 1.0), rain=u(0.3, 1.0),
        )  # fmt: skip
    if kind == "dusk":
        return Weather(
            kind, _sun(random, 4, 12), u(0.3, 0.5), tint(1.25, 0.95, 0.68), u(0.34, 0.46),
            tint(1.0, 0.97, 1.05), haze=u(0.02, 0.1), iso=1.8, lamps=u(0.1, 0.3),
            lamp_tint=lamp_tint,
        )  # fmt: skip
    return Weather(
        kind, _sun(random, 40, 80), 0.0, white, u(0.13, 0.22), tint(0.92, 0.97, 1.12),
        haze=u(0, 0.04), iso=u(1.8, 2.6), lamps=u(0.4, 0.65), lamp_tint=lamp_tint, wetness=damp,
    )  # fmt: skip


def relight(picture: Pixels, weather: Weather) -> Pixels:
    """Light a picture that was painted under even daylight: (height, width, 3) uint8."""
    levels = np.array([int(level * 256 + 0.5) for level in weather.level])
    return look_up(np.minimum((np.arange(256)[:, None] * levels) >> 8, 255), picture)


def light_plate(plate: Plate, weather: Weather) -> Pixels:
    """Light a crop of a plate as the weather has it: its level light, its lamps, wet ground.

    Args:
        plate: a crop.
        weather: of the pass.

    Returns:
        (height, width, 3) uint8; shadows, rain and haze are not in it yet.
    """
    picture = wet(plate, weather.wetness) if weather.wetness > 0 else plate.picture
    if weather.lamps <= 0:
        return relight(picture, weather)
    # In 128ths: neither a lamp nor the sky is ever twice a day's light.
    levels = np.array([int(level * 128 + 0.5) for level in weather.level])
    lamps = np.array([int(weather.lamps * tint * 128 + 0.5) for tint in weather.lamp_tint])
    table = np.minimum(np.arange(256)[:, None] * lamps // 255 + levels, 255)
    return multiply(picture, look_up(table, three(plate.lamps)))


def wet(plate: Plate, wetness: float) -> Pixels:
    """Wet the ground of a crop of a plate: darker, and mirroring what stands behind it.

    Args:
        plate: a crop of at least 16 x 16 pixels.
        wetness: 0 to 1.

    Returns:
        (height, width, 3) uint8, the crop's picture where it is not ground.
    """
    height, width = plate.gloss.shape
    # A rough wet road smears what it mirrors upwards and downwards.
    across, down = width // 4, height // 16
    small = resized(plate.picture[: 16 * down, : 4 * across], across, down)
    mirrored = resized(small[::-1], width, height)
    # In 255ths, by gloss: what is mirrored, and what is left of the ground's own colour.
    shine = np.arange(256) * int(wetness * 140) // 255
    left = (255 - shine) * (255 - int(wetness * 100)) // 255
    left[0] = 255
    gloss = three(plate.gloss)
    return mix(plate.picture, look_up(left, gloss), mirrored, look_up(shine, gloss))

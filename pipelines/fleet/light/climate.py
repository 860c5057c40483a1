"""The weather of every hour, and its light as the renderer wants it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipelines.fleet.light.shade import SKYLINE, Light, Triple
from pipelines.fleet.light.weather import Kind, Weather, draw_weather
from pipelines.fleet.vehicle.inks import Ink, Palette

_NIGHT, _DUSK = (6, 20), (7, 19)
"""Hours of the day between which it is not night, and between which it is full day."""
_HEADLIGHTS = {Ink.LENS: 0.5, Ink.REFLECTOR: 2.5, Ink.RED_LENS: 0.7, Ink.RUNNING_LIGHT: 2.0}


def weather_at(hour: int, rain: float, random: np.random.Generator) -> Weather:
    """Draw the weather of an hour.

    Args:
        hour: since the first midnight.
        rain: share of the hours with rain.
        random: the generator of that hour.
    """
    clock = hour % 24
    kinds: tuple[Kind, ...] = ("overcast",) if random.random() < 0.35 else ("day",)
    if not _NIGHT[0] <= clock < _NIGHT[1]:
        kinds = ("night",)
    elif not _DUSK[0] <= clock < _DUSK[1]:
        kinds = ("dusk",)
    elif random.random() < rain:
        kinds = ("rain",)
    return draw_weather(random, kinds)


def _squared(red: float, green: float, blue: float) -> Triple:
    # Grey levels are square roots of light, see `pipelines.fleet.vehicle.inks.linear`.
    return red * red, green * green, blue * blue


def _each(rule: Callable[[float, float], float], first: Triple, second: Triple) -> Triple:
    red, green, blue = (rule(a, b) for a, b in zip(first, second, strict=True))
    return red, green, blue


def light_of(weather: Weather, lamp: float, skyline: np.random.Generator) -> Light:
    """Turn weather into the light that a vehicle stands in.

    Args:
        weather: of the hour.
        lamp: light of street lamps where the vehicle is, 0 to 1.
        skyline: draws what is mirrored from all around.
    """
    lamps = weather.lamps * lamp
    level = _squared(*_each(lambda a, b: a + lamps * b, weather.level, weather.lamp_tint))
    ambient = _squared(*(weather.ambient * tint for tint in weather.ambient_tint))
    sun = weather.sun
    if weather.sun_strength == 0:
        # Only lamps cast a light of their own, and they stand overhead.
        sun = (0.0, 0.0, 1.0)
    steep = max(sun[2], 0.3)
    blue: Triple = (0.7, 0.85, 1.15) if weather.kind == "day" else (1.0, 1.0, 1.0)
    zenith = _each(lambda a, b: a * b, ambient, blue)
    return Light(
        sun=sun,
        sunlight=_each(lambda a, b: max(0.0, a - b) / steep, level, ambient),
        zenith=zenith,
        horizon=_each(lambda a, b: 2 * a - b, ambient, zenith),
        ground=_each(lambda a, b: a * b, level, (0.42, 0.42, 0.42)),
        skyline=skyline.uniform(0.02, 0.32, SKYLINE).astype(np.float32),
    )


def lit(palette: Palette, weather: Weather) -> Palette:
    """Switch a vehicle's lights on where it is dark."""
    if weather.kind not in ("night", "dusk"):
        return palette
    glow = palette.glow.copy()
    for ink, strength in _HEADLIGHTS.items():
        glow[ink] = strength
    return Palette(palette.colour, palette.gloss, glow)

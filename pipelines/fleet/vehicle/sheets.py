"""A vehicle's sheet: every surface unrolled on one flat picture, on which its looks are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.fleet.vehicle.bodies import Body
from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.things import NUMBER

Bytes = npt.NDArray[np.uint8]
Points = Iterable[tuple[float, float]]

_MARGIN = 0.06
"""Metres of spare sheet around every surface."""
_SWATCH = 4
"""Texels a side of the patch of one colour for a solid of its own."""


@dataclass(frozen=True)
class Sheet:
    """Three planes of texels. Areas: the ribbon from nose to tail, two sides, wheel, swatches.

    Attributes:
        body: whose surfaces these are.
        scale: texels a metre.
        length: of the ribbon, metres.
        ink: (H, W) uint8, the material.
        thing: (H, W) uint8, what it belongs to, see `pipelines.fleet.vehicle.things`.
        height: (H, W) uint8, relief: 128 is the smooth surface, one step a millimetre.
        swatches: where each (ink, thing) of solids is.
    """

    body: Body
    scale: float
    length: float
    ink: Bytes
    thing: Bytes
    height: Bytes
    swatches: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def blank(cls, body: Body, length: float) -> Sheet:
        """Make a sheet of bare paint."""
        scale = 120.0 if body.nose - body.tail < 6 else 70.0
        wide = max(length, body.nose - body.tail) + 2 * _MARGIN
        high = body.width + 2 * (body.top + _MARGIN) + 4 * _MARGIN + 1.2
        shape = (round(high * scale) + 3 * _SWATCH, round(wide * scale))
        ink, thing, height = (np.full(shape, value, np.uint8) for value in (Ink.PAINT, 0, 128))
        return cls(body, scale, length, ink, thing, height)

    def copy(self) -> Sheet:
        """Return a sheet that can be drawn on without changing this one."""
        return replace(
            self, ink=self.ink.copy(), thing=self.thing.copy(), height=self.height.copy(),
            swatches=dict(self.swatches),
        )  # fmt: skip

    def on_ribbon(self, points: Points) -> npt.NDArray[np.float64]:
        """Texels (column, row) of (metres from the nose along the profile, y)."""
        placed = np.array(list(points), float)
        down = self.body.width / 2 + _MARGIN - placed[:, 1]
        return np.stack([placed[:, 0] + _MARGIN, down], 1) * self.scale

    def on_side(self, side: int, points: Points) -> npt.NDArray[np.float64]:
        """Texels (column, row) of (x, z) on the left (1) or right (-1) side."""
        placed = np.array(list(points), float)
        start = self.body.width + 2 * _MARGIN
        start += 0.0 if side > 0 else self.body.top + 2 * _MARGIN
        column = placed[:, 0] - self.body.tail + _MARGIN
        return np.stack([column, start + self.body.top + _MARGIN - placed[:, 1]], 1) * self.scale

    @property
    def rim(self) -> tuple[float, float, float]:
        """Column, row and radius of the wheel's picture, in texels."""
        start = self.body.width + 2 * (self.body.top + _MARGIN) + 4 * _MARGIN
        radius = 0.5
        return (radius + _MARGIN) * self.scale, (start + radius) * self.scale, radius * self.scale

    def _band(self, side: int | None) -> tuple[int, int]:
        """Return the rows of one surface: the ribbon (0), a side (1, -1), or all (None)."""
        if side is None:
            return 0, self.ink.shape[0]
        wide, high = self.body.width + 2 * _MARGIN, self.body.top + 2 * _MARGIN
        start = {0: 0.0, 1: wide, -1: wide + high}[side]
        return round(start * self.scale), round((start + (high if side else wide)) * self.scale)

    def draw(
        self, texels: npt.NDArray[np.float64], ink: Ink | None, thing: str | None = None,
        height: int | None = None, side: int | None = None,
    ) -> None:  # fmt: skip
        """Fill a polygon given in texels, within one surface; what is None stays as it is."""
        start, end = self._band(side)
        corners = [np.rint((texels - (0, start)) * 16 - 8).astype(np.int32)]
        if ink is not None:
            cv2.fillPoly(self.ink[start:end], corners, int(ink), shift=4)
        if thing is not None:
            cv2.fillPoly(self.thing[start:end], corners, NUMBER[thing], shift=4)
        if height is not None:
            cv2.fillPoly(self.height[start:end], corners, 128 + height, shift=4)

    def ribbon(
        self, points: Points, ink: Ink | None, thing: str | None = None, height: int | None = None
    ) -> None:
        """Fill a polygon on the ribbon, see `on_ribbon`."""
        self.draw(self.on_ribbon(points), ink, thing, height, 0)

    def side(
        self, side: int, points: Points, ink: Ink | None, thing: str | None = None,
        height: int | None = None,
    ) -> None:  # fmt: skip
        """Fill a polygon on a side, see `on_side`."""
        self.draw(self.on_side(side, points), ink, thing, height, side)

    def line(self, texels: npt.NDArray[np.float64], width: float, ink: Ink) -> None:
        """Draw an open line given in texels, ``width`` in metres."""
        corners = [np.rint(texels * 16 - 8).astype(np.int32)]
        thick = max(1, round(width * self.scale))
        cv2.polylines(self.ink, corners, False, int(ink), thick, cv2.LINE_8, 4)
        cv2.polylines(self.height, corners, False, 124, thick, cv2.LINE_8, 4)

    def swatch(self, ink: Ink, thing: str) -> tuple[float, float]:
        """Return the texel (column, row) that has this ink and thing, for a solid."""
        key = (int(ink), NUMBER[thing])
        if key not in self.swatches:
            column = len(self.swatches) * _SWATCH
            row = self.ink.shape[0] - _SWATCH
            if column + _SWATCH > self.ink.shape[1]:
                raise ValueError("no room for another swatch")
            area = np.s_[row : row + _SWATCH, column : column + _SWATCH]
            self.ink[area], self.thing[area] = key
            self.swatches[key] = (column + _SWATCH / 2, row + _SWATCH / 2)
        return self.swatches[key]


def oval(
    centre: tuple[float, float], radii: tuple[float, float], ring: Sequence[Sequence[float]]
) -> list[tuple[float, float]]:
    """Return an ellipse's corners from a unit circle's."""
    return [(centre[0] + radii[0] * c, centre[1] + radii[1] * s) for c, s in ring]


def oblong(
    centre: tuple[float, float], size: tuple[float, float], turn: tuple[float, float] = (1.0, 0.0)
) -> list[tuple[float, float]]:
    """Return a rectangle's corners; ``turn`` is the (cosine, sine) of its turn."""
    c, s = turn
    corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    return [
        (
            centre[0] + a * size[0] * c - b * size[1] * s,
            centre[1] + a * size[0] * s + b * size[1] * c,
        )
        for a, b in corners
    ]

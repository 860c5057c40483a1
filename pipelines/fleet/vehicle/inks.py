"""What surfaces are made of: a number on the sheet, and how each looks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]


class Ink(IntEnum):
    """A material."""

    PAINT = 0
    SECOND = 1
    SEAM = 2
    GLASS = 3
    TRIM = 4
    CHROME = 5
    LENS = 6
    RED_LENS = 7
    AMBER_LENS = 8
    TYRE = 9
    RIM = 10
    RIM_GAP = 11
    PLATE = 12
    PLATE_INK = 13
    GRILLE = 14
    BAR = 15
    REFLECTOR = 16
    UNDER = 17
    CABIN = 18
    DASH = 19
    SEAT = 20
    DRIVER = 21
    BELT = 22
    STRIPE = 23
    RUNNING_LIGHT = 24
    SIGN = 25
    PRIMER = 26
    SKIN = 27
    FRAME = 28
    BADGE = 29
    BED = 30
    DARK_GLASS = 31
    RED = 32
    GREEN = 33
    BLUE = 34
    YELLOW = 35
    WHITE = 36
    ORANGE = 37
    PURPLE = 38
    CYAN = 39
    PINK = 40
    BLACK = 41
    BROWN = 42


STICKERS = (Ink.RED, Ink.GREEN, Ink.BLUE, Ink.YELLOW, Ink.WHITE, Ink.ORANGE, Ink.PURPLE, Ink.CYAN,
            Ink.PINK, Ink.BROWN)  # fmt: skip

_LOOKS: dict[Ink, tuple[Colour, float, float]] = {
    Ink.SEAM: ((22, 22, 24), 0.02, 0), Ink.GLASS: ((14, 18, 20), 0.09, 0),
    Ink.TRIM: ((34, 35, 37), 0.03, 0), Ink.CHROME: ((150, 153, 158), 0.55, 0),
    Ink.LENS: ((178, 182, 186), 0.22, 0), Ink.RED_LENS: ((158, 14, 18), 0.12, 0),
    Ink.AMBER_LENS: ((214, 112, 18), 0.12, 0), Ink.TYRE: ((26, 26, 28), 0.01, 0),
    Ink.RIM: ((158, 160, 164), 0.20, 0), Ink.RIM_GAP: ((30, 30, 32), 0.02, 0),
    Ink.PLATE: ((40, 70, 160), 0.03, 0), Ink.PLATE_INK: ((214, 218, 226), 0.03, 0),
    Ink.GRILLE: ((16, 16, 18), 0.03, 0), Ink.BAR: ((122, 125, 130), 0.35, 0),
    Ink.REFLECTOR: ((238, 240, 242), 0.30, 0), Ink.UNDER: ((12, 12, 13), 0.0, 0),
    Ink.CABIN: ((22, 22, 24), 0.0, 0), Ink.DASH: ((44, 44, 46), 0.02, 0),
    Ink.SEAT: ((66, 62, 58), 0.0, 0), Ink.DRIVER: ((84, 96, 128), 0.0, 0),
    Ink.BELT: ((150, 148, 140), 0.0, 0), Ink.STRIPE: ((220, 220, 220), 0.03, 0),
    Ink.RUNNING_LIGHT: ((250, 250, 246), 0.2, 0.5), Ink.SIGN: ((240, 150, 30), 0.02, 0.45),
    Ink.PRIMER: ((112, 104, 98), 0.0, 0), Ink.SKIN: ((176, 132, 104), 0.0, 0),
    Ink.FRAME: ((180, 182, 186), 0.25, 0), Ink.BADGE: ((206, 208, 212), 0.4, 0),
    Ink.BED: ((40, 40, 42), 0.0, 0), Ink.DARK_GLASS: ((8, 9, 10), 0.08, 0),
    Ink.RED: ((206, 32, 36), 0.02, 0), Ink.GREEN: ((38, 158, 70), 0.02, 0),
    Ink.BLUE: ((36, 84, 196), 0.02, 0), Ink.YELLOW: ((242, 208, 40), 0.02, 0),
    Ink.WHITE: ((238, 238, 234), 0.02, 0), Ink.ORANGE: ((240, 126, 30), 0.02, 0),
    Ink.PURPLE: ((132, 58, 160), 0.02, 0), Ink.CYAN: ((60, 186, 206), 0.02, 0),
    Ink.PINK: ((238, 130, 170), 0.02, 0), Ink.BLACK: ((18, 18, 20), 0.02, 0),
    Ink.BROWN: ((140, 96, 58), 0.02, 0),
}  # fmt: skip


@dataclass(frozen=True)
class Palette:
    """How each ink looks on one vehicle.

    Attributes:
        colour: (inks, 3) float32, diffuse reflectance, 0 to 1, linear light.
        gloss: (inks,) float32, reflectance of the surface seen straight on.
        glow: (inks,) float32, light of its own.
    """

    colour: npt.NDArray[np.float32]
    gloss: npt.NDArray[np.float32]
    glow: npt.NDArray[np.float32]


def linear(colour: Colour) -> tuple[float, float, float]:
    """Turn a display colour into linear light, by squaring: a gamma of 2."""
    red, green, blue = (channel / 255 * (channel / 255) for channel in colour)
    return red, green, blue


def palette(changes: dict[Ink, Colour], paint_gloss: float = 0.06) -> Palette:
    """Make a vehicle's palette: the usual looks with its own colours.

    Args:
        changes: display colours of its own; must have the paint.
        paint_gloss: of both paints.
    """
    count = max(Ink) + 1
    colour, gloss, glow = np.zeros((count, 3)), np.zeros(count), np.zeros(count)
    looks = {Ink.PAINT: ((0, 0, 0), paint_gloss, 0.0), Ink.SECOND: ((0, 0, 0), paint_gloss, 0.0)}
    for ink, (shown, shine, light) in {**looks, **_LOOKS}.items():
        colour[ink] = linear(changes.get(ink, shown))
        gloss[ink], glow[ink] = shine, light
    return Palette(*(values.astype(np.float32) for values in (colour, gloss, glow)))

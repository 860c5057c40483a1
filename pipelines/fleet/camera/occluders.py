"""Things between a camera and a vehicle: poles, signs, leaves, railings, trunks, other roofs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.fleet.blending import multiply, three
from pipelines.fleet.camera.cameras import Floats
from pipelines.fleet.street.painting import Colour, shade, vary
from pipelines.fleet.street.plants import draw_leaves
from pipelines.fleet.textures import Pixels, blurred, noise, resized, window

LEAST, MOST = 0.03, 0.25
"""Share of a crop that an occluder covers."""
_SHIFT = 4


@dataclass(frozen=True)
class Occluder:
    """Something before a vehicle.

    Attributes:
        colour: (height, width, 3) uint8 RGB under even daylight.
        alpha: (height, width) uint8, 255 where it hides all.
        cover: share of the crop that it hides.
        kind: what it is.
    """

    colour: Pixels
    alpha: Pixels
    cover: float
    kind: str


def _polygon(picture: Pixels, points: Floats, colour: Colour | int) -> None:
    fixed = np.floor(points * (1 << _SHIFT) + 0.5).astype(np.int32)
    cv2.fillPoly(picture, [fixed], colour, lineType=cv2.LINE_AA, shift=_SHIFT)


def _column(
    colour: Pixels, alpha: Pixels, middle: float, wide: float, lean: float, paint: Colour
) -> None:
    """Draw a round upright thing: darker towards its edges, lit from the left."""
    height = alpha.shape[0]
    colour[:] = shade(paint, 0.8)
    for a, b, light in ((-0.5, -0.3, 0.8), (-0.3, 0.0, 1.1), (0.0, 0.25, 0.92), (0.25, 0.5, 0.62)):
        x = np.array([middle + a * wide, middle + b * wide + 0.5]) + np.array([[lean], [-lean]])
        points = np.array([[x[0, 0], -1], [x[0, 1], -1], [x[1, 1], height], [x[1, 0], height]])
        _polygon(colour, points, shade(paint, light))
    x = middle + np.array([-0.5, 0.5]) * wide
    points = np.array([[x[0] + lean, -1], [x[1] + lean, -1], [x[1] - lean, height],
                       [x[0] - lean, height]])  # fmt: skip
    _polygon(alpha, points, 255)


def _pole(colour: Pixels, alpha: Pixels, cover: float, random: np.random.Generator) -> None:
    width = alpha.shape[1]
    wide = min(cover, 0.14) * width
    middle, lean = float(random.uniform(0.12, 0.88)) * width, float(random.uniform(-2, 2))
    paint = [(118, 120, 120), (70, 74, 72), (148, 146, 140), (60, 70, 62)][int(random.integers(4))]
    _column(colour, alpha, middle, wide, lean, vary(paint, random))


def _trunk(colour: Pixels, alpha: Pixels, cover: float, random: np.random.Generator) -> None:
    height, width = alpha.shape
    side = -1.0 if random.random() < 0.5 else 1.0
    middle = (0.5 + side * float(random.uniform(0.2, 0.48))) * width
    paint = vary((92, 82, 70), random)
    lean = float(random.uniform(-0.06, 0.06)) * width
    _column(colour, alpha, middle, (cover + 0.03) * width, lean, paint)
    # Bark runs upwards: noise squeezed across.
    bark = resized(window(noise(4, 2), (max(1, height // 4), width), random), width, height)
    colour[:] = multiply(colour, three(bark // 2 + np.uint8(64)))


def _sign(colour: Pixels, alpha: Pixels, cover: float, random: np.random.Generator) -> None:
    """Draw the back or the rim of a board that hangs in from a corner."""
    height, width = alpha.shape
    left, top = random.random() < 0.5, random.random() < 0.6
    aspect = float(random.uniform(0.5, 2.0))
    wide = min(0.85, float(np.sqrt(cover * aspect))) * width
    high = cover * width * height / wide
    x = 0.0 if left else width - wide
    y = 0.0 if top else height - high
    tilt = random.uniform(-0.06, 0.06, (4, 2)) * [wide, high]
    board = np.array([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]])
    board += tilt
    paints = [(150, 152, 152), (36, 74, 140), (30, 96, 70), (196, 160, 50), (206, 206, 200)]
    paint = vary(paints[int(random.integers(len(paints)))], random)
    middle = (board[0] + board[2]) / 2
    colour[:] = shade(paint, 0.7) if random.random() < 0.5 else (226, 226, 222)
    _polygon(alpha, board, 255)
    _polygon(colour, middle + (board - middle) * 0.9, paint)
    if random.random() < 0.6:
        bar = middle + (board - middle) * [0.7, 0.14]
        _polygon(colour, bar, shade(paint, 1.5))


def _leaves(colour: Pixels, alpha: Pixels, cover: float, random: np.random.Generator) -> None:
    """Let a twig's leaves hang in from above or from a side."""
    height, width = alpha.shape
    count = 26
    reach = float(np.sqrt(cover)) * 1.25
    corner = [(0.0, 0.0), (1.0, 0.0), (0.5, -0.08), (0.0, 0.35), (1.0, 0.35)]
    x, y = corner[int(random.integers(len(corner)))]
    spread = random.uniform(-1, 1, (count, 2)) * random.uniform(0.3, 1, (count, 1))
    at = (np.array([x, y]) + spread * reach * [0.75, 0.7]) * [width, height]
    radius = random.uniform(0.035, 0.085, count) * min(height, width) * (0.6 + reach)
    light = random.uniform(0.55, 1.25, count)
    green = vary([(72, 92, 48), (92, 108, 54), (60, 80, 50)][int(random.integers(3))], random)
    clumps = np.stack([at[:, 0], at[:, 1], radius, light], -1)
    painted, shown = draw_leaves((height, width), clumps, green, random)
    colour[:], alpha[:] = painted, shown
    branch = np.array([[x * width, y * height], *at[:3]])
    for end in branch[1:]:
        ends = np.stack([branch[0], end]).astype(int).tolist()
        cv2.line(colour, ends[0], ends[1], (66, 56, 46), 2, cv2.LINE_AA)
        cv2.line(alpha, ends[0], ends[1], 255, 2, cv2.LINE_AA)


def _railing(colour: Pixels, alpha: Pixels, cover: float, random: np.random.Generator) -> None:
    height, width = alpha.shape
    high = float(random.uniform(0.3, 0.5)) * height
    top = height - high
    slope = float(random.uniform(-0.12, 0.12)) * height
    thick = max(2.0, 0.028 * height)
    bars = 1.15 * cover * height - 2 * thick
    gap = min(0.5 * width, max(3.5 * thick, high * thick / max(1.0, bars)))
    paint = vary([(96, 100, 100), (60, 66, 64), (150, 152, 150)][int(random.integers(3))], random)
    colour[:] = paint
    start = float(random.uniform(0, gap))
    shapes = [
        np.array([[x, top - 2 * thick], [x + thick, top - 2 * thick], [x + thick, height + 40],
                  [x, height + 40]])
        for x in np.arange(start - gap, width + gap, gap)
    ]  # fmt: skip
    shapes += [
        np.array([[-1, up], [width, up], [width, up + thick], [-1, up + thick]])
        for up in (top, top + 0.55 * high)
    ]
    for shape in shapes:
        shape = shape + np.stack([0 * shape[:, 0], slope * (shape[:, 0] / width - 0.5)], -1)
        _polygon(alpha, shape, 255)
        _polygon(colour, shape[[0, 1, 1, 0]] + [[0, 0], [0, 0], [0, 0.3 * thick], [0, 0.3 * thick]],
                 shade(paint, 1.25))  # fmt: skip


def _roof(colour: Pixels, alpha: Pixels, cover: float, random: np.random.Generator) -> None:
    """Draw the roof and a rear window of a nearer vehicle at the lower edge."""
    height, width = alpha.shape
    left = float(random.uniform(-0.25, 0.35))
    right = left + float(random.uniform(0.65, 1.1))
    inside = max(0.35, min(1.0, right) - max(0.0, left))
    high = min(0.42, cover / inside) * height
    top = height - high
    x1, x2 = left * width, right * width
    paints = [(196, 196, 192), (50, 52, 56), (132, 134, 138), (120, 36, 38), (46, 62, 104)]
    paint = vary(paints[int(random.integers(len(paints)))], random)
    inset = 0.1 * (x2 - x1)
    edge = top + 0.12 * high
    body = np.array([[x1 + inset, edge], [x1 + 2 * inset, top], [x2 - 2 * inset, top],
                     [x2 - inset, edge], [x2, height + 30], [x1, height + 30]])  # fmt: skip
    colour[:] = paint
    _polygon(alpha, body, 255)
    sheen = np.array([body[1] + [0, 0.05 * high], body[2] + [0, 0.05 * high],
                      body[3] + [-inset, 0.1 * high], body[0] + [inset, 0.1 * high]])  # fmt: skip
    _polygon(colour, sheen, shade(paint, 1.2))
    if random.random() < 0.7:
        level = top + 0.5 * high
        low = height + 20
        glass = np.array([[x1 + 1.3 * inset, level], [x2 - 1.3 * inset, level],
                          [x2 - 0.4 * inset, low], [x1 + 0.4 * inset, low]])  # fmt: skip
        _polygon(colour, glass, (44, 50, 58))


_Painter = Callable[[Pixels, Pixels, float, np.random.Generator], None]
_PAINTERS: dict[str, _Painter] = {
    "pole": _pole, "trunk": _trunk, "sign": _sign, "leaves": _leaves, "railing": _railing,
    "roof": _roof,
}  # fmt: skip


def paint_occluder(shape: tuple[int, int], random: np.random.Generator) -> Occluder:
    """Draw something that covers 3 to 25 % of a crop.

    Args:
        shape: (height, width) of the crop, pixels.
        random: draws what it is, and its place, size and colour.
    """
    kind = list(_PAINTERS)[int(random.integers(len(_PAINTERS)))]
    for attempt in range(8):
        # After seven that miss, a pole, which cannot.
        wanted = float(random.uniform(LEAST + 0.02, MOST - 0.02))
        colour, alpha = np.empty((*shape, 3), np.uint8), np.zeros(shape, np.uint8)
        if attempt == 7:
            kind, wanted = "pole", 0.08
        _PAINTERS[kind](colour, alpha, wanted, random)
        blur = float(random.uniform(0.3, 1.8))
        alpha = blurred(alpha, blur)
        cover = int(alpha.sum(dtype=np.int64)) / (255 * alpha.size)
        if LEAST <= cover <= MOST:
            break
    return Occluder(colour, alpha, cover, kind)

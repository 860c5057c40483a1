"""Poles, lamps, signs and rails at a road."""

from __future__ import annotations

import numpy as np

from pipelines.fleet.street.painting import Brush, Colour, shade, vary
from pipelines.fleet.street.roads import Road


def pole(
    brush: Brush, road: Road, place: tuple[float, float], height: float, thick: float,
    colour: Colour,
) -> None:  # fmt: skip
    """Paint an upright pole at (s, t), `thick` metres across, with a lit and a dark side."""
    right = brush.camera.axes[0] * (thick / 2)
    foot, top = road.place(*place), road.place(*place, height)
    halves = [[foot - right, foot, top, top - right], [foot, foot + right, top + right, top]]
    brush.fill(np.array(halves), colour, shade(colour, 0.72))


def lamp_post(brush: Brush, road: Road, place: tuple[float, float], sign: int,
              random: np.random.Generator) -> None:  # fmt: skip
    """Paint a street lamp whose arm reaches over the road."""
    colour = vary((132, 134, 134), random, 20)
    pole(brush, road, place, 7.5, 0.16, colour)
    s, t = place
    arm = road.place(np.array([s, s]), np.array([t, t - sign * 1.8]), np.array([7.4, 7.9]))
    brush.trace(arm, colour, 2)
    head = np.array([[s - 0.15, s + 0.15, t - sign * 1.4, t - sign * 2.2]])
    flat = road.rectangles(head)
    flat[..., 2] = 7.9
    brush.fill(flat, shade(colour, 1.3))


def sign_post(brush: Brush, road: Road, place: tuple[float, float],
              random: np.random.Generator) -> None:  # fmt: skip
    """Paint a traffic sign: a disc, a triangle or a board, facing along the road."""
    s, t = place
    pole(brush, road, place, 2.7, 0.07, vary((150, 152, 152), random))
    kind = int(random.integers(4))
    half, middle = 0.32, 2.6
    away = -0.04 if random.random() < 0.5 else 0.04
    corners = {
        0: [(-0.7, -0.7), (0, -1), (0.7, -0.7), (1, 0), (0.7, 0.7), (0, 1), (-0.7, 0.7), (-1, 0)],
        1: [(-1, -0.8), (1, -0.8), (0, 1)],
        2: [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        3: [(-0.8, -1.3), (0.8, -1.3), (0.8, 1.3), (-0.8, 1.3)],
    }[kind]
    white, red = (226, 226, 222), (172, 40, 40)
    pairs = [(red, white), (red, white), (white, (36, 72, 140)), ((220, 200, 80), (60, 62, 64))]
    rim, inner = pairs[kind]
    shape = np.array(corners) * half
    for size, colour in ((1.0, rim), (0.74, inner)):
        board = road.place(s + away, t + size * shape[:, 0], middle + size * shape[:, 1])
        brush.fill(board[None], colour)


def rail(brush: Brush, road: Road, span: tuple[float, float], t: float, steel: Colour) -> None:
    """Paint a guard rail: posts, and a ribbon of steel with a fold."""
    right = brush.camera.axes[0] * 0.06
    feet = road.place(np.arange(span[0], span[1], 2.0), t)
    top = np.array([0.0, 0.0, 0.7])
    posts = np.stack([feet - right, feet + right, feet + right + top, feet - right + top], 1)
    brush.fill(posts, shade(steel, 0.75))
    low, high = np.array([[0.45], [0.56], [0.74]]), np.array([[0.78], [0.66], [0.78]])
    ends = np.array([span[0], span[1], span[1], span[0]])
    ribbons = road.place(ends, t, np.concatenate([low, low, high, high], 1))
    brush.fill(ribbons, *(shade(steel, light) for light in (1.0, 0.72, 1.18)))

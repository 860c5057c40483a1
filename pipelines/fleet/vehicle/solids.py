"""Solids as meshes: polygons, boxes, balls and wheels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pipelines.fleet.camera.cameras import steady
from pipelines.fleet.vehicle.mesh import Floats, Mesh, Point, cross, join, make_mesh, surface, unit


def patch(corners: Sequence[Point], texels: Sequence[tuple[float, float]]) -> Mesh:
    """Make a flat polygon: its corners counter-clockwise as seen from outside, convex."""
    points = np.array(corners, float)
    normal = unit(cross(points[1] - points[0], points[2] - points[0]))
    count = len(points)
    fan = [(0, i, i + 1) for i in range(1, count - 1)]
    return make_mesh(
        points, np.repeat(normal[None], count, 0), np.array(texels, float), np.array(fan)
    )


# A unit cube without its floor: each face counter-clockwise as seen from outside.
_CUBE = np.array(
    [
        [(1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1)],
        [(0, 1, 0), (0, 0, 0), (0, 0, 1), (0, 1, 1)],
        [(1, 1, 0), (0, 1, 0), (0, 1, 1), (1, 1, 1)],
        [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)],
        [(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)],
    ],
    float,
).reshape(20, 3)
_CUBE_NORMALS = np.repeat(
    np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1)], float), 4, 0
)
_CUBE_TRIANGLES = np.array(
    [(4 * face, 4 * face + i, 4 * face + i + 1) for face in range(5) for i in (1, 2)]
)


def box(low: Point, high: Point, texel: tuple[float, float]) -> Mesh:
    """Make a box of one texel between two opposite corners; it has no floor."""
    corner = np.array(low)
    corners = corner + _CUBE * (np.array(high) - corner)
    return make_mesh(corners, _CUBE_NORMALS, np.tile(texel, (20, 1)), _CUBE_TRIANGLES)


@lru_cache(maxsize=4)
def _globe(sides: int) -> Mesh:
    turn, tilt = circle(sides), circle(2 * (sides // 2))[: sides // 2 + 1]
    shape = np.stack(
        [
            tilt[:, 1, None] * turn[None, :, 0],
            tilt[:, 1, None] * turn[None, :, 1],
            np.broadcast_to(tilt[:, 0, None], (len(tilt), len(turn))),
        ],
        -1,
    )
    return surface(shape, np.zeros((*shape.shape[:2], 2)))


def ball(centre: Point, radii: Point, texel: tuple[float, float], sides: int = 8) -> Mesh:
    """Make an ellipsoid of one texel."""
    globe = _globe(sides)
    texels = np.tile(texel, (len(globe.corners), 1))
    return make_mesh(
        globe.corners * radii + centre, unit(globe.corners / radii), texels, globe.triangles
    )


def circle(count: int) -> Floats:
    """Return (count + 1, 2) cosines and sines of a full turn."""
    angles = [2 * math.pi * i / count for i in range(count)]
    ring = [(steady(math.cos(a)), steady(math.sin(a))) for a in angles]
    return np.array([*ring, ring[0]])


def wheel(
    centre: Point, radius: float, width: float, side: int,
    face: tuple[float, float, float], tread: tuple[float, float], thing: int,
    sides: int = 24,
) -> Mesh:  # fmt: skip
    """Make a wheel that turns about y.

    Args:
        centre: the middle of its outer face.
        radius: metres.
        width: metres, inward from the outer face.
        side: 1 on the vehicle's left, -1 on its right.
        face: column, row and radius, in texels, of its picture on the sheet.
        tread: column and row of the tyre's texel.
        thing: what it is in the truth.
        sides: corners of its round.
    """
    ring = circle(sides)
    x, y, z = centre
    edge = np.stack([x + radius * ring[:, 0], np.full(sides + 1, y), z + radius * ring[:, 1]], 1)
    column, row, size = face
    texels = np.concatenate(
        [[[column, row]], np.stack([column + size * ring[:, 0], row - size * ring[:, 1]], 1)]
    )
    disc = make_mesh(
        np.concatenate([[centre], edge]),
        np.broadcast_to([0.0, float(side), 0.0], (sides + 2, 3)),
        texels,
        np.array([(0, i + 1, i + 2) if side < 0 else (0, i + 2, i + 1) for i in range(sides)]),
        thing,
    )
    inner = edge - np.array([0.0, side * width, 0.0])
    outward = np.stack([ring[:, 0], np.zeros(sides + 1), ring[:, 1]], 1)
    band = surface(
        np.stack([edge, inner]), np.broadcast_to(tread, (2, sides + 1, 2)), flip=side > 0
    )
    back = make_mesh(
        np.concatenate([[(x, y - side * width, z)], inner]),
        np.broadcast_to([0.0, -float(side), 0.0], (sides + 2, 3)),
        np.broadcast_to(tread, (sides + 2, 2)),
        disc.triangles[:, ::-1],
        thing,
    )
    return join(
        [disc, back, make_mesh(band.corners, np.tile(outward, (2, 1)), band.texels, band.triangles)]
    )

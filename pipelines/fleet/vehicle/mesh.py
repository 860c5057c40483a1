"""Triangles with what has to be known at their corners, and smooth surfaces made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Mesh:
    """Triangles of a vehicle, in its own frame: x ahead, y to the left, z up, metres.

    Attributes:
        corners: (V, 3), where the corners are.
        normals: (V, 3), unit vectors outward.
        texels: (V, 2), column and row on the vehicle's sheet.
        triangles: (T, 3) int64, corners, counter-clockwise as seen from outside.
        thing: (T,) int64, what a triangle belongs to; 0 where the sheet says it.
    """

    corners: Floats
    normals: Floats
    texels: Floats
    triangles: Ints
    thing: Ints


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Put meshes together."""
    starts = np.cumsum([0, *(len(mesh.corners) for mesh in meshes[:-1])])
    return Mesh(
        np.concatenate([mesh.corners for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.texels for mesh in meshes]),
        np.concatenate(
            [mesh.triangles + start for mesh, start in zip(meshes, starts, strict=True)]
        ),
        np.concatenate([mesh.thing for mesh in meshes]),
    )


def make_mesh(
    corners: Floats, normals: Floats, texels: Floats, triangles: Ints, thing: int = 0
) -> Mesh:
    """Make a mesh whose triangles all belong to ``thing``."""
    return Mesh(corners, normals, texels, triangles, np.full(len(triangles), thing))


def unit(vectors: Floats) -> Floats:
    """Scale vectors (..., 3) to length one; a zero vector stays zero."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    length = np.sqrt(x * x + y * y + z * z)
    return vectors / np.where(length == 0, 1.0, length)[..., None]


def cross(a: Floats, b: Floats) -> Floats:
    """Return the cross products of vectors (..., 3)."""
    return np.stack(
        [
            a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1],
            a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2],
            a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0],
        ],
        -1,
    )


def surface(points: Floats, texels: Floats, *, flip: bool = False) -> Mesh:
    """Make a smooth surface of a grid.

    Args:
        points: (R, C, 3); seen from outside, columns run to the right and rows down.
        texels: (R, C, 2).
        flip: whether the grid is seen from its other side instead.
    """
    rows, columns = points.shape[:2]
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, 1:].ravel(), number[1:, :-1].ravel()
    triangles = np.concatenate([np.stack([a, d, c], 1), np.stack([a, c, b], 1)])
    across, down = np.empty_like(points), np.empty_like(points)
    across[:, 1:-1] = points[:, 2:] - points[:, :-2]
    across[:, 0], across[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    down[1:-1] = points[2:] - points[:-2]
    down[0], down[-1] = points[1] - points[0], points[-1] - points[-2]
    normals = unit(cross(down, across))
    if flip:
        triangles, normals = triangles[:, ::-1], -normals
    flat = points.reshape(-1, 3)
    first, second, third = (flat[triangles[:, i]] for i in range(3))
    area = cross(second - first, third - first)
    real = (area * area).sum(1) > 1e-14
    return make_mesh(flat, normals.reshape(-1, 3), texels.reshape(-1, 2), triangles[real])

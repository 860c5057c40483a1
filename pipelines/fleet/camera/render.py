"""One look at a vehicle: which sample shows what, and in which colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.fleet.camera.cameras import Camera
from pipelines.fleet.camera.raster import Fragments, planes, rasterise
from pipelines.fleet.camera.views import SAMPLES, Pose, Window
from pipelines.fleet.light.shade import Light, shade
from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.mesh import Mesh
from pipelines.fleet.vehicle.things import THINGS
from pipelines.fleet.vehicle.vehicles import Model3D

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
_THROUGH = 0.62
"""Share of the light that a windscreen lets through, both ways together."""


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes:
        colour: (H, W, 3) uint8 RGB, samples of the picture; 0 where there is no vehicle.
        outer: (H, W) uint8, the thing on each sample, 0 for none.
        inner: (H, W) uint8, the thing behind the windscreen on each sample, 0 for none.
        whole: (things,) int64, samples of each thing that face the camera, hidden or cut off too;
            of what is behind the windscreen, those in the rectangle around the glass.
    """

    colour: npt.NDArray[np.uint8]
    outer: npt.NDArray[np.uint8]
    inner: npt.NDArray[np.uint8]
    whole: Ints


@dataclass(frozen=True)
class _Layer:
    """A rasterised mesh with the texel of each fragment."""

    fragments: Fragments
    planes: Singles
    texel: npt.NDArray[np.uint32]
    row: npt.NDArray[np.int32]
    thing: npt.NDArray[np.uint8]


def _layer(
    mesh: Mesh, model: Model3D, pose: Pose, samples: Floats, depth: Floats, shape: tuple[int, int]
) -> _Layer:  # fmt: skip
    near = 1.0 / depth
    triangles = mesh.triangles
    # Seen on a picture whose rows run down, what is counter-clockwise in the world is clockwise.
    order = triangles[:, ::-1]
    corners = samples[order]
    fragments = rasterise(corners, near[order], shape)
    normals = pose.place(mesh.normals, turn_only=True)
    values = np.concatenate([mesh.texels, normals], 1) * near[:, None]
    flat = planes(np.rint(corners * 16) / 16, values[order]).astype(np.float32)
    near_plane = np.float32(1) / fragments.nearness
    at = (fragments.triangle, fragments.dx, fragments.dy)
    column = (_at(flat, 0, *at) * near_plane).astype(np.int32)
    row = (_at(flat, 1, *at) * near_plane).astype(np.int32)
    height, width = model.sheet.shape
    np.clip(column, 0, width - 1, out=column)
    np.clip(row, 0, height - 1, out=row)
    texel = model.sheet.ravel().take(row * width + column, mode="clip")
    own = mesh.thing.astype(np.uint8).take(fragments.triangle)
    thing = np.where(own > 0, own, (texel >> 8).astype(np.uint8))
    return _Layer(fragments, flat, texel, row, thing)


def _at(flat: Singles, value: int, triangle: Ints, dx: Singles, dy: Singles) -> Singles:
    # Clipping skips a check; no index is out of range.
    a, b, c = (plane.take(triangle, mode="clip") for plane in flat[:, value])
    result: Singles = a * dx + b * dy + c
    return result


def _normal(
    layer: _Layer, chosen: Ints, model: Model3D, pose: Pose
) -> tuple[Singles, Singles, Singles]:
    """Return the unit normals of chosen fragments, bent by the sheet's relief."""
    found = layer.fragments
    at = (found.triangle.take(chosen), found.dx.take(chosen), found.dy.take(chosen))
    nx, ny, nz = (_at(layer.planes, value, *at) for value in (2, 3, 4))
    scale = 1 / np.sqrt(nx * nx + ny * ny + nz * nz + np.float32(1e-12))
    nx, ny, nz = nx * scale, ny * scale, nz * scale
    texel, row = layer.texel.take(chosen), layer.row.take(chosen)
    across = (((texel >> 16) & 255).astype(np.float32) - 128) * np.float32(1 / 64)
    down = ((texel >> 24).astype(np.float32) - 128) * np.float32(1 / 64)
    side = row >= model.upright
    across = np.where(row >= model.mirrored, -across, across)
    # The sheet's rows run to the vehicle's right on the ribbon, down on the sides.
    c, s = (np.float32(value) for value in pose.heading)
    ux = np.where(side, np.float32(0), s)
    uy = np.where(side, np.float32(0), -c)
    uz = np.where(side, np.float32(-1), np.float32(0))
    tx, ty, tz = uy * nz - uz * ny, uz * nx - ux * nz, ux * ny - uy * nx
    nx, ny, nz = (
        nx + across * tx + down * ux,
        ny + across * ty + down * uy,
        nz + across * tz + down * uz,
    )
    scale = 1 / np.sqrt(nx * nx + ny * ny + nz * nz + np.float32(1e-12))
    return nx * scale, ny * scale, nz * scale


def _rays(
    camera: Camera, window: Window, column: Ints, row: Ints
) -> tuple[Singles, Singles, Singles]:
    """Return the unit directions in which samples look."""
    wide, high = 1 / (window.zoom[0] * SAMPLES), 1 / (window.zoom[1] * SAMPLES)
    left, top = window.left, window.top
    base, right, down = camera.rays(np.array([[left, top], [left + wide, top], [left, top + high]]))
    across = column.astype(np.float32) + np.float32(0.5)
    below = row.astype(np.float32) + np.float32(0.5)
    parts = [
        np.float32(base[i])
        + np.float32(right[i] - base[i]) * across
        + np.float32(down[i] - base[i]) * below
        for i in range(3)
    ]
    scale = 1 / np.sqrt(parts[0] * parts[0] + parts[1] * parts[1] + parts[2] * parts[2])
    return parts[0] * scale, parts[1] * scale, parts[2] * scale


def look(model: Model3D, pose: Pose, camera: Camera, window: Window, light: Light) -> Look:
    """See a vehicle through a window of a camera's frame.

    The whole vehicle is rasterised, also what lies outside the window, so that the share of a
    part that is visible can be told.
    """
    pixels, depth = camera.project(pose.place(model.outer.corners))
    reach = window.samples(pixels)
    width, height = (extent * SAMPLES for extent in window.size)
    left, top = (max(0, int(np.ceil(-reach[:, axis].min()))) for axis in range(2))
    right = max(0, int(np.ceil(reach[:, 0].max())) - width)
    bottom = max(0, int(np.ceil(reach[:, 1].max())) - height)
    shape = (top + height + bottom, left + width + right)
    layer = _layer(model.outer, model, pose, reach + np.array([left, top], float), depth, shape)
    whole = np.bincount(layer.thing, minlength=len(THINGS))
    column, row = layer.fragments.x - left, layer.fragments.y - top
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    chosen = np.flatnonzero(layer.fragments.front & inside)
    ink = (layer.texel[chosen] & 255).astype(np.uint8)
    normal = _normal(layer, chosen, model, pose)
    ray = _rays(camera, window, column[chosen], row[chosen])
    glass = np.flatnonzero(ink == Ink.GLASS)
    inner = np.zeros(len(chosen), np.uint8)
    behind = None
    if len(glass):
        seen, inner_thing, inner_whole = _inside(
            model, pose, camera, window, light, row[chosen[glass]], column[chosen[glass]]
        )
        whole = whole + inner_whole
        inner[glass] = inner_thing
        planes_behind = np.zeros((3, len(chosen)), np.float32)
        planes_behind[:, glass] = seen
        behind = (planes_behind[0], planes_behind[1], planes_behind[2])
    shown = shade(ink, normal, ray, model.palette, light, behind)
    where = row[chosen] * width + column[chosen]
    colour = np.zeros((height * width, 3), np.uint8)
    for number, values in enumerate(shown):
        # As displayed: a gamma of 2, see `pipelines.fleet.vehicle.inks.linear`.
        grey = np.sqrt(np.minimum(values, np.float32(1))) * np.float32(255)
        colour[where, number] = grey.astype(np.uint8)
    outer_map, inner_map = np.zeros((2, height, width), np.uint8)
    outer_map.ravel()[where], inner_map.ravel()[where] = layer.thing[chosen], inner
    return Look(colour.reshape(height, width, 3), outer_map, inner_map, whole)


def _inside(
    model: Model3D, pose: Pose, camera: Camera, window: Window, light: Light, row: Ints,
    column: Ints,
) -> tuple[Singles, npt.NDArray[np.uint8], Ints]:  # fmt: skip
    """See what is behind the samples of glass at ``row`` and ``column`` of the window.

    Returns:
        (3, N) linear channels, (N,) things, and the samples of each thing.
    """
    top, left = int(row.min()), int(column.min())
    shape = (int(row.max()) + 1 - top, int(column.max()) + 1 - left)
    pixels, depth = camera.project(pose.place(model.inner.corners))
    samples = window.samples(pixels) - np.array([left, top], float)
    layer = _layer(model.inner, model, pose, samples, depth, shape)
    whole = np.bincount(layer.thing, minlength=len(THINGS))
    at = np.full(shape[0] * shape[1], -1)
    front = np.flatnonzero(layer.fragments.front)
    at[layer.fragments.place[front]] = front
    found = at[(row - top) * shape[1] + column - left]
    hit = np.flatnonzero(found >= 0)
    chosen = found[hit]
    thing = np.zeros(len(row), np.uint8)
    thing[hit] = layer.thing[chosen]
    _, _, nz = _normal(layer, chosen, model, pose)
    # Daylight comes in from above and ahead; there is no sun to speak of.
    bright = (np.float32(0.55) + np.float32(0.35) * nz) * np.float32(_THROUGH)
    ink = layer.texel[chosen] & 255
    channels = np.empty((3, len(row)), np.float32)
    for channel in range(3):
        ambient = light.zenith[channel] * 0.5 + light.horizon[channel] * 0.5
        ambient += 0.35 * light.sunlight[channel]
        channels[channel] = np.float32(0.012 * ambient * _THROUGH)
        own = model.palette.colour[:, channel].take(ink)
        channels[channel, hit] = own * bright * np.float32(ambient)
    return channels, thing, whole

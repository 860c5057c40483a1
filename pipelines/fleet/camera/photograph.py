"""One photograph: the vehicle in its street, through the camera, with what is true of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.fleet.camera.cameras import Camera
from pipelines.fleet.camera.lens import photograph
from pipelines.fleet.camera.occluders import paint_occluder
from pipelines.fleet.camera.render import Look, look
from pipelines.fleet.camera.views import SAMPLES, Pose, Window
from pipelines.fleet.light.climate import light_of, lit
from pipelines.fleet.light.rain import fall
from pipelines.fleet.light.shadows import cast, shadow_map
from pipelines.fleet.light.weather import Weather, light_plate, relight
from pipelines.fleet.street.backgrounds import Plate, paint_background
from pipelines.fleet.truth import Truth, measure
from pipelines.fleet.vehicle.vehicles import Model3D

Bytes = npt.NDArray[np.uint8]
_SHADED = 0.35
"""Share of the photographs in the sun on which a shadow falls."""


@dataclass(frozen=True)
class Photograph:
    """A JPEG and what is true of it."""

    jpeg: bytes
    truth: Truth


@lru_cache(maxsize=32)
def background_of(camera: Camera) -> Plate:
    """Return a camera's background; it is painted once in a process."""
    return paint_background(camera, np.random.default_rng(camera.seed))


def frame_vehicle(
    model: Model3D, pose: Pose, camera: Camera, size: int, random: np.random.Generator
) -> Window:
    """Choose the window that a vehicle detector would have cut out: near the truth, not on it."""
    pixels, _ = camera.project(pose.place(model.outer.corners))
    low, high = pixels.min(0), pixels.max(0)
    extent = high - low
    errors = np.clip(random.normal(0.02, 0.03, 4), -0.05, 0.10).round(6)
    left, top = low[0] - errors[0] * extent[0], low[1] - errors[1] * extent[1]
    width, height = extent[0] * (1 + errors[0] + errors[2]), extent[1] * (1 + errors[1] + errors[3])
    across = round(size * float(np.sqrt(width / height)))
    down = round(size * size / across)
    return Window(
        float(left), float(top), (across / float(width), down / float(height)), (across, down)
    )


def _behind(camera: Camera, window: Window) -> Plate:
    """Cut the window out of the background; beyond the frame its last pixels go on."""
    plate = background_of(camera)
    width, height = camera.size
    x1, y1 = int(window.left // 1), int(window.top // 1)
    x2 = int((window.left + window.size[0] / window.zoom[0]) // 1) + 1
    y2 = int((window.top + window.size[1] / window.zoom[1]) // 1) + 1
    rows, columns = np.arange(y1, y2).clip(0, height - 1), np.arange(x1, x2).clip(0, width - 1)
    parts = []
    for plane in (plate.picture, plate.gloss, plate.lamps):
        if x1 >= 0 and x2 <= width and y1 >= 0 and y2 <= height:
            cut = plane[y1:y2, x1:x2]
        else:
            cut = plane[rows[:, None], columns]
        resized = cv2.resize(cut, window.size, interpolation=cv2.INTER_LINEAR_EXACT)
        parts.append(np.asarray(resized, np.uint8))
    return Plate(*parts)


def _shadow(model: Model3D, pose: Pose, camera: Camera, window: Window, weather: Weather) -> Bytes:
    """Return how much light reaches the ground around the vehicle: (h, w), 255 is all.

    Only the body's outline throws it, so that it tells nothing of a vehicle's own marks.
    """
    half, high = 0.43 * model.width, model.height
    shade: Bytes = np.full((window.size[1], window.size[0]), 255, np.uint8)
    x1, x2 = model.reach
    foot = np.array([[x1, -half, 0], [x2, -half, 0], [x2, half, 0], [x1, half, 0]])
    shapes = [(pose.place(foot * (0.96, 0.96, 1.0)), 85)]
    if weather.sun_strength > 0:
        world = pose.place(foot * (0.8, 0.8, 1.0))
        sx, sy, sz = weather.sun
        world[:, 0] -= high * sx / max(sz, 0.3)
        world[:, 1] -= high * sy / max(sz, 0.3)
        shapes.insert(0, (np.concatenate([pose.place(foot), world]), round(255 * weather.shadow)))
    for points, level in shapes:
        pixels, _ = camera.project(points)
        corners = window.samples(pixels) / SAMPLES
        hull = cv2.convexHull(np.rint(corners * 16).astype(np.int32))
        cv2.fillConvexPoly(shade, hull, level, shift=4)
    return np.asarray(cv2.GaussianBlur(shade, (7, 7), 1.8), np.uint8)


def _composite(seen: Look, street: Bytes) -> Bytes:
    """Lay the vehicle over its street, samples averaged as they are displayed."""
    height, width = street.shape[:2]
    total = _sum_cells(seen.colour.astype(np.uint16))
    covered = _sum_cells((seen.outer > 0).astype(np.uint16)[..., None])
    every = SAMPLES * SAMPLES
    mixed = total + street.astype(np.uint16) * (every - covered)
    return (mixed // every).astype(np.uint8).reshape(height, width, 3)


def _sum_cells(samples: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    rows = samples[0::SAMPLES] + samples[1::SAMPLES]
    summed: npt.NDArray[np.uint16] = rows[:, 0::SAMPLES] + rows[:, 1::SAMPLES]
    return summed


def take(
    model: Model3D, pose: Pose, camera: Camera, weather: Weather, size: int, occluded: bool,
    random: np.random.Generator,
) -> Photograph:  # fmt: skip
    """Take a photograph of a vehicle.

    Args:
        model: the vehicle.
        pose: where it is.
        camera: that sees it.
        weather: of the moment.
        size: square root of the photograph's number of pixels.
        occluded: whether something stands before the vehicle.
        random: draws the window, the noise and what stands before the vehicle.
    """
    window = frame_vehicle(model, pose, camera, size, random)
    street = _behind(camera, window)
    ground = cast(light_plate(street, weather), _shadow(model, pose, camera, window, weather))
    lamp = int(street.lamps[-1, street.lamps.shape[1] // 2]) / 255
    seen = look(
        replace(model, palette=lit(model.palette, weather)), pose, camera, window,
        light_of(weather, lamp, random),
    )  # fmt: skip
    picture = _composite(seen, ground)
    outer, inner = seen.outer, seen.inner
    if random.random() < _SHADED:
        picture = cast(picture, shadow_map(picture.shape[:2], weather, random))
    if occluded:
        before = paint_occluder(picture.shape[:2], random)
        part = before.alpha[..., None].astype(np.uint16)
        mixed = relight(before.colour, weather) * part + picture * (255 - part)
        picture = ((mixed + 127) // 255).astype(np.uint8)
        hidden = np.repeat(np.repeat(before.alpha > 127, SAMPLES, 0), SAMPLES, 1)
        outer = np.where(hidden, np.uint8(0), outer)
        inner = np.where(hidden, np.uint8(0), inner)
    picture = fall(picture, weather, random)
    corner = (
        min(max(int(window.left), 0), camera.size[0] - window.size[0]),
        min(max(int(window.top), 0), camera.size[1] - window.size[1]),
    )
    truth = measure(outer, inner, seen.whole)
    return Photograph(photograph(picture, corner, camera, weather, random), truth)

"""The ground of a plate: which metre every pixel sees, and what grain and wear lie there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.fleet.blending import multiply, three
from pipelines.fleet.camera.cameras import Camera, Floats
from pipelines.fleet.street.roads import Road
from pipelines.fleet.textures import SIDE, Pixels, noise

_FARTHEST = 350.0
"""Metres from the camera beyond which the ground is not painted."""
_TEXEL = 32
"""Texels of the finest noise a metre."""
_OCTAVES = ((0, 1, 0.045), (1, 8, 0.5), (2, 16, 2.0), (3, 64, 16.0))
"""Bits that a finest texel is shifted by, texels a patch, metres a patch."""


@dataclass(frozen=True)
class Ground:
    """The pixels of a frame that see the ground.

    Attributes:
        top: the first row; all rows from there on see the ground.
        away: (rows,) metres from the camera's foot to the middle of a row.
        step: (rows,) metres of ground between a row and the next.
        across: (rows, width) float32, metres to the left of the road's middle line.
        noises: (rows, width) uint8 each, noise that lies on the ground, from fine to broad.
    """

    top: int
    away: Floats
    step: Floats
    across: npt.NDArray[np.float32]
    noises: tuple[Pixels, ...]


def road_coordinates(camera: Camera, road: Road) -> tuple[int, npt.NDArray[np.float32]]:
    """Find the road coordinates of every pixel that sees the ground nearer than 350 m.

    A camera is never rolled, so along a row of pixels the ground goes by in even steps: two
    points of each row say where all of them are.

    Returns:
        the first such row, and (2, rows, width) float32: s and t, metres.
    """
    width, height = camera.size
    rows = np.arange(height) + 0.5
    ends = np.stack([np.stack([np.full(height, x), rows], -1) for x in (0.5, width - 0.5)])
    ground = camera.ground_at(ends)
    top = height - int(np.isfinite(ground).all((0, 2)).sum())
    middle = (ground[0, top:] + ground[1, top:]) / 2 - np.array(camera.position[:2])
    top += int((middle[:, 0] ** 2 + middle[:, 1] ** 2 > _FARTHEST * _FARTHEST).sum())
    first, last = (np.moveaxis(road.coordinates(end[top:]), -1, 0) for end in ground)
    start = first[..., None].astype(np.float32)
    step = ((last - first) / (width - 1))[..., None].astype(np.float32)
    return top, np.asarray(start + step * np.arange(width, dtype=np.float32), np.float32)


def see_ground(camera: Camera, road: Road, random: np.random.Generator) -> Ground:
    """Look up what each pixel below the horizon sees of the ground."""
    width, height = camera.size
    top, (s, t) = road_coordinates(camera, road)
    rows = np.arange(top, height + 1) + 0.5
    middle = camera.ground_at(np.stack([np.full(len(rows), width / 2), rows], -1))
    dx, dy = (middle - np.array(camera.position[:2])).T
    away = np.sqrt(dx * dx + dy * dy)
    # Truncation is towards zero: far enough from it, it is a floor.
    along, left = (
        ((metres + np.float32(4096)) * np.float32(_TEXEL)).astype(np.int32)
        + np.int32(random.integers(SIDE))
        for metres in (s, t)
    )
    noises = []
    for bits, blob, _ in _OCTAVES:
        index = (along >> bits) & (SIDE - 1)
        index *= SIDE
        index += (left >> bits) & (SIDE - 1)
        noises.append(noise(blob).ravel().take(index))
    return Ground(top, away[:-1], away[:-1] - away[1:], t, tuple(noises))


def texture(ground: Ground, strengths: tuple[float, ...]) -> npt.NDArray[np.float32]:
    """Sum the noises: (rows, width) float32 about 0, weaker where a pixel spans many patches."""
    total = np.zeros(ground.across.shape, np.float32)
    for tile, strength, (_, _, patch) in zip(ground.noises, strengths, _OCTAVES, strict=True):
        weight = (strength * np.minimum(1.0, patch / ground.step)).astype(np.float32)
        centred = tile.astype(np.float32)
        centred -= np.float32(127.5)
        centred *= weight[:, None]
        total += centred
    return total


def tracks(ground: Ground, road: Road, random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return what tyres and oil add along the lanes: (rows, width) float32 grey shares of 128."""
    side, reach = 20, 40
    t = np.arange(-reach * side, reach * side) / side
    profile = np.zeros(len(t))
    rubber, oil = float(random.uniform(-12, 8)), float(random.uniform(-12, -2))
    for lane, _ in road.lanes:
        for middle, half, depth in ((-0.8, 0.45, rubber), (0.8, 0.45, rubber), (0.0, 0.5, oil)):
            near = np.maximum(0.0, 1 - ((t - lane - middle) / half) ** 2)
            profile += depth * near * near
    index = (ground.across + np.float32(reach)) * np.float32(side)
    index = np.clip(index, 0, len(t) - 1).astype(np.int32)
    return np.asarray(profile.astype(np.float32).take(index))


def roughen(
    picture: Pixels,
    ground: Ground,
    grain: Pixels,
    asphalt: Pixels,
    road: Road,
    random: np.random.Generator,
) -> None:
    """Give the ground of a picture its grain, in place.

    Args:
        picture: (height, width, 3) uint8.
        ground: of that frame.
        grain: (height, width) uint8, how rough the surface is, 128 for a factor of 1.
        asphalt: (height, width) uint8, 255 where it is.
        road: whose lanes wear the asphalt.
        random: draws strengths.
    """
    part = slice(ground.top, None)
    strengths = tuple(float(random.uniform(low, high)) for low, high in _STRENGTHS)
    light = texture(ground, strengths) * grain[part].astype(np.float32)
    light *= np.float32(1 / 128)
    light += (asphalt[part] >= 128) * tracks(ground, road, random)
    light += 128.5
    light = np.clip(light, 20, 250, out=light)
    picture[part] = multiply(picture[part], three(light.astype(np.uint8)))


_STRENGTHS = ((0.12, 0.22), (0.05, 0.1), (0.05, 0.12), (0.05, 0.12))

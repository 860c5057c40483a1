"""What a fixed camera sees when no vehicle passes: one picture, painted once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipelines.fleet.blending import multiply, three
from pipelines.fleet.camera.cameras import Camera
from pipelines.fleet.street.ground import roughen, see_ground
from pipelines.fleet.street.objects import place_objects
from pipelines.fleet.street.painting import Brush, same
from pipelines.fleet.street.plan import Street, plan_street
from pipelines.fleet.street.roads import find_roads
from pipelines.fleet.street.sky import paint_sky, paint_skyline
from pipelines.fleet.street.surfaces import paint_marks, paint_surfaces
from pipelines.fleet.textures import SIDE, Pixels, blurred, noise, resized


@dataclass(frozen=True)
class Plate:
    """A camera's background, in frame pixels, or a crop of one.

    Attributes:
        picture: (height, width, 3) uint8 RGB under even daylight.
        gloss: (height, width) uint8, how much a wet surface mirrors; 0 where it is not ground.
        lamps: (height, width) uint8, the light of street lamps; 0 in the sky.
    """

    picture: Pixels
    gloss: Pixels
    lamps: Pixels

    def crop(self, left: int, top: int, width: int, height: int) -> Plate:
        """Return views of a rectangle that lies in the frame."""
        part = (slice(top, top + height), slice(left, left + width))
        return Plate(self.picture[part], self.gloss[part], self.lamps[part])


def paint_background(camera: Camera, random: np.random.Generator) -> Plate:
    """Paint what a camera sees of its street.

    Args:
        camera: its lanes say where the roads run, its background how much stands there.
        random: draws everything else.
    """
    width, height = camera.size
    busy = camera.background == "busy"
    street = plan_street(find_roads(camera), busy, random)
    ground = see_ground(camera, street.roads[0], random)
    picture, grain, asphalt = paint_surfaces(camera, street, busy, random)
    roughen(picture, ground, grain, asphalt, street.roads[0], random)
    paint_marks(camera, picture, ground, street, busy, random)
    paint_sky(picture, ground.top, random)
    sky = picture[: ground.top].copy()
    paint_skyline(picture, ground.top, busy, random)
    scene = place_objects(camera, street, busy, random)
    if scene.shadows:
        shade = np.full((height, width), 128, np.uint8)
        for cast in scene.shadows:
            cast(Brush(camera, shade))
        shade = blurred(shade, 1.5)
        picture[ground.top :] = multiply(picture[ground.top :], three(shade[ground.top :]))
    bare = picture[ground.top :].copy()
    scene.paint(Brush(camera, picture))
    open_ground = same(picture[ground.top :], bare)
    gloss = np.zeros((height, width), np.uint8)
    puddles = ground.noises[2] // 2 + ground.noises[3] // 4 + np.uint8(32)
    gloss[ground.top :] = np.where(open_ground, puddles, np.uint8(0))
    blue = same(picture[: ground.top], sky)
    picture = multiply(picture, stains(camera.size))
    lamps = street_light(camera, street, random)
    lamps[: ground.top][blue] = 0
    return Plate(picture, gloss, lamps)


def street_light(camera: Camera, street: Street, random: np.random.Generator) -> Pixels:
    """Return the light of a row of street lamps on the ground: (height, width) uint8, 1 to 255."""
    width, height = camera.size
    coarse = 8
    x, y = np.meshgrid(np.arange(coarse // 2, width + coarse, coarse),
                       np.arange(coarse // 2, height + coarse, coarse))  # fmt: skip
    road, (right, left) = street.roads[0], street.sides[0]
    ground = camera.ground_at(np.stack([x, y], -1).astype(np.float64))
    place = road.coordinates(np.where(np.isfinite(ground), ground, 1e6))
    side = right if random.random() < 0.5 else left
    gap, start = float(random.uniform(20, 36)), float(random.uniform(-40, -10))
    light = np.full(x.shape, 0.12)
    for index in range(6):
        ds, dt = place[..., 0] - start - gap * index, place[..., 1] - side.out(-1.5)
        # The light of a small lamp 8 m up falls with the third power of the distance.
        near = 64.0 / (64.0 + ds * ds + dt * dt)
        light = light + near * np.sqrt(near)
    small = np.minimum(light * 200 + 1, 255).astype(np.uint8)
    large = resized(small, small.shape[1] * coarse, small.shape[0] * coarse)
    return np.ascontiguousarray(large[:height, :width])


@lru_cache(maxsize=4)
def stains(size: tuple[int, int]) -> Pixels:
    """Return a map of light, 128 for unchanged, (height, width, 3): no wall is quite even."""
    width, height = size
    repeats = (height // SIDE + 1, width // SIDE + 1)
    grain, blot = (np.tile(noise(blob, 3), repeats)[:height, :width] for blob in (1, 32))
    return three(grain // 32 + blot // 24 + np.uint8(119))

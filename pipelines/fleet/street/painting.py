"""A brush that fills shapes of the world in a camera's picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.fleet.camera.cameras import Camera, Floats
from pipelines.fleet.textures import Pixels

Colour = tuple[int, int, int]

_NEAR = 0.6
"""Metres before the lens at which shapes are cut off."""
_SHIFT = 4
"""Bits of a pixel's fraction that OpenCV is given."""


def shade(colour: Colour, factor: float) -> Colour:
    """Make a colour darker or lighter."""
    red, green, blue = (min(255, max(0, int(channel * factor))) for channel in colour)
    return red, green, blue


def vary(colour: Colour, random: np.random.Generator, spread: int = 12, hue: int = 3) -> Colour:
    """Draw a colour near another: all channels by up to `spread` levels, each by up to `hue`."""
    level = int(random.integers(-spread, spread + 1))
    hues = random.integers(-hue, hue + 1, 3)
    red, green, blue = (
        min(255, max(0, channel + level + int(turn)))
        for channel, turn in zip(colour, hues, strict=True)
    )
    return red, green, blue


class Brush:
    """Fills shapes given in metres, anti-aliased.

    Attributes:
        camera: whose pixels are painted.
        picture: (height, width) or (height, width, channels) uint8, changed in place.
        scale: pixels of `picture` a frame pixel.
    """

    def __init__(self, camera: Camera, picture: Pixels, scale: int = 1) -> None:
        self.camera, self.picture, self.scale = camera, picture, scale
        self._end = np.array(picture.shape[1::-1]) << _SHIFT

    def outlines(self, shapes: Floats) -> list[npt.NDArray[np.int32] | None]:
        """Project shapes (shapes, corners, 3) into OpenCV's fixed-point pixels.

        What is behind the lens is cut off; a shape that is wholly out of the frame gives None.
        """
        found, depth = self.camera.project(shapes)
        fixed = self._fixed(found)
        hidden = ((fixed.max(1) < 0) | (fixed.min(1) > self._end)).any(1)
        if depth.min(initial=_NEAR + 1) <= _NEAR:
            whole, part = depth.min(1) > _NEAR, depth.max(1) > _NEAR
            # Shapes that reach behind the lens are few: ground strips and near walls.
            return [
                (None if out else outline)
                if all_ahead
                else self._fixed(self.camera.project(self._cut(shape))[0])
                if some_ahead
                else None
                for outline, shape, out, all_ahead, some_ahead in zip(
                    fixed, shapes, hidden, whole, part, strict=True
                )
            ]
        return [None if out else outline for outline, out in zip(fixed, hidden, strict=True)]

    def _fixed(self, pixels: Floats) -> npt.NDArray[np.int32]:
        # A frame's pixel 0 spans 0 to 1; OpenCV's is centred on 0.
        fixed = np.floor((pixels * self.scale - 0.5) * (1 << _SHIFT) + 0.5)
        return np.clip(fixed, -(1 << 26), 1 << 26).astype(np.int32, order="C")

    def _cut(self, shape: Floats) -> Floats:
        depth = self.camera.see(shape)[..., 2] - _NEAR - 1e-6
        after = np.roll(depth, -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = shape + (np.roll(shape, -1, 0) - shape) * (depth / (depth - after))[:, None]
        points = np.stack([shape, crossing], 1).reshape(-1, 3)
        kept = np.stack([depth > 0, (depth > 0) != (after > 0)], 1).ravel()
        return np.asarray(points[kept])

    def fill(self, shapes: Floats, *colours: Colour | int) -> None:
        """Fill shapes (shapes, corners, 3), metres, with one colour or with one each."""
        # Twice the pixels need no soft edges; OpenCV's soft edge widens a shape by half a pixel.
        edge = cv2.LINE_AA if self.scale == 1 else cv2.LINE_8
        for number, outline in enumerate(self.outlines(shapes)):
            if outline is not None:
                colour = colours[number % len(colours)]
                cv2.fillPoly(self.picture, [outline], colour, lineType=edge, shift=_SHIFT)

    def trace(self, path: Floats, colour: Colour | int, width: int = 1) -> None:
        """Draw a line through points (points, 3), metres; none where one is behind the lens."""
        pixels, depth = self.camera.project(path)
        if (depth > _NEAR).all():
            line = [self._fixed(pixels)]
            cv2.polylines(self.picture, line, False, colour, width, cv2.LINE_AA, _SHIFT)


def box(corner: Floats, sides: tuple[Floats, Floats, Floats]) -> Floats:
    """Return a box's faces (5, 4, 3) without the lower one: four walls, then the top.

    Args:
        corner: (3,) metres, a lower corner.
        sides: from there along the two lower edges and up; the first to the second turns
            counter-clockwise seen from above, so that every face turns outwards.
    """
    a, b, up = sides
    floor = [corner, corner + a, corner + a + b, corner + b]
    walls = [
        [here, there, there + up, here + up]
        for here, there in zip(floor, [*floor[1:], floor[0]], strict=True)
    ]
    return np.array([*walls, [point + up for point in floor]])


def facing(camera: Camera, faces: Floats) -> npt.NDArray[np.bool_]:
    """Tell which flat faces (faces, corners, 3), counter-clockwise seen from outside, are seen."""
    first, second = faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0]
    to = faces[:, 0] - np.array(camera.position)
    normal = np.stack(
        [
            first[:, 1] * second[:, 2] - first[:, 2] * second[:, 1],
            first[:, 2] * second[:, 0] - first[:, 0] * second[:, 2],
            first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0],
        ],
        -1,
    )
    towards = normal[:, 0] * to[:, 0] + normal[:, 1] * to[:, 1] + normal[:, 2] * to[:, 2]
    return np.asarray(towards < 0)


def same(one: Pixels, other: Pixels) -> npt.NDArray[np.bool_]:
    """Tell at which pixels (height, width) two pictures are the same."""
    equal = one == other
    return np.asarray(equal[..., 0] & equal[..., 1] & equal[..., 2])

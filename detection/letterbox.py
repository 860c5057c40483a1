"""Fitting an image of any shape into the square that the network sees."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

GREY = 114
"""What ultralytics pads with in training."""


class Letterboxed(NamedTuple):
    """An image in its square.

    Attributes:
        pixels: uint8, RGB, shape (side, side, 3).
        place: left, top, width and height of the image within the square, in pixels,
            float32, shape (4,).
    """

    pixels: npt.NDArray[np.uint8]
    place: npt.NDArray[np.float32]


def letterbox(image: npt.NDArray[np.uint8], side: int) -> Letterboxed:
    """Resize ``image`` (uint8, RGB) to fit a square of ``side`` pixels, and centre it there."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    new_width, new_height = (max(1, round(length * scale)) for length in (width, height))
    left, top = (side - new_width) // 2, (side - new_height) // 2
    square = np.full((side, side, 3), GREY, np.uint8)
    square[top : top + new_height, left : left + new_width] = cv2.resize(
        image, (new_width, new_height), interpolation=cv2.INTER_LINEAR
    )
    return Letterboxed(square, np.array([left, top, new_width, new_height], np.float32))

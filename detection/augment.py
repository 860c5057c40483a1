"""Making labelled photographs look like re-ID crops.

Part labels are drawn on large, sharp photographs; re-ID images are tight crops of 40 to 180
pixels from a surveillance video. Images here are uint8, shape (height, width, 3); boxes are
``x1 y1 x2 y2`` as fractions of the image, shape (boxes, 4).
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]

SMALLEST = 32
"""Pixels on the longer side that `degrade` goes down to."""
LARGEST_MARGIN = 0.35
"""Most context that `crop_to_vehicle` leaves on a side, as a share of the parts' extent."""

_ENLARGE = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_REDUCE = (cv2.INTER_AREA, cv2.INTER_LINEAR)


def _resize(image: Image, width: int, height: int, how: int) -> Image:
    resized: Any = cv2.resize(image, (max(width, 1), max(height, 1)), interpolation=how)
    return np.asarray(resized, np.uint8)


def crop_to_vehicle(
    image: Image, boxes: Boxes, generator: np.random.Generator
) -> tuple[Image, Boxes]:
    """Cut the image down to the union of its boxes and a random margin on each side.

    Every box stays whole. An image with fewer than two boxes, which do not tell where the
    vehicle ends, is returned as it is.
    """
    if len(boxes) < 2:
        return image, boxes
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    margins = generator.uniform(0, LARGEST_MARGIN, (2, 2)) * (high - low)
    size = np.array([image.shape[1], image.shape[0]])
    start = np.floor(np.clip(low - margins[0], 0, 1) * size).astype(int)
    stop = np.maximum(np.ceil(np.clip(high + margins[1], 0, 1) * size).astype(int), start + 1)
    cut = image[start[1] : stop[1], start[0] : stop[0]]
    pixels = boxes * np.tile(size, 2) - np.tile(start, 2)
    return cut, np.clip(pixels / np.tile(stop - start, 2), 0, 1).astype(np.float32)


def fit(image: Image, side: int, stretch: float, generator: np.random.Generator) -> Image:
    """Resize so that the longer side is ``side`` pixels, after changing the aspect ratio.

    The ratio is multiplied by up to ``1 + stretch`` or divided by as much; boxes given as
    fractions stay true.
    """
    height, width = image.shape[:2]
    ratio = width / height * math.exp(generator.uniform(-1, 1) * math.log1p(stretch))
    new_width, new_height = min(ratio, 1.0) * side, min(1 / ratio, 1.0) * side
    return _resize(image, round(new_width), round(new_height), cv2.INTER_LINEAR)


def degrade(image: Image, generator: np.random.Generator) -> Image:
    """Return the image at its own size but with the detail of a small, compressed crop.

    The longer side goes down to a random length between `SMALLEST` and its own (uniform in
    its logarithm); there the image is blurred a little and passed through JPEG, as a crop
    of a video frame is, and then enlarged again.
    """
    height, width = image.shape[:2]
    longest = max(height, width)
    side = math.exp(generator.uniform(math.log(min(SMALLEST, longest)), math.log(longest)))
    share = side / longest
    how = int(generator.choice(_REDUCE))
    small: Any = _resize(image, round(width * share), round(height * share), how)
    small = cv2.GaussianBlur(small, (0, 0), sigmaX=float(generator.uniform(0.1, 1.2)))
    quality = int(generator.integers(30, 96))
    _, coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
    small = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return _resize(small, width, height, int(generator.choice(_ENLARGE)))

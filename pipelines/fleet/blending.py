"""Mixing and multiplying pictures in integers, so that every machine gets the same bytes."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.fleet.textures import Pixels


def three(mask: Pixels) -> Pixels:
    """Repeat a map (height, width) for three channels; far faster than broadcasting it."""
    return np.asarray(cv2.merge((mask, mask, mask)))


def multiply(picture: Pixels, light: Pixels) -> Pixels:
    """Multiply a picture by a map of the same shape, 128 for unchanged."""
    product = np.multiply(picture, light, dtype=np.uint16)
    product >>= 7
    return np.minimum(product, 255, out=product).astype(np.uint8)


def dim(picture: Pixels, light: Pixels) -> Pixels:
    """Multiply a picture by a map of the same shape, 255 for unchanged."""
    return _by_255(np.multiply(picture, light, dtype=np.uint16))


def lay_over(below: Pixels, above: Pixels, cover: Pixels) -> Pixels:
    """Mix two pictures (height, width, 3): 255 in `cover` (height, width) shows `above` alone."""
    share = three(cover)
    return mix(below, np.asarray(cv2.bitwise_not(share)), above, share)


def mix(one: Pixels, first: Pixels, other: Pixels, second: Pixels) -> Pixels:
    """Add two pictures in shares of 255, all of the same shape; shares add up to 255 at most."""
    mixed = np.multiply(one, first, dtype=np.uint16)
    mixed += np.multiply(other, second, dtype=np.uint16)
    return _by_255(mixed)


def _by_255(product: npt.NDArray[np.uint16]) -> Pixels:
    # Rounds x / 255 as (x + 128 + (x + 128) / 256) / 256, without a division.
    product += 128
    product += product >> 8
    product >>= 8
    return product.astype(np.uint8)


def paste(picture: Pixels, colour: Pixels, cover: Pixels, left: int, top: int) -> None:
    """Lay a drawing over a picture at a place that may lie partly outside it, in place.

    Args:
        picture: (height, width, 3) uint8.
        colour: (h, w, 3) uint8.
        cover: (h, w) uint8, 255 where the drawing hides the picture.
        left: x of the drawing's upper left pixel in the picture.
        top: its y.
    """
    x, y, width, height = cv2.boundingRect(cover)
    x1, y1 = max(0, left + x), max(0, top + y)
    x2, y2 = min(picture.shape[1], left + x + width), min(picture.shape[0], top + y + height)
    if x1 >= x2 or y1 >= y2:
        return
    part = (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
    here = picture[y1:y2, x1:x2]
    here[:] = lay_over(here, colour[part], np.ascontiguousarray(cover[part]))


def look_up(table: npt.NDArray[np.generic], picture: Pixels) -> Pixels:
    """Replace grey levels: `table` is (256,) or, by channel, (256, 3), within 0 and 255."""
    return np.asarray(cv2.LUT(picture, table.astype(np.uint8).reshape(1, 256, -1)))

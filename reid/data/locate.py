"""Boxes or masks of a table's images, as networks take them."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import torch

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.masks import Masks
from annotations.pixels import ImageError, read_image
from reid.data.box_tensors import box_tensors
from reid.parts.located import Located

Found: TypeAlias = Boxes | Masks
"""Where the parts of images were found: a table of boxes, or one of masks."""


def locate(found: Found | None, images: Images, parts: tuple[str, ...]) -> Located:
    """Line up what was found with the images.

    Args:
        found: on these images, among others; None for nothing at all.
        images: N images. One that cannot be read has no mask, and gets an empty one.
        parts: the parts wanted, in the order of their numbers; others are left out.

    Raises:
        InputError: an image that can be read has no mask, or a part has none.
    """
    if found is None or not parts:
        return Located.nowhere(len(images))
    if isinstance(found, Boxes):
        return Located.by_boxes(*box_tensors(found, images, parts))
    lacking = ~images.frame["image"].isin(found.frame["image"]).to_numpy()
    if lacking.any():
        for path, name in zip(images.paths, images.frame["image"], strict=True):
            if name in found.names or not _readable(path):
                continue
            raise InputError(
                f"{found.source}: {int(lacking.sum())} of {len(images)} images of {images.source} "
                f"have no mask; the first is '{name}': run 'partreid views find' on them"
            )
    if lacking.all():
        return Located.nowhere(len(images))._replace(
            masks=torch.zeros(len(images), len(parts), 1, 1, dtype=torch.uint8)
        )
    masks = torch.from_numpy(found.of(images, parts))
    return Located.nowhere(len(images))._replace(masks=masks)


def _readable(path: Path) -> bool:
    try:
        read_image(path)
    except ImageError:
        return False
    return True

"""Random changes to a training image, with its part boxes following every move."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from reid.data.mirror import mirror
from reid.recipe import AugmentSettings

_SMALLEST = 1.0
"""Pixels of the input; a box that a crop leaves thinner than this is out of sight."""


class Augment:
    """Augment one image that is already of the input size.

    Args:
        settings: what to do and how much.
        size: (height, width) of the input.
        mirrored: for each part, the part that it becomes in a mirrored image.
    """

    def __init__(
        self, settings: AugmentSettings, size: tuple[int, int], mirrored: tuple[int, ...]
    ) -> None:
        self.flip = settings.flip
        self.size = size
        self.mirrored = torch.tensor(mirrored, dtype=torch.int64)
        moves: list[v2.Transform] = []
        if settings.zoom or settings.rotate:
            zoom = (1 - settings.zoom, 1 + settings.zoom) if settings.zoom else None
            moves.append(
                v2.RandomAffine(
                    settings.rotate,
                    scale=zoom,
                    fill=128,
                    interpolation=v2.InterpolationMode.BILINEAR,
                )
            )
        if settings.pad:
            moves += [v2.Pad(settings.pad, fill=128), v2.RandomCrop(size)]
        looks: list[v2.Transform] = []
        if settings.colour:
            strength = settings.colour
            looks.append(v2.ColorJitter(strength, strength, strength))
        if settings.blur:
            looks.append(v2.RandomApply([v2.GaussianBlur(5, (0.1, 2.0))], settings.blur))
        if settings.erase:
            looks.append(v2.RandomErasing(settings.erase, scale=(0.02, 0.2), value=128))
        self.moves = v2.Compose(moves) if moves else None
        self.looks = v2.Compose(looks) if looks else None

    def __call__(
        self, image: Tensor, boxes: Tensor, parts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the image, boxes and parts after one draw.

        Args:
            image: (3, H, W) uint8.
            boxes: (K, 4) float32 fractions.
            parts: (K,) int64, -1 where there is no box.

        Returns:
            The same three; a part that left the image gets number -1.
        """
        height, width = self.size
        scale = torch.tensor([width, height, width, height], dtype=torch.float32)
        if self.flip and torch.rand(()) < self.flip:
            image, boxes, parts = mirror(image, boxes, parts, self.mirrored)
        moved = tv_tensors.Image(image)
        framed = tv_tensors.BoundingBoxes(boxes * scale, format="XYXY", canvas_size=(height, width))
        if self.moves is not None:
            moved, framed = self.moves(moved, framed)
            framed = F.clamp_bounding_boxes(framed)
        if self.looks is not None:
            moved = self.looks(moved)
        corners = framed.as_subclass(Tensor)
        seen = (corners[:, 2:] - corners[:, :2]).amin(1) >= _SMALLEST
        return moved.as_subclass(Tensor), corners / scale, torch.where(seen, parts, -1)

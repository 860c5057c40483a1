"""Random changes to a training image, with its parts following every move."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from reid.data.mirror import mirror
from reid.parts.located import Located
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
        fill = {tv_tensors.Mask: 0, "others": 128}
        if settings.zoom or settings.rotate:
            zoom = (1 - settings.zoom, 1 + settings.zoom) if settings.zoom else None
            moves.append(
                v2.RandomAffine(
                    settings.rotate,
                    scale=zoom,
                    fill=fill,
                    interpolation=v2.InterpolationMode.BILINEAR,
                )
            )
        if settings.pad:
            moves += [v2.Pad(settings.pad, fill=fill), v2.RandomCrop(size)]
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

    def draw_flip(self) -> bool:
        """Draw whether an image is mirrored: the first draw of each."""
        return bool(self.flip) and bool(torch.rand(()) < self.flip)

    def __call__(
        self, image: Tensor, where: Located, flipped: bool | None = None
    ) -> tuple[Tensor, Located]:
        """Return the image and where its parts are after one draw.

        Args:
            image: (3, H, W) uint8.
            where: its parts; masks may be smaller than the image.
            flipped: whether it is mirrored; None to draw that, too.

        Returns:
            The same two; a box that left the image gets number -1.
        """
        height, width = self.size
        scale = torch.tensor([width, height, width, height], dtype=torch.float32)
        if self.draw_flip() if flipped is None else flipped:
            image, where = mirror(image, where, self.mirrored)
        boxes, parts, masks = where
        moved = tv_tensors.Image(image)
        framed = tv_tensors.BoundingBoxes(boxes * scale, format="XYXY", canvas_size=(height, width))
        if self.moves is not None:
            # What moves together has to be of one size.
            large = [tv_tensors.Mask(_resized(masks, self.size, "bilinear"))] if len(masks) else []
            moved, framed, *large = self.moves(moved, framed, *large)
            framed = F.clamp_bounding_boxes(framed)
            if large:
                masks = _resized(large[0].as_subclass(Tensor), masks.shape[1:], "area")
        if self.looks is not None:
            moved = self.looks(moved)
        corners = framed.as_subclass(Tensor)
        seen = (corners[:, 2:] - corners[:, :2]).amin(1) >= _SMALLEST
        found = Located(corners / scale, torch.where(seen, parts, -1), masks)
        return moved.as_subclass(Tensor), found


def _resized(masks: Tensor, size: Sequence[int], mode: str) -> Tensor:
    """Return masks (V, h, w) uint8 at another size, rounded."""
    return interpolate(masks[None].float(), tuple(size), mode=mode)[0].round().to(torch.uint8)

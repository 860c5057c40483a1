"""Images on disk as network inputs, with their parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.data import Dataset

from annotations.pixels import ImageError, read_image
from reid.data.augment import Augment
from reid.parts.located import Located


class Batch(NamedTuple):
    """Images that go through the network together; a sample is the same without B.

    Attributes:
        images: (B, 3, H, W) uint8, RGB.
        where: their parts.
        labels: (B,) int64, what makes two images the same: identity, model or year of a model.
        models: (B,) int64, the model where it is known to the training, else the label.
        viewpoints: (B,) int64, the viewpoint class; 0 where no loss looks at it.
    """

    images: Tensor
    where: Located
    labels: Tensor
    models: Tensor
    viewpoints: Tensor | None = None


def read_input(path: Path, size: tuple[int, int]) -> Tensor:
    """Decode an image and resize it to ``size`` (height, width): (3, H, W) uint8.

    Raises:
        ImageError: the file cannot be used.
    """
    # A view as channels first over channels-last memory is what the fast uint8 resize takes;
    # torchvision's function is the same operation, but takes as long again to reach it.
    pixels = torch.from_numpy(read_image(path, size)).permute(2, 0, 1)
    resized = interpolate(pixels[None], size, mode="bilinear", antialias=True)
    return resized[0]


@dataclass(frozen=True)
class InputReader:
    """Reads network inputs, see `read_input`; an unreadable image becomes its problem, a text."""

    size: tuple[int, int]

    def __call__(self, path: Path) -> Tensor | str:
        """Return the pixels, or why there are none."""
        try:
            return read_input(path, self.size)
        except ImageError as error:
            return str(error)


class TrainingSet(Dataset[Batch]):
    """Augmented samples, got by image number and the seed of the augmentation.

    Args:
        paths: N image files.
        where: their parts.
        labels: (N,) int64.
        models: (N,) int64.
        viewpoints: (N,) int64.
        size: (height, width) of the input.
        augment: what is done to each sample.
        mirrored: (V,) int64, the viewpoint class of a mirrored image, by that of the image; None
            where there is one class.
    """

    def __init__(
        self,
        paths: list[Path],
        where: Located,
        labels: Tensor,
        models: Tensor,
        viewpoints: Tensor,
        size: tuple[int, int],
        augment: Augment,
        mirrored: Tensor | None = None,
    ) -> None:
        self.paths = paths
        self.where = where
        self.labels = labels
        self.models = models
        self.viewpoints = viewpoints
        self.size = size
        self.augment = augment
        self.mirrored = torch.zeros(1, dtype=torch.int64) if mirrored is None else mirrored

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, drawn: tuple[int, int]) -> Batch:
        index, seed = drawn
        image = read_input(self.paths[index], self.size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            flipped = self.augment.draw_flip()
            image, where = self.augment(image, self.where.take(index), flipped)
        viewpoint = self.viewpoints[index]
        if flipped:
            viewpoint = self.mirrored[viewpoint]
        return Batch(image, where, self.labels[index], self.models[index], viewpoint)

"""What trainings of this room share: their batches, their order and their step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import lightning
import numpy as np
import numpy.typing as npt
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from reid.attention.settings import NetworkSettings
from reid.data.augment import Augment
from reid.data.dataset import read_input
from reid.parts.located import Located
from reid.recipe import AugmentSettings
from reid.training.loop import run_training
from reid.training.rate import rate_at

_LEFT = 0.1
_EPOCH = 100
"""The fewest batches of an epoch."""


class Batch(NamedTuple):
    """Images with what is to be learned of them; a sample is the same without B.

    Attributes:
        images: (B, 3, H, W) uint8, RGB.
        foreground: (B, h, w) uint8, 255 on the vehicle; (B, 1, 1) where it is not learned from.
        labels: (B, V) bool, the views that are visible, or (B,) int64, the viewpoint.
    """

    images: Tensor
    foreground: Tensor
    labels: Tensor


class Samples(Dataset[Batch]):
    """Augmented samples, got by image number and the seed of the augmentation.

    Args:
        paths: N image files.
        foreground: (N, h, w) uint8; None where it is not learned from.
        labels: (N, ...).
        mirrored: what each view, or viewpoint, becomes in the mirrored image; None where labels
            are neither.
        settings: size and augmentation.
    """

    def __init__(
        self,
        paths: list[Path],
        foreground: npt.NDArray[np.uint8] | None,
        labels: Tensor,
        mirrored: Tensor | None,
        settings: NetworkSettings,
    ) -> None:
        self.paths = paths
        self.foreground = foreground
        self.labels = labels
        self.mirrored = mirrored
        self.flip = settings.flip
        self.size = (settings.size, settings.size)
        looks = AugmentSettings(flip=0, zoom=settings.zoom, colour=settings.colour)
        self.augment = Augment(looks, self.size, (0,))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, drawn: tuple[int, int]) -> Batch:
        index, seed = drawn
        image = read_input(self.paths[index], self.size)
        known = self.foreground is not None
        mask = (
            torch.from_numpy(self.foreground[index])
            if self.foreground is not None
            else torch.zeros(1, 1, dtype=torch.uint8)
        )
        label = self.labels[index]
        where = Located(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), mask[None][:known])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            flipped = bool(torch.rand(()) < self.flip)
            image, moved = self.augment(image, where)
        mask = moved.masks[0] if known else mask
        if flipped:
            image, mask = image.flip(-1), mask.flip(-1)
            if self.mirrored is not None:
                label = label[self.mirrored] if label.ndim else self.mirrored[label]
        return Batch(image, mask, label)


class BalancedSampler(Sampler[tuple[int, int]]):
    """Draw as many samples of every group, each with the seed of its augmentation.

    SPAN is trained "with balanced images in each viewpoint" (section 4.2). Those of a small group
    come several times.

    Args:
        groups: (N,), what each image is of.
        seed: of the training.
        epoch: tells the epoch when an iteration begins.
        count: samples of an epoch.
    """

    def __init__(
        self, groups: npt.NDArray[np.int64], seed: int, epoch: Callable[[], int], count: int
    ) -> None:
        self.rows = [np.flatnonzero(groups == group) for group in np.unique(groups)]
        self.count = count
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        random = np.random.default_rng((self.seed, self.epoch()))
        each = -(-self.count // len(self.rows))
        drawn = [
            np.concatenate([random.permutation(rows) for _ in range(-(-each // len(rows)))])[:each]
            for rows in self.rows
        ]
        order = random.permutation(np.concatenate(drawn))[: self.count]
        seeds = random.integers(2**62, size=self.count)
        return zip(order.tolist(), seeds.tolist(), strict=True)


class Learning(lightning.LightningModule):
    """A network, its losses and AdamW, whose rate falls to a tenth.

    Args:
        model: the network.
        losses: from what it makes of a batch to the terms of the loss, by name.
        settings: the numbers.
    """

    def __init__(
        self,
        model: nn.Module,
        losses: Callable[[Tensor, Batch], dict[str, Tensor]],
        settings: NetworkSettings,
    ) -> None:
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)
        self.losses = losses
        self.settings = settings

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the sum of the loss terms, each logged by name."""
        terms = self.losses(self.model(batch.images), batch)
        loss = torch.stack(list(terms.values())).sum()
        named = {f"loss/{name}": term.detach() for name, term in terms.items()}
        count = len(batch.images)
        self.log_dict(named, on_step=False, on_epoch=True, batch_size=count)
        self.log(
            "loss", loss.detach(), prog_bar=True, on_step=False, on_epoch=True, batch_size=count
        )
        return loss

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimiser and a rate that changes every step."""
        optimiser = torch.optim.AdamW(self.parameters(), self.settings.lr)
        total = self.settings.steps
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: rate_at(step, total, 0.1 * total, _LEFT)
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def learn(
    model: nn.Module,
    losses: Callable[[Tensor, Batch], dict[str, Tensor]],
    samples: Samples,
    groups: npt.NDArray[np.int64],
    settings: NetworkSettings,
    out: Path,
    *,
    target: torch.device,
    workers: int,
    progress: bool,
) -> None:
    """Train a network of this room in a folder; see `reid.training.loop.run_training`.

    Args:
        model: the network.
        losses: see `Learning`.
        samples: N images.
        groups: see `BalancedSampler`.
        settings: the numbers.
        out: the folder.
        target: the device.
        workers: processes that read images.
        progress: whether to show bars.
    """
    batch = min(settings.batch, len(samples))
    # A checkpoint is written after every epoch, so that of a few images it had better be long.
    count = max(len(samples), min(settings.steps, _EPOCH) * batch)

    def loader(epoch: Callable[[], int]) -> DataLoader[Any]:
        return DataLoader(
            samples,
            batch_size=batch,
            sampler=BalancedSampler(groups, settings.seed, epoch, count),
            # A last batch of one image would leave batch normalisation without a variance.
            drop_last=True,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    run_training(
        Learning(model, losses, settings),
        loader,
        out,
        steps=settings.steps,
        target=target,
        precision=settings.precision,
        progress=progress,
    )

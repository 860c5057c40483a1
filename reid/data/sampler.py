"""The order of training images, fixed by seed and epoch alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler


class EpochSampler(Sampler[tuple[int, int]]):
    """Draw the samples of an epoch, each with the seed of its augmentation.

    Nothing is remembered between epochs, so a training that was stopped goes on with the very
    samples that it would have seen, whatever the number of worker processes.

    Args:
        identities: (N,) int64, the identity of each image.
        per_identity: images of an identity that follow each other, so that a batch has
            positive pairs (Hermans et al. 2017); an identity with fewer repeats them. 0 draws
            all images in random order.
        seed: of the training.
        epoch: tells the epoch when an iteration begins.
    """

    def __init__(
        self,
        identities: npt.NDArray[np.int64],
        per_identity: int,
        seed: int,
        epoch: Callable[[], int],
    ) -> None:
        self.rows = [np.flatnonzero(identities == each) for each in np.unique(identities)]
        self.count = len(identities)
        self.per_identity = per_identity
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        random = np.random.default_rng((self.seed, self.epoch()))
        order = self._grouped(random) if self.per_identity else random.permutation(self.count)
        seeds = random.integers(2**62, size=self.count)
        return zip(order.tolist(), seeds.tolist(), strict=True)

    def _grouped(self, random: np.random.Generator) -> npt.NDArray[np.int64]:
        chosen: list[npt.NDArray[np.int64]] = []
        while len(chosen) * self.per_identity < self.count:
            for identity in random.permutation(len(self.rows)):
                rows = self.rows[identity]
                again = len(rows) < self.per_identity
                chosen.append(random.choice(rows, self.per_identity, replace=again))
        return np.concatenate(chosen)[: self.count]

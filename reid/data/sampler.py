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
        labels: (N,) int64, the identity of each image, or whatever makes two images the same.
        per_identity: images of a label that follow each other, so that a batch has
            positive pairs (Hermans et al. 2017); a label with fewer repeats them. 0 draws
            all images in random order.
        seed: of the training.
        epoch: tells the epoch when an iteration begins.
        models: (N,) int64, the model of each image, one for each label.
        per_model: labels of a model that follow each other, or all that it has, so that a batch
            has hard negatives (EIA-Net, section 3.3: other released years of the same model); 0
            draws labels in random order.
    """

    def __init__(
        self,
        labels: npt.NDArray[np.int64],
        per_identity: int,
        seed: int,
        epoch: Callable[[], int],
        models: npt.NDArray[np.int64] | None = None,
        per_model: int = 0,
    ) -> None:
        _, first, counts = np.unique(labels, return_index=True, return_counts=True)
        self.rows = np.split(np.argsort(labels, kind="stable"), counts.cumsum()[:-1])
        self.models = None if models is None or not per_model else models[first]
        self.per_model = per_model
        self.count = len(labels)
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
            for label in self._labels(random):
                rows = self.rows[label]
                again = len(rows) < self.per_identity
                chosen.append(random.choice(rows, self.per_identity, replace=again))
        return np.concatenate(chosen)[: self.count]

    def _labels(self, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return every label once, those of a model in groups."""
        order = random.permutation(len(self.rows))
        if self.models is None:
            return order
        of_model = [order[self.models[order] == each] for each in np.unique(self.models)]
        groups = [
            labels[start : start + self.per_model]
            for labels in of_model
            for start in range(0, len(labels), self.per_model)
        ]
        return np.concatenate([groups[place] for place in random.permutation(len(groups))])

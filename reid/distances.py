"""Distances between embeddings: one class each, for training, evaluation and search alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from annotations.errors import InputError, suggest

Embeddings = npt.NDArray[np.floating[Any]] | Tensor
"""One embedding a row: shape (N, D), any floating type, numpy or torch, on any device."""


class Distance(ABC):
    """A distance between embeddings.

    Attributes:
        faiss_metric: name of the faiss metric under which prepared embeddings rank alike.
    """

    faiss_metric: ClassVar[str]

    @abstractmethod
    def pairwise(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distance of every row of ``a`` (N, D) to every row of ``b`` (M, D).

        Differentiable, also where two rows are equal. Shape (N, M), never negative.
        """

    @abstractmethod
    def from_faiss(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Turn what a faiss index of prepared embeddings returns into this distance."""

    def prepare(self, embeddings: Embeddings, name: str = "embeddings") -> Tensor:
        """Check embeddings and return what is compared and stored in an index.

        Args:
            embeddings: shape (N, D).
            name: what an error calls them.

        Returns:
            float32, shape (N, D), detached, on the device that they came on.

        Raises:
            InputError: not two-dimensional, empty, not of a floating type, or a row is
                not finite or so large that its square is not.
        """
        given = torch.as_tensor(embeddings).detach()
        if given.ndim != 2 or 0 in given.shape:
            shape = tuple(given.shape)
            raise InputError(f"{name}: needs one embedding a row and at least one, not {shape}")
        if not given.is_floating_point():
            raise InputError(f"{name}: must be floating-point numbers, not {given.dtype}")
        prepared = given.float()
        _refuse(
            ~(2 * prepared).square().sum(1).isfinite(),
            f"{name}: row {{}} holds NaN, infinity or a number too large to square",
        )
        return prepared


class Euclidean(Distance):
    """The straight-line distance."""

    faiss_metric = "METRIC_L2"

    def pairwise(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.pairwise`."""
        # |a|^2 - 2ab + |b|^2 cancels badly far from the origin, so the origin moves to b's centre:
        # taken by way of a row, so that equal rows are exactly at the origin.
        row = b.detach()[0]
        centre = row + (b.detach() - row).mean(0)
        return torch.cdist(a - centre, b - centre, compute_mode="use_mm_for_euclid_dist")

    def from_faiss(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """See `Distance.from_faiss`; faiss returns squares."""
        return np.sqrt(np.maximum(scores, 0))


class Cosine(Distance):
    """One minus the cosine of the angle between two embeddings: 0 to 2."""

    faiss_metric = "METRIC_INNER_PRODUCT"

    def pairwise(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Distance.pairwise`."""
        # Half the squared chord is the same number, and exactly equal where embeddings are.
        return EUCLIDEAN.pairwise(F.normalize(a), F.normalize(b)).square() / 2

    def from_faiss(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """See `Distance.from_faiss`; faiss returns cosines."""
        return np.maximum(1 - scores, 0)

    def prepare(self, embeddings: Embeddings, name: str = "embeddings") -> Tensor:
        """Check as `Distance.prepare` does, refuse zero vectors, and scale to length one."""
        prepared = super().prepare(embeddings, name)
        _refuse(
            prepared.norm(dim=1) == 0,
            f"{name}: row {{}} is all zeros, which has no direction; use the Euclidean distance",
        )
        return F.normalize(prepared)


EUCLIDEAN = Euclidean()
DISTANCES: dict[str, Distance] = {"euclidean": EUCLIDEAN, "cosine": Cosine()}


def distance_named(name: str) -> Distance:
    """Return the distance called ``name``.

    Raises:
        InputError: there is none of that name.
    """
    if name not in DISTANCES:
        raise InputError(f"no distance '{name}'; {suggest(name, DISTANCES)}")
    return DISTANCES[name]


def _refuse(bad: Tensor, message: str) -> None:
    if bad.any():
        first, count = int(bad.int().argmax()), int(bad.sum())
        others = f" ({count - 1} more rows do too)" if count > 1 else ""
        raise InputError(message.format(first) + others)

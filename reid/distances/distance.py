"""What every distance between embeddings can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from annotations.errors import InputError
from reid.distances.comparison import Comparison

Embeddings = npt.NDArray[np.floating[Any]] | Tensor
"""One embedding a row: shape (N, D), any floating type, numpy or torch, on any device."""


class Distance(ABC):
    """A distance between embeddings.

    Attributes:
        name: by which `reid.distances.distance_named` knows it.
    """

    name: str

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"{self.name} distance"

    @abstractmethod
    def pairwise(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distance of every row of ``a`` (N, D) to every row of ``b`` (M, D).

        Differentiable, also where two rows are equal. Shape (N, M), never negative.
        """

    @abstractmethod
    def between(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distance of each row of ``a`` (N, D) to the same row of ``b``: (N,)."""

    @abstractmethod
    def compare(self, query: Embeddings, gallery: Embeddings) -> Comparison:
        """Return what a ranking of ``gallery`` (G, D) for each of ``query`` (Q, D) needs.

        Embeddings are taken in the precision in which they are given; the work is done on
        the query's device.

        Raises:
            InputError: as `prepare`, or they have different dimensions.
        """

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
        given = self.check(embeddings, name)
        return given.float()

    def check(
        self, embeddings: Embeddings, name: str = "embeddings", rows: Sequence[str] | None = None
    ) -> Tensor:
        """Return embeddings as they were given, detached.

        Args:
            embeddings: see `prepare`.
            name: see `prepare`.
            rows: what an error calls each row, besides its number.

        Raises:
            InputError: see `prepare`.
        """
        given = _tensor(embeddings, name)
        if given.ndim != 2 or 0 in given.shape:
            shape = tuple(given.shape)
            raise InputError(f"{name}: needs one embedding a row and at least one, not {shape}")
        if not given.is_floating_point():
            raise InputError(f"{name}: must be floating-point numbers, not {given.dtype}")
        # Norms also find NaN and infinity, in one pass over the numbers.
        norms = torch.linalg.vector_norm(given, dim=1, dtype=_at_least_single(given)).float()
        refuse(
            ~(2 * norms.square()).isfinite(),
            f"{name}: row {{}} holds NaN, infinity or a number too large to square",
            rows,
        )
        return given


class IndexedDistance(Distance):
    """A distance by which a flat faiss index can rank.

    Attributes:
        faiss_metric: name of the faiss metric under which prepared embeddings rank alike.
    """

    faiss_metric: ClassVar[str]

    @abstractmethod
    def from_faiss(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Turn what a faiss index of prepared embeddings returns into this distance."""


def _tensor(embeddings: Embeddings, name: str) -> Tensor:
    if isinstance(embeddings, Tensor):
        return embeddings.detach()
    array = np.asarray(embeddings)
    if array.dtype.kind in "biu":
        raise InputError(f"{name}: must be floating-point numbers, not {array.dtype}")
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        raise InputError(f"{name}: must be an array of floating-point numbers, not {array.dtype}")
    # Torch knows neither foreign byte orders nor steps backwards.
    native = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    return torch.from_numpy(native if native.flags.writeable else native.copy())


def _at_least_single(given: Tensor) -> torch.dtype:
    return torch.promote_types(given.dtype, torch.float32)


def refuse(bad: Tensor, message: str, rows: Sequence[str] | None = None) -> None:
    """Raise an error where a row is bad; ``message`` has a place for which is the first."""
    if bad.any():
        first, count = int(bad.int().argmax()), int(bad.sum())
        others = f" ({count - 1} more rows do too)" if count > 1 else ""
        called = f"{first} ({rows[first]})" if rows is not None else str(first)
        raise InputError(message.format(called) + others)

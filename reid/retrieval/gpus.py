"""Exact search on GPUs: what fits stays on them, the rest passes through."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary, finalize

import faiss
import numpy as np
import torch

from reid.device import pick_device
from reid.distances import IndexedDistance
from reid.retrieval.exact import BLOCK, Floats, Part, Rows

_log = logging.getLogger(__name__)
_BYTES = 4
"""Of a number, which is in single precision there."""
_SPARE = 4 * 2**30
"""Bytes of a GPU that are left for faiss' own, of which it takes 1.5 GiB, and for others."""


@dataclass(eq=False)
class _Kept:
    """Embeddings on a GPU.

    Attributes:
        number: of the GPU.
        index: faiss' there, which nothing else holds outside the GPU's lock; None once released.
    """

    number: int
    index: Any


class Gpus:
    """The GPUs that search.

    A stretch of embeddings that fits beside the others is kept on one of them, in single
    precision, so that a later question finds it there; a gallery larger than one is so spread
    over all. What fits on none passes through them block by block, each in its turn.

    Args:
        numbers: of the GPUs.

    Attributes:
        most: the largest number of nearest that faiss finds on a GPU.
    """

    most = 2048

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = tuple(numbers)
        self._resources = {number: faiss.StandardGpuResources() for number in self.numbers}
        self._locks = {number: Lock() for number in self.numbers}
        self._keeping = Lock()
        self._kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()
        """By the flat index on the host."""
        self._gone: dict[int, deque[_Kept]] = {number: deque() for number in self.numbers}
        """By the GPU: what it holds of flat indices that are no more, until it is released."""

    @property
    def device(self) -> torch.device:
        """The one that compares by what faiss does not know."""
        return torch.device("cuda", self.numbers[0])

    def found(
        self, parts: Sequence[Part], distance: IndexedDistance, queries: Floats, top: int
    ) -> Iterator[tuple[Floats, Rows]]:
        """Yield the nearest of each stretch, or of pieces of it: distances and rows (Q, K').

        Args:
            parts: what is searched.
            distance: what is near.
            queries: (Q, D), prepared.
            top: how many to find, at most `most`.
        """
        turns = dict.fromkeys(self.numbers, 0)
        tasks: list[tuple[int, _Kept | None, Part, slice]] = []
        for part in parts:
            kept = self._keep(part, distance, top)
            if kept is not None:
                tasks.append((kept.number, kept, part, slice(0, len(part.vectors))))
                continue
            size = max(1, BLOCK // part.vectors.shape[1])
            for first in range(0, len(part.vectors), size):
                number = min(turns, key=lambda one: (turns[one], one))
                turns[number] += 1
                tasks.append((number, None, part, slice(first, first + size)))

        def ask(task: tuple[int, _Kept | None, Part, slice]) -> tuple[Floats, Rows]:
            number, kept, part, some = task
            if kept is not None:
                return self._ask_kept(kept, part, distance, queries, top)
            return self._pass(number, part, some, distance, queries, top)

        # A thread for each GPU, and one that reads the next block meanwhile.
        with ThreadPoolExecutor(len(self.numbers) + 1) as pool:
            yield from pool.map(ask, tasks)

    def holds(self, parts: Sequence[Part], top: int) -> bool:
        """Whether all of some stretches are kept or can be, so that no index need be asked.

        Args:
            parts: what is searched.
            top: how many are to be found.
        """
        if any(part.index is None or top + _forbidden(part) > self.most for part in parts):
            return False
        free = {number: self._free(number) for number in self.numbers}
        for part in parts:
            if part.index not in self._kept:
                number = max(free, key=lambda one: free[one])
                free[number] -= part.vectors.size * _BYTES
                if free[number] < 0:
                    return False
        return True

    def _ask_kept(
        self,
        kept: _Kept,
        part: Part,
        distance: IndexedDistance,
        queries: Floats,
        top: int,
    ) -> tuple[Floats, Rows]:
        """Find the nearest of a stretch that is on a GPU."""
        more = _forbidden(part)
        with self._using(kept.number):
            # While the part is here, what is kept of it is; no name outlives the lock.
            scores, places = getattr(kept.index, "search_numpy", kept.index.search)(
                queries, min(top + more, len(part.vectors))
            )
        distances = distance.from_faiss(scores)
        if more:
            assert part.keep is not None
            distances = np.where(part.keep[places], distances, np.float32(np.inf))
            order = np.argsort(distances, axis=1, kind="stable")
            order = order[:, : min(top, len(part.vectors) - more)]
            distances = np.take_along_axis(distances, order, 1)
            places = np.take_along_axis(places, order, 1)
        return distances, places + part.start

    def _pass(
        self,
        number: int,
        part: Part,
        some: slice,
        distance: IndexedDistance,
        queries: Floats,
        top: int,
    ) -> tuple[Floats, Rows]:
        """Find the nearest of a block that is not."""
        block = part.vectors[some]
        numbers = np.arange(some.start, some.start + len(block))
        if part.keep is not None:
            block, numbers = block[part.keep[some]], numbers[part.keep[some]]
        if not len(block):
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        whole = np.ascontiguousarray(block, np.float32)
        knn = getattr(faiss, "knn_gpu_numpy", faiss.knn_gpu)
        metric = getattr(faiss, distance.faiss_metric)
        count = min(top, len(block))
        with self._using(number):
            scores, places = knn(
                self._resources[number], queries, whole, count, metric=metric, device=number
            )
        return distance.from_faiss(scores), (numbers + part.start)[places]

    def _keep(self, part: Part, distance: IndexedDistance, top: int) -> _Kept | None:
        """Return where a stretch is kept, after putting it there; None where it fits nowhere.

        A flat index on a GPU knows no conditions. A few rows that may not be found are asked for
        all the same and left out; where they are many, the others pass through.
        """
        if part.index is None or top + _forbidden(part) > self.most:
            return None
        with self._keeping:  # of two that ask for it at once, one puts it there
            if part.index in self._kept:
                return self._kept[part.index]
            free = {number: self._free(number) for number in self.numbers}
            number = max(free, key=lambda one: free[one])
            if free[number] < part.vectors.size * _BYTES:
                return None
            settings = faiss.GpuIndexFlatConfig()
            settings.device = number
            metric = getattr(faiss, distance.faiss_metric)
            width = part.vectors.shape[1]
            # At once: what is added to in pieces is copied for each of them.
            whole = np.ascontiguousarray(part.vectors, np.float32)
            kept = _Kept(number, None)
            with self._using(number):
                try:
                    kept.index = faiss.GpuIndexFlat(
                        self._resources[number], width, metric, settings
                    )
                    kept.index.add(whole)
                except RuntimeError as error:  # others have taken the memory meanwhile
                    kept.index = None
                    _log.info("GPU %d: a stretch passes through it: %s", number, error)
                    return None
            self._kept[part.index] = kept
            # Called in any thread, in this GPU's lock's holder's too: no more than a note of it.
            finalize(part.index, self._gone[number].append, kept).atexit = False
            return kept

    @contextmanager
    def _using(self, number: int) -> Iterator[None]:
        """Be the one thread that uses a GPU's resources; what is gone is released first."""
        with self._locks[number]:
            gone = self._gone[number]
            while gone:
                gone.popleft().index = None
            yield

    def _free(self, number: int) -> int:
        """Return how many bytes of a GPU embeddings may take, what is gone no longer counted."""
        if self._gone[number]:
            with self._using(number):
                pass  # what it releases is what it is for
        return int(torch.cuda.mem_get_info(number)[0]) - _SPARE


def _forbidden(part: Part) -> int:
    """Return how many of a stretch may not be found."""
    return 0 if part.keep is None else int((~part.keep).sum())


def gpus_of(device: str) -> Gpus | None:
    """Return the GPUs that a device means: all for ``auto`` and ``cuda``, one for ``cuda:1``.

    Returns:
        None where that is the CPU, or faiss was built without GPUs.

    Raises:
        InputError: there is no such device.
    """
    chosen = pick_device(device)
    if chosen.type != "cuda" or not hasattr(faiss, "GpuIndexFlat"):
        return None
    return _gpus(
        tuple(range(torch.cuda.device_count())) if chosen.index is None else (chosen.index,)
    )


@cache
def _gpus(numbers: tuple[int, ...]) -> Gpus:
    """One for the whole process: it holds the memory."""
    return Gpus(numbers)

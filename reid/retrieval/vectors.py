"""Embeddings on disk, mapped into memory: as a faiss index, or as plain numbers."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import faiss
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reid.distances import Distance, IndexedDistance

INDEX, PLAIN = "vectors.faiss", "vectors.npy"


_opened: WeakValueDictionary[tuple[Any, ...], StoredVectors] = WeakValueDictionary()
"""By file and what is wanted of it."""


@dataclass(frozen=True)
class StoredVectors:
    """Embeddings of one file.

    Attributes:
        array: (N, D), float16 or float32.
        index: a flat faiss index of the same memory; None where none knows the distance.
    """

    array: npt.NDArray[np.floating[Any]]
    index: Any

    @classmethod
    def open(
        cls, path: Path, shape: tuple[int, int], half: bool, distance: Distance
    ) -> StoredVectors | None:
        """Open a file without reading it; None where it holds something else.

        A file that is open already is shared: what a GPU keeps of it serves a gallery's next state.

        Args:
            path: made by `write_vectors`.
            shape: what is to be in it.
            half: whether in half precision.
            distance: what they are compared by.

        Raises:
            OSError: it cannot be opened.
            ValueError: it is damaged.
        """
        state = path.stat()
        whose = (state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size)
        key = (*whose, *shape, half, distance.name)
        known = _opened.get(key)
        if known is None:
            known = cls._read(path, shape, half, distance)
            if known is not None:
                _opened[key] = known
        return known

    @classmethod
    def _read(
        cls, path: Path, shape: tuple[int, int], half: bool, distance: Distance
    ) -> StoredVectors | None:
        kind: type[np.floating[Any]] = np.float16 if half else np.float32
        if not isinstance(distance, IndexedDistance):
            offset, found, dtype = _header(path)
            fits = found == shape and dtype == kind
            return cls(_mapped(path, kind, offset, shape), None) if fits else None
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise _not_read(error) from None
        wanted = faiss.IndexScalarQuantizer if half else faiss.IndexFlat
        told = (index.ntotal, index.d, index.metric_type)
        if not isinstance(index, wanted) or told != (*shape, metric_of(distance)):
            return None
        # Numbers are what such a file ends with.
        offset = path.stat().st_size - shape[0] * shape[1] * np.dtype(kind).itemsize
        return cls(_mapped(path, kind, offset, shape), index)


def _mapped(
    path: Path, kind: type[np.floating[Any]], offset: int, shape: tuple[int, int]
) -> npt.NDArray[np.floating[Any]]:
    """Map the numbers (N, D) that a file ends with.

    Not by numpy: what it maps holds a file descriptor, of which a process has some thousand.
    """
    with pa.memory_map(str(path)) as file:
        buffer = file.read_buffer()
    return np.frombuffer(buffer, kind, offset=offset).reshape(shape)


def _header(path: Path) -> tuple[int, tuple[int, ...], np.dtype[Any]]:
    """Return of a file of plain numbers where they begin, their shape and kind.

    Raises:
        ValueError: it is none that `write_vectors` made.
    """
    with path.open("rb") as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError(f"{path}: of another version")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        if fortran:
            raise ValueError(f"{path}: column by column")
        return stream.tell(), shape, dtype


def ask(
    index: Any, queries: npt.NDArray[np.float32], top: int, parameters: Any = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Search an index: queries (Q, D) to scores and numbers, both (Q, K)."""
    # pytorch-metric-learning has faiss take tensors, too, by a search that knows no parameters;
    # the one that it replaced is then kept under another name.
    search = getattr(index, "search_numpy", index.search)
    scores, numbers = search(queries, top, params=parameters)
    return scores, numbers


def write_vectors(
    folder: Path, pieces: Sequence[npt.NDArray[np.floating[Any]]], distance: Distance
) -> str:
    """Write embeddings and return the name of the file.

    Args:
        folder: where.
        pieces: one after another, all of one type, float16 or float32, and width.
        distance: what they are compared by.

    Raises:
        OSError: it has no place.
    """
    first = pieces[0]
    if isinstance(distance, IndexedDistance):
        index = _empty(first.shape[1], first.dtype == np.float16, distance)
        for piece in pieces:
            index.add(np.ascontiguousarray(piece, np.float32))
        try:
            faiss.write_index(index, str(folder / INDEX))
        except RuntimeError as error:
            raise not_written(error) from None
        return INDEX
    shape = (sum(map(len, pieces)), first.shape[1])
    header = {"descr": first.dtype.str, "fortran_order": False, "shape": shape}
    # Not by mapping the file into memory: on a full disk that ends the process.
    with (folder / PLAIN).open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for piece in pieces:
            stream.write(np.ascontiguousarray(piece).data)
    return PLAIN


def _not_read(error: RuntimeError) -> Exception:
    """Return what faiss' error at opening a file is: the system's, or of what the file holds."""
    # Of the system's it has the words alone, at its end.
    for number in errno.errorcode:
        if str(error).endswith(os.strerror(number)):
            return OSError(number, os.strerror(number))
    return ValueError(str(error))


def not_written(error: RuntimeError) -> OSError:
    """Return what faiss' error at writing a file is; of the system's it has the words alone."""
    if os.strerror(errno.ENOSPC) in str(error):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return OSError(errno.EIO, f"faiss could not write: {error}")


def _empty(width: int, half: bool, distance: IndexedDistance) -> Any:
    if not half:
        return faiss.IndexFlat(width, metric_of(distance))
    index = faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_fp16, metric_of(distance))
    index.is_trained = True  # half precision has nothing to learn
    return index


def metric_of(distance: IndexedDistance) -> int:
    """Return faiss' number of a distance's metric."""
    return int(getattr(faiss, distance.faiss_metric))

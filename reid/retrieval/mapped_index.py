"""An index's file: mapped into memory with its gallery, read at the first search."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import faiss
import numpy as np
import pyarrow as pa

from annotations.errors import InputError
from reid.retrieval.manifest import StoredFile

_opened: WeakValueDictionary[tuple[int, ...], MappedIndex] = WeakValueDictionary()
"""By file."""
_opening = Lock()


class MappedIndex:
    """The file of an index, which can be read though it was removed since.

    Reading one of ten million images takes seconds, and opening a gallery is not to.
    All states of a gallery that have the same file share it, so that it is read and held once.

    Args:
        path: of the file; see `open`, which maps it.
        content: of it.
    """

    def __init__(self, path: Path, content: pa.Buffer) -> None:
        self._path = path
        # What faiss reads may point into the memory that it was read from.
        self._content = np.frombuffer(content, np.uint8)
        self._index: Any = None
        self._reading = Lock()

    @classmethod
    def open(cls, folder: Path, file: StoredFile) -> MappedIndex:
        """Map an index's file without reading it; one that is open already is shared.

        Args:
            folder: the gallery's.
            file: made by `reid.retrieval.approximate.write_index`.

        Raises:
            InputError: it is missing, of another size or cannot be opened.
        """
        file.require(folder)
        path = folder / file.name
        try:
            with _opening:  # of two that open it at once, both get one
                state = path.stat()
                key = (state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size)
                known = _opened.get(key)
                if known is None:
                    with pa.memory_map(str(path)) as mapped:
                        known = _opened[key] = cls(path, mapped.read_buffer())
                return known
        except OSError as error:
            raise file.unopened(folder, error) from None

    @property
    def index(self) -> Any:
        """The index, as faiss has it.

        Raises:
            InputError: it is damaged.
        """
        with self._reading:  # of two that ask for it at once, one reads it
            if self._index is None:
                start: Any = faiss.swig_ptr(self._content)
                try:
                    size = len(self._content)
                    reader = faiss.ZeroCopyIOReader(start, size)  # type: ignore[attr-defined]
                    self._index = faiss.read_index(reader)
                except RuntimeError:
                    raise InputError(
                        f"{self._path}: damaged; run 'partreid gallery index' again"
                    ) from None
            return self._index

"""Embeddings that are finished and wait for a gallery's writer, in files that outlive a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from annotations.errors import InputError
from annotations.files import whole_file

PIECES = ".embedded"
"""The folder in a gallery's."""
SCHEMA = pa.schema(
    {
        "image": pa.string(),
        "content": pa.binary(16),
        "vector": pa.list_(pa.float32()),
        "distance": pa.string(),
        "node": pa.string(),
    }
)
"""Of a piece: the image, its `annotations.contents.content_of`, its embedding, what embeddings are
compared by (see `reid.distances.distance_named`), and the machine that made it."""
_METADATA = b"partreid"


class Pieces:
    """Parquet files of embeddings, found by the content of their images.

    To be used by whoever is `reid.retrieval.lock.writing` the gallery. Files of another network, of
    other boxes, or that a kill has left half-written, are removed.

    Args:
        folder: where they are, or will be.
        made_by: what makes embeddings the same: of the network, the boxes and the settings.
    """

    def __init__(self, folder: Path, made_by: str) -> None:
        self._folder = folder
        self._about = {_METADATA: json.dumps({"made_by": made_by}).encode()}
        self._places: dict[bytes, tuple[Path, int]] = {}
        self._number = 0
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            contents = self._contents(path)
            if contents is None:
                path.unlink()
                continue
            self._number = max(self._number, int(path.stem) + 1)
            self._know(path, contents)

    def __contains__(self, content: bytes) -> bool:
        return content in self._places

    def add(self, made: pa.Table) -> None:
        """Keep what was made, as a file of its own.

        Args:
            made: N > 0 rows, `SCHEMA`.

        Raises:
            OSError: it has no place.
        """
        path = self._folder / f"{self._number:08d}.parquet"
        with whole_file(path) as aside, aside.open("wb") as stream:
            pq.write_table(made.cast(SCHEMA).replace_schema_metadata(self._about), stream)
            stream.flush()
            os.fsync(stream.fileno())
        self._number += 1
        self._know(path, made["content"].to_pylist())

    def take(self, contents: Sequence[bytes]) -> tuple[npt.NDArray[np.float32], str]:
        """Return the embeddings (N, D) of N > 0 contents, and what they are compared by.

        Raises:
            KeyError: one is not among them.
            InputError: they do not go together.
        """
        asked: dict[Path, list[tuple[int, int]]] = {}
        for number, content in enumerate(contents):
            path, row = self._places[content]
            asked.setdefault(path, []).append((number, row))
        taken: list[npt.NDArray[np.float32]] = []
        numbers: list[int] = []
        distances: set[str] = set()
        for path, pairs in asked.items():
            table = pq.read_table(path, columns=["vector", "distance"])
            table = table.take(pa.array([row for _, row in pairs]))
            flat = table["vector"].combine_chunks().flatten().to_numpy()
            taken.append(flat.reshape(len(pairs), -1))
            numbers += [number for number, _ in pairs]
            distances |= set(table["distance"].to_pylist())
        if len(distances) > 1 or len({vectors.shape[1] for vectors in taken}) > 1:
            raise InputError(
                f"{self._folder}: holds embeddings that do not go together; remove this folder"
            )
        vectors = np.concatenate(taken)
        ordered = np.empty_like(vectors)
        ordered[numbers] = vectors
        return ordered, distances.pop()

    def remove(self, contents: Sequence[bytes]) -> None:
        """Remove the files that have any of these, which are in the gallery now."""
        done = {self._places[content][0] for content in contents if content in self._places}
        for path in done:
            path.unlink(missing_ok=True)
        self._places = {what: at for what, at in self._places.items() if at[0] not in done}
        if not self._places and self._folder.is_dir():
            self._folder.rmdir()

    def _know(self, path: Path, contents: Sequence[bytes]) -> None:
        self._places |= {content: (path, row) for row, content in enumerate(contents)}

    def _contents(self, path: Path) -> list[bytes] | None:
        """Return what a file has embeddings of; None for one that cannot be used."""
        if path.name.startswith(".") or not path.stem.isdigit():
            return None
        try:
            if (pq.read_schema(path).metadata or {}).get(_METADATA) != self._about[_METADATA]:
                return None
            contents: list[bytes] = pq.read_table(path, columns=["content"])["content"].to_pylist()
            return contents
        except (pa.ArrowException, OSError):  # cut off by a machine that went down
            return None

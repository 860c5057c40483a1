"""A stretch of a gallery: images that were added together, in files that never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from annotations.errors import InputError
from reid.distances import Distance, distance_named
from reid.retrieval.manifest import Manifest, StoredFile, StoredSegment, sync_folder
from reid.retrieval.vectors import StoredVectors, write_vectors

MOST = 2**20
"""Images of one segment at most; the paths of so many fit in one column."""
ROOT, SIZE, TIME, CONTENT = "file_root", "file_size", "file_time", "file_content"
"""Columns of a segment's table besides those of `annotations.images.Images`: which of the gallery's
roots the path starts from (int32), bytes (int64), time of change in nanoseconds (int64), and
`annotations.contents.content_of` (16 bytes); the last three are empty where no file was read."""
FILE_COLUMNS = (ROOT, SIZE, TIME, CONTENT)
_KINDS = {ROOT: pa.int32(), SIZE: pa.int64(), TIME: pa.int64(), CONTENT: pa.binary(16)}


@dataclass(frozen=True)
class Segment:
    """An opened segment, mapped into memory and read as needed.

    Attributes:
        stored_vectors: (N, D), as `reid.retrieval.gallery` has them.
        table: N rows, the columns of an images table and `FILE_COLUMNS`.
        removed: ascending, the rows that are no longer in the gallery; uint32.
        thumbnails: one column of JPEG files, or None.
        stored: what the manifest says of it.
    """

    stored_vectors: StoredVectors
    table: pa.Table
    removed: npt.NDArray[np.uint32]
    thumbnails: pa.Table | None
    stored: StoredSegment

    def __len__(self) -> int:
        return self.stored.count

    @property
    def vectors(self) -> npt.NDArray[np.floating[Any]]:
        """The embeddings, (N, D), float16 or float32."""
        return self.stored_vectors.array

    @cached_property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Which rows are in the gallery, (N,)."""
        kept = np.ones(len(self), dtype=bool)
        kept[self.removed] = False
        return kept

    @classmethod
    def open(cls, folder: Path, stored: StoredSegment, manifest: Manifest) -> Segment:
        """Open a segment of the gallery at ``folder``; nothing of it is read yet.

        Raises:
            InputError: a file is missing, damaged, of another gallery or cannot be opened.
        """
        for file in stored.files:
            file.require(folder)
        shape = (stored.count, manifest.dimension)
        distance = distance_named(manifest.distance)
        try:
            path = folder / stored.vectors.name
            vectors = StoredVectors.open(path, shape, manifest.half, distance)
        except (ValueError, EOFError, OSError) as error:
            raise stored.vectors.unopened(folder, error) from None
        if vectors is None:
            raise _foreign(folder, stored.vectors)
        table = _opened(folder, stored.images)
        if len(table) != stored.count or not {"image", *FILE_COLUMNS} <= set(table.column_names):
            raise _foreign(folder, stored.images)
        removed = np.empty(0, np.uint32)
        if stored.removed is not None:
            removed = np.array(_opened(folder, stored.removed))
            fits = len(removed) == stored.removed_count and removed.dtype == np.uint32
            if not fits or (len(removed) and removed.max() >= stored.count):
                raise _foreign(folder, stored.removed)
        pictures = None if stored.thumbnails is None else _opened(folder, stored.thumbnails)
        return cls(vectors, table, removed, pictures, stored)


class SegmentFiles:
    """A segment in the making.

    Args:
        folder: the gallery's.
        name: the segment's folder under it.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name

    def write(
        self,
        vectors: Sequence[npt.NDArray[np.floating[Any]]],
        table: pa.Table,
        distance: Distance,
        thumbnails: Sequence[bytes | None] | None = None,
    ) -> StoredSegment:
        """Write all of it and return what the manifest is to say.

        Args:
            vectors: pieces, one after another, all of one type and width.
            table: a row for each.
            distance: what they are compared by.
            thumbnails: a JPEG file for each, or None.
        """
        name = write_vectors(self._folder / self._name, vectors, distance)
        self._write_table(table, "images.arrow")
        pictures = None
        if thumbnails is not None:
            self._write_table(
                pa.table({"jpeg": pa.array(thumbnails, pa.large_binary())}), "small.arrow"
            )
            pictures = self._file("small.arrow")
        stored = StoredSegment(
            count=len(table),
            vectors=self._file(name),
            images=self._file("images.arrow"),
            thumbnails=pictures,
        )
        sync_folder(self._folder / self._name)
        sync_folder((self._folder / self._name).parent)
        return stored

    def _file(self, name: str) -> StoredFile:
        return StoredFile.of(self._folder, f"{self._name}/{name}")

    def _write_table(self, table: pa.Table, name: str) -> None:
        path = self._folder / self._name / name
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks(), max_chunksize=MOST)


def write_removed(
    folder: Path, stored: StoredSegment, rows: npt.NDArray[np.integer[Any]], generation: int
) -> StoredSegment:
    """Write that ``rows`` of a segment are no longer in the gallery, and return what to say of it.

    The file has a name of its own: whoever reads the gallery's last state still finds its.
    """
    parent = Path(stored.vectors.name).parent
    name = f"{parent}/removed-{generation}.npy"
    ascending = np.unique(rows).astype(np.uint32)
    np.save(folder / name, ascending)
    file = StoredFile.of(folder, name)
    sync_folder(folder / parent)
    return stored.model_copy(update={"removed": file, "removed_count": len(ascending)})


def as_table(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as a segment's table: every column text, whole numbers or fractions.

    `FILE_COLUMNS` that it lacks are empty; a column without any value has no kind yet.
    """
    columns: dict[str, pa.Array] = {}
    for name in frame:
        if name not in FILE_COLUMNS:
            columns[str(name)] = _plain(frame[name])
    for name, kind in _KINDS.items():
        given = frame[name] if name in frame else [0 if name == ROOT else None] * len(frame)
        columns[name] = pa.array(given, kind, from_pandas=True)
    return pa.table(columns)


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return a segment's table, or columns of it, as a frame; text and whole numbers may lack."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_as_pandas)
    return frame


def _as_pandas(kind: pa.DataType) -> Any:
    if pa.types.is_string(kind):
        return pd.StringDtype()
    return pd.Int64Dtype() if pa.types.is_integer(kind) else None


def _plain(values: pd.Series[Any]) -> pa.Array:
    if values.isna().all():
        return pa.nulls(len(values))
    try:
        column = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # a column of a user's, of mixed kinds
        column = pa.array(values.astype("string"), from_pandas=True)
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_string(kind):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string())
    return pa.array(values.astype("string"), pa.string(), from_pandas=True)


def as_words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of a table as text, in which a whole number has no decimal point."""
    if pa.types.is_floating(column.type):
        whole = pc.and_(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), 1e15))
        numbers = pc.cast(pc.if_else(whole, column, 0.0), pa.int64()).cast(pa.string())
        return pc.if_else(whole, numbers, column.cast(pa.string()))
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables one below the other; a column that one lacks is empty there.

    Where one has whole numbers and another fractions, those above 2^53 become the nearest double.
    """
    names = list(dict.fromkeys(name for table in tables for name in table.column_names))
    kinds = {name: kind_of(tables, name) for name in names}
    whole = [
        pa.table(
            {
                name: _cast(table[name], kind)
                if name in table.column_names
                else pa.nulls(len(table), kind)
                for name, kind in kinds.items()
            }
        )
        for table in tables
    ]
    return pa.concat_tables(whole)


def stored_together(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables one below the other, as one segment's.

    A column without any value has no kind yet, as `as_table` has it: as text it would have the
    numbers that other segments hold compared as text.
    """
    whole = joined(tables)
    for place, name in enumerate(whole.column_names):
        if name not in FILE_COLUMNS and whole[name].null_count == len(whole):
            whole = whole.set_column(place, name, pa.nulls(len(whole)))
    return whole


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return as_words(column) if pa.types.is_string(kind) else pc.cast(column, kind, safe=False)


def kind_of(tables: Sequence[pa.Table], name: str) -> pa.DataType:
    """Return what a column holds in all tables: text, where one has words and one numbers."""
    kinds = {table.schema.field(name).type for table in tables if name in table.column_names}
    kinds.discard(pa.null())
    if len(kinds) == 1:
        return kinds.pop()
    if not kinds:
        return pa.string()
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds)
    return pa.float64() if numbers else pa.string()


def _opened(folder: Path, file: StoredFile) -> Any:
    path = folder / file.name
    try:
        if path.suffix == ".arrow":
            return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        return np.load(path, mmap_mode="r")
    except (ValueError, EOFError, OSError, pa.ArrowInvalid) as error:
        raise file.unopened(folder, error) from None


def _foreign(folder: Path, file: StoredFile) -> InputError:
    return InputError(f"{folder / file.name}: is of another gallery; restore the right one")

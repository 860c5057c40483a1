"""Changing a gallery: everything is written first, then named in the manifest, all at once."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from annotations.errors import InputError
from reid.distances import distance_named
from reid.retrieval.exact import Rows
from reid.retrieval.folding import foldable
from reid.retrieval.lock import LOCK, writing
from reid.retrieval.manifest import (
    MANIFEST,
    Manifest,
    StoredIndex,
    StoredSegment,
    is_gallery,
    not_as_written,
)
from reid.retrieval.pieces import PIECES
from reid.retrieval.segment import MOST, Segment, SegmentFiles, stored_together, write_removed

SEGMENTS = "segments"
_LEFT = {LOCK, SEGMENTS, PIECES, f".{MANIFEST}.part"}
"""What a first writer that was stopped may have left."""


class GalleryWriter:
    """The one writer of a gallery; get it from `open_writer`, or from `begin`.

    Whatever ends a change before its end, the gallery is as it was before. What such a change
    has written is removed by the next writer.

    Args:
        folder: the gallery's.
        manifest: its state, or that of a new one.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def begin(cls, folder: Path, manifest: Manifest) -> GalleryWriter:
        """Begin a gallery where there is none, and remove what an earlier beginning left.

        To be called by whoever is `reid.retrieval.lock.writing`.
        """
        writer = cls(folder, manifest)
        writer.clean()
        return writer

    @classmethod
    def resume(cls, folder: Path) -> GalleryWriter:
        """Go on where the last writer of a gallery stopped, and remove what it did not finish.

        To be called by whoever is `reid.retrieval.lock.writing`.
        """
        writer = cls(folder, Manifest.read(folder))
        writer.clean()
        return writer

    def root_number(self, root: Path) -> int:
        """Return the number of a folder that paths start from, which is new where need be."""
        resolved, place = root.resolve(), self.folder.resolve()
        roots = self.manifest.roots
        for number, known in enumerate(roots):
            if (place / known).resolve() == resolved:
                return number
        name = str(resolved)
        if resolved.is_relative_to(place.parent):
            name = Path(os.path.relpath(resolved, place)).as_posix()
        self.manifest = self.manifest.model_copy(update={"roots": (*roots, name)})
        return len(roots)

    def append(
        self,
        vectors: npt.NDArray[np.floating[Any]],
        table: pa.Table,
        thumbnails: Sequence[bytes | None] | None = None,
        instead_of: Rows | None = None,
    ) -> None:
        """Add images, and remove the rows that they replace, in one change.

        Small segments that were added before may be written anew, as one with the images: many
        small additions do not leave a gallery of as many segments. Rows keep their numbers.

        Args:
            vectors: (N, D), as `reid.retrieval.gallery.stored_vectors` gives them.
            table: N rows, as `reid.retrieval.segment.as_table` gives them.
            thumbnails: N JPEG files, or None for none.
            instead_of: rows to remove.

        Raises:
            InputError: embeddings of another dimension.
            OSError: what is written has no place.
        """
        self._require_fit(vectors)
        before = self._without(instead_of)
        folded = self._foldable(before, len(vectors))
        if folded:
            whole = self._folded(folded, vectors, table, thumbnails)
            self._commit([*before[: len(before) - len(folded)], whole], self.manifest.index)
            self.clean()
            return
        added = [
            self._segment(
                [vectors[start : start + MOST]],
                table.slice(start, MOST),
                None if thumbnails is None else thumbnails[start : start + MOST],
            )
            for start in range(0, len(vectors), MOST)
        ]
        self._commit([*before, *added], self.manifest.index)

    def remove(self, rows: Rows) -> None:
        """Remove rows; their place on the disk is free after `compact`."""
        self._commit(self._without(rows), self.manifest.index)

    def compact(self) -> None:
        """Write everything anew, without what was removed, in as few segments as may be.

        Raises:
            InputError: a file of what would be written anew is no longer as it was written;
                nothing is changed then.
        """
        groups: list[list[StoredSegment]] = []
        count = 0
        for stored in self.manifest.segments:
            kept = stored.count - stored.removed_count
            if not kept:
                continue
            if not groups or count + kept > MOST:
                groups.append([])
                count = 0
            groups[-1].append(stored)
            count += kept
        self._require_intact([each for group in groups if _rewritten(group) for each in group])
        written = [self._together(group) for group in groups]
        # Where something was removed, rows have other numbers now than those that an index knows.
        removed = any(stored.removed_count for stored in self.manifest.segments)
        self._commit(written, None if removed else self.manifest.index)
        self.clean()

    def set_index(self, index: StoredIndex | None) -> None:
        """Name another index, or none; the file of one before is removed."""
        self._commit(self.manifest.segments, index)
        self.clean()

    def new_folder(self) -> str:
        """Make a folder for files that are to be named, and return its name."""
        name = f"{SEGMENTS}/{self.manifest.generation + 1:08d}-{uuid.uuid4().hex[:8]}"
        (self.folder / name).mkdir(parents=True)
        return name

    def clean(self) -> None:
        """Remove what no longer belongs to the gallery, or never did."""
        named = {self.folder / file.name for file in self.manifest.files}
        folders = {path.parent for path in named}
        for folder in (self.folder / SEGMENTS).glob("*"):
            if folder not in folders:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            for path in folder.iterdir():
                if path not in named:
                    path.unlink(missing_ok=True)
        for path in self.folder.glob(".*.part*"):  # of a file beside, never renamed into its place
            path.unlink(missing_ok=True)

    def _opened(self, segments: Sequence[StoredSegment]) -> list[Segment]:
        return [Segment.open(self.folder, each, self.manifest) for each in segments]

    def _foldable(self, segments: Sequence[StoredSegment], new: int) -> Sequence[StoredSegment]:
        """Return the newest segments that an addition of ``new`` images takes into its own.

        What is no longer as it was written is left as it is: written anew, it would have a
        checksum that is right.
        """
        folded = segments[len(segments) - foldable([each.count for each in segments], new) :]
        if all(file.intact(self.folder) for each in folded for file in each.files):
            return folded
        return ()

    def _folded(
        self,
        stored: Sequence[StoredSegment],
        vectors: npt.NDArray[np.floating[Any]],
        table: pa.Table,
        thumbnails: Sequence[bytes | None] | None,
    ) -> StoredSegment:
        """Write segments and what is added to them as one, the removed rows included.

        All rows so keep their numbers, by which an index and whoever is adding know them.
        """
        segments = self._opened(stored)
        whole = stored_together([*(each.table for each in segments), table])
        pictures: list[bytes | None] | None = None
        if thumbnails is not None or any(each.thumbnails is not None for each in segments):
            pictures = []
            for each in segments:
                small = each.thumbnails
                pictures += [None] * len(each) if small is None else small["jpeg"].to_pylist()
            pictures += [None] * len(table) if thumbnails is None else thumbnails
        made = self._segment([*(each.vectors for each in segments), vectors], whole, pictures)
        starts = np.cumsum([0, *(len(each) for each in segments)])
        removed = [
            start + each.removed.astype(np.int64)
            for start, each in zip(starts, segments, strict=False)
        ]
        rows = np.concatenate(removed)
        if not len(rows):
            return made
        return write_removed(self.folder, made, rows, self.manifest.generation + 1)

    def _require_intact(self, segments: Sequence[StoredSegment]) -> None:
        """Refuse to write anew what is damaged: its new checksum would say that it is right."""
        files = [file for each in segments for file in each.files]
        if bad := [file.name for file in files if not file.intact(self.folder)]:
            raise not_as_written(self.folder, bad, len(files))

    def _together(self, stored: Sequence[StoredSegment]) -> StoredSegment:
        """Write the kept rows of segments as one; one that nothing was removed from stays."""
        if not _rewritten(stored):
            return stored[0]
        segments = self._opened(stored)
        kept = [np.flatnonzero(each.kept) for each in segments]
        table = stored_together(
            [each.table.take(pa.array(rows)) for each, rows in zip(segments, kept, strict=True)]
        )
        pictures: list[bytes | None] | None = None
        if any(each.thumbnails is not None for each in segments):
            pictures = []
            for each, rows in zip(segments, kept, strict=True):
                small = each.thumbnails
                pictures += (
                    [None] * len(rows)
                    if small is None
                    else small["jpeg"].take(pa.array(rows)).to_pylist()
                )
        vectors = [each.vectors[rows] for each, rows in zip(segments, kept, strict=True)]
        return self._segment(vectors, table, pictures)

    def _segment(
        self,
        vectors: Sequence[npt.NDArray[np.floating[Any]]],
        table: pa.Table,
        thumbnails: Sequence[bytes | None] | None,
    ) -> StoredSegment:
        name = self.new_folder()
        try:
            distance = distance_named(self.manifest.distance)
            return SegmentFiles(self.folder, name).write(vectors, table, distance, thumbnails)
        except BaseException:
            with suppress(OSError):
                shutil.rmtree(self.folder / name)
            raise

    def _without(self, rows: Rows | None) -> list[StoredSegment]:
        """Return the segments as they are without some rows."""
        segments = list(self.manifest.segments)
        if rows is None or not len(rows):
            return segments
        starts = np.cumsum([0, *(each.count for each in segments)])
        which = np.searchsorted(starts, rows, "right") - 1
        for number in np.unique(which):
            stored = segments[number]
            local = rows[which == number] - starts[number]
            if stored.removed is not None:
                before = np.load(self.folder / stored.removed.name)
                local = np.concatenate([before.astype(np.int64), local])
            segments[number] = write_removed(
                self.folder, stored, local, self.manifest.generation + 1
            )
        return segments

    def _commit(self, segments: Sequence[StoredSegment], index: StoredIndex | None) -> None:
        changed = {
            "segments": tuple(segments),
            "generation": self.manifest.generation + 1,
            "index": index,
        }
        after = self.manifest.model_copy(update=changed)
        after.write(self.folder)
        self.manifest = after

    def _require_fit(self, vectors: npt.NDArray[np.floating[Any]]) -> None:
        if vectors.shape[1] != self.manifest.dimension:
            raise InputError(
                f"{self.folder}: holds embeddings of {self.manifest.dimension} dimensions, not "
                f"{vectors.shape[1]}"
            )


def _rewritten(group: Sequence[StoredSegment]) -> bool:
    """Return whether compacting writes segments anew: one that is whole stays."""
    return len(group) > 1 or any(each.removed_count for each in group)


@contextmanager
def open_writer(folder: Path, wait: bool = False) -> Iterator[GalleryWriter]:
    """Become the one writer of a gallery.

    Args:
        folder: the gallery's.
        wait: wait for another writer.

    Raises:
        InputError: there is no such gallery, or another process is writing it.
    """
    if not is_gallery(folder):
        Manifest.read(folder)  # says what it is not
    with writing(folder, wait):
        yield GalleryWriter.resume(folder)


def require_replaceable(out: Path) -> None:
    """Demand that ``out`` is free or holds a gallery, or the beginnings of one.

    Raises:
        InputError: it holds something else.
    """
    free = not out.exists() or is_gallery(out)
    if not free and (out.is_file() or any(path.name not in _LEFT for path in out.iterdir())):
        raise InputError(f"{out}: holds something else than a gallery; choose another folder")

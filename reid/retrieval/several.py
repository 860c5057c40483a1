"""Several galleries, searched as one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from annotations.errors import InputError
from reid.distances import Embeddings, distance_named
from reid.retrieval.about import GalleryAbout
from reid.retrieval.exact import Floats, Mask, Part, Rows, merged, search_exactly
from reid.retrieval.gallery import Gallery
from reid.retrieval.gpus import gpus_of
from reid.retrieval.segment import FILE_COLUMNS, as_words
from reid.retrieval.selection import Condition, select


@dataclass(frozen=True)
class Galleries:
    """Galleries of one model; a row is counted through all of them, in their order.

    Attributes:
        each: the galleries.

    Raises:
        InputError: there is none, one twice, or two that cannot be compared.
    """

    each: tuple[Gallery, ...]

    def __post_init__(self) -> None:
        if not self.each:
            raise InputError("no gallery to search")
        first = self.each[0]
        places = [gallery.path.resolve() for gallery in self.each]
        for place, gallery in enumerate(self.each):
            if places[place] in places[:place]:
                raise InputError(f"{gallery.path}: is given twice")
            if why := gallery.about.differs(first.about):
                raise InputError(
                    f"{gallery.path}: was made with {why}, as {first.path} was: distances to the "
                    "two cannot be compared; search them apart"
                )

    @classmethod
    def open(cls, paths: Sequence[Path], device: str = "auto") -> Galleries:
        """Open galleries.

        Args:
            paths: their folders.
            device: what searches: ``auto`` and ``cuda`` mean all GPUs that there are, ``cuda:1``
                one of them, ``cpu`` none.

        Raises:
            InputError: see `Gallery.open`, or there is no such device.
        """
        gpus = gpus_of(device)
        return cls(tuple(Gallery.open(path, gpus) for path in paths))

    @property
    def about(self) -> GalleryAbout:
        """What made the embeddings."""
        return self.each[0].about

    @property
    def name(self) -> str:
        """Their paths, for people."""
        return ", ".join(str(gallery.path) for gallery in self.each)

    @property
    def apart(self) -> bool:
        """Whether there are several."""
        return len(self.each) > 1

    @property
    def longest(self) -> int:
        """No list is too long."""
        return sys.maxsize

    @cached_property
    def columns(self) -> set[str]:
        """The columns of their tables."""
        segments = [segment for gallery in self.each for segment in gallery.segments]
        there = {name for segment in segments for name in segment.table.column_names}
        return there - set(FILE_COLUMNS)

    def __len__(self) -> int:
        return sum(map(len, self.each))

    def require_model(self, model: str) -> None:
        """See `Gallery.require_model`."""
        self.each[0].require_model(model)

    def prepared(self, query_embeddings: Embeddings) -> Floats:
        """See `Gallery.prepared`."""
        return self.each[0].prepared(query_embeddings)

    def select(self, conditions: Sequence[Condition]) -> Mask | None:
        """See `reid.retrieval.selection.select`."""
        return select(self, conditions)

    @cached_property
    def starts(self) -> Rows:
        """The first row of each gallery, and after the last one how many rows there are."""
        return np.cumsum([0, *(int(gallery.starts[-1]) for gallery in self.each)])

    @cached_property
    def rows(self) -> Rows:
        """The rows that are in the galleries, ascending."""
        pairs = zip(self.starts, self.each, strict=False)
        return np.concatenate([start + gallery.rows for start, gallery in pairs])

    def search(
        self, query_embeddings: Embeddings, top: int, keep: Mask | None = None, exact: bool = True
    ) -> tuple[Floats, Rows]:
        """Find the nearest images in all galleries; see `Gallery.search`."""
        prepared = self.prepared(query_embeddings)
        parts: list[Part] = []
        lists: list[tuple[Floats, Rows]] = []
        for start, stop, gallery in zip(self.starts, self.starts[1:], self.each, strict=False):
            mine = None if keep is None else keep[start:stop]
            nearly = None if exact else gallery.nearly(prepared, top, mine)
            if nearly is not None:
                lists.append((nearly[0], nearly[1] + start))
            else:
                parts += [part._replace(start=part.start + start) for part in gallery.parts(mine)]
        if not lists:
            distance = distance_named(self.about.distance)
            return search_exactly(parts, distance, prepared, top, self.each[0].gpus)
        if any(len(part.vectors) if part.keep is None else part.keep.any() for part in parts):
            distance = distance_named(self.about.distance)
            lists.append(search_exactly(parts, distance, prepared, top, self.each[0].gpus))
        return merged(lists, len(prepared), top)

    def vectors(self, rows: Rows) -> Floats:
        """See `Gallery.vectors`."""
        found = np.empty((len(rows), self.each[0].manifest.dimension), np.float32)
        for gallery, asked, local in self._apart(rows):
            found[asked] = gallery.vectors(local)
        return found

    def table(self, rows: Rows, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """See `Gallery.table`; besides its columns ``gallery``, the path of each row's."""
        pieces = []
        for gallery, asked, local in self._apart(rows):
            frame = gallery.table(local, columns).assign(gallery=str(gallery.path))
            frame.index = pd.Index(asked)
            pieces.append(frame)
        if not pieces:
            return self.each[0].table(rows, columns).assign(gallery="")
        return pd.concat(pieces).sort_index()

    def thumbnails(self, rows: Rows) -> list[bytes | None]:
        """See `Gallery.thumbnails`."""
        found: list[bytes | None] = [None] * len(rows)
        for gallery, asked, local in self._apart(rows):
            for place, picture in zip(asked, gallery.thumbnails(local), strict=True):
                found[place] = picture
        return found

    def words(self, column: str, rows: Rows) -> pd.Series[str]:
        """Return a column of some rows as text, empty where unknown."""
        found = np.full(len(rows), None, object)
        for gallery, asked, local in self._apart(rows):
            found[asked] = gallery.words(column, local)
        return pd.Series(found, dtype="string")

    def sizes(self, column: str, values: Iterable[str], keep: Mask | None = None) -> dict[str, int]:
        """Return how many rows have each value of a column; see `members`."""
        return {value: len(rows) for value, rows in self.members(column, values, keep).items()}

    def members(
        self, column: str, values: Iterable[str], keep: Mask | None = None
    ) -> dict[str, Rows]:
        """Return the rows of each value of a column, as text, that may be found.

        Args:
            column: of an images table.
            values: some of its values; others are no keys.
            keep: which rows may be found; None for all.
        """
        wanted = pa.array(list(dict.fromkeys(values)), pa.string())
        found, rows = [np.empty(0, object)], [np.empty(0, np.int64)]
        for first, gallery in zip(self.starts, self.each, strict=False):
            for start, segment in zip(gallery.starts, gallery.segments, strict=False):
                if column not in segment.table.column_names:
                    continue
                words = as_words(segment.table[column])
                here = pc.fill_null(pc.is_in(words, value_set=wanted), False).to_numpy()
                here &= segment.kept
                place = first + start
                if keep is not None:
                    here &= keep[place : place + len(segment)]
                local = np.flatnonzero(here)
                found.append(words.take(pa.array(local)).to_numpy())
                rows.append(place + local)
        whole = np.concatenate(rows)
        told = pd.Series(np.arange(len(whole))).groupby(np.concatenate(found))
        return {str(value): whole[places] for value, places in told.indices.items()}

    def _apart(self, rows: Rows) -> list[tuple[Gallery, Rows, Rows]]:
        rows = np.asarray(rows, np.int64)
        which = np.searchsorted(self.starts, rows, "right") - 1
        return [
            (self.each[number], asked, rows[asked] - self.starts[number])
            for number in np.unique(which)
            for asked in (np.flatnonzero(which == number),)
        ]

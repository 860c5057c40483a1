"""A gallery: a folder of embedded images that can be searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import torch

from annotations.errors import InputError
from annotations.images import Images
from reid.distances import Distance, Embeddings, IndexedDistance, distance_named
from reid.retrieval.about import GalleryAbout
from reid.retrieval.approximate import find
from reid.retrieval.exact import Floats, Mask, Part, Rows, merged, search_exactly
from reid.retrieval.gpus import Gpus
from reid.retrieval.lock import writing
from reid.retrieval.manifest import Manifest, is_gallery
from reid.retrieval.mapped_index import MappedIndex
from reid.retrieval.searched import prepared_queries
from reid.retrieval.segment import FILE_COLUMNS, ROOT, Segment, as_frame, as_table, as_words, joined
from reid.retrieval.writer import GalleryWriter, require_replaceable

__all__ = ["Gallery", "GalleryAbout"]

TRIES = 5
"""Looks at a gallery of which files were replaced at each."""
_SELECTIVE = 0.1
"""Where fewer than this share of images may be found, an index mostly finds others."""
_CANDIDATES = 0.1
"""Where more than this share of an index's images would be measured, reading all is as fast."""


@dataclass(frozen=True)
class Gallery:
    """An opened gallery, in the state that it was in then; make one with `build` or `open`.

    Embeddings, tables, thumbnails and the index are mapped into memory and read as needed, also
    when their files were removed since. What others write meanwhile is seen by opening it again.

    Attributes:
        path: its folder, which holds ``manifest.json`` and the files that this names.
        manifest: what it consists of.
        gpus: that search it exactly; None for the processor.
        segments: the opened files. A row of the gallery is counted through them, those that were
            removed since included, and keeps its number until the gallery is compacted.
        index: the file of the manifest's index; None where there is none.
    """

    path: Path
    manifest: Manifest
    segments: tuple[Segment, ...]
    gpus: Gpus | None = None
    index: MappedIndex | None = None

    @classmethod
    def build(
        cls,
        embeddings: Embeddings,
        images: Images,
        out: Path,
        about: GalleryAbout,
        *,
        half: bool = True,
        recipe: dict[str, Any] | None = None,
    ) -> Gallery:
        """Write a gallery, which appears whole and replaces an earlier one, and open it.

        Args:
            embeddings: shape (N, D), one row per image.
            images: the N images.
            out: the folder to make.
            about: what made the embeddings.
            half: store them in half precision.
            recipe: what trained the network, to be remembered.

        Raises:
            InputError: embeddings that cannot be compared or do not fit the images, an
                unknown distance, or ``out`` holds something else than a gallery.
        """
        require_replaceable(out)
        made = stored_vectors(embeddings, distance_named(about.distance), half)
        if len(made) != len(images):
            raise InputError(f"{images.source}: {len(images)} images, {len(made)} embeddings")
        with writing(out):
            before = Manifest.read(out).generation if is_gallery(out) else 0
            empty = Manifest(
                **about.model_dump(), dimension=made.shape[1], half=half, generation=before,
                recipe=recipe,
            )  # fmt: skip
            writer = GalleryWriter(out, empty)
            frame = images.frame.assign(**{ROOT: writer.root_number(images.root)})
            writer.append(made, as_table(frame))
            writer.clean()
        return cls.open(out)

    @classmethod
    def open(cls, path: Path, gpus: Gpus | None = None, index: bool = True) -> Gallery:
        """Open a gallery in its last whole state.

        Args:
            path: its folder.
            gpus: that search it; see `reid.retrieval.gpus.gpus_of`.
            index: open its index, too, where it has one; without, it is searched exactly.

        Raises:
            InputError: the folder is not a gallery, or a file in it is missing, damaged,
                of another gallery or cannot be opened.
        """
        for _ in range(TRIES):
            manifest = Manifest.read(path)
            distance_named(manifest.distance)
            try:
                mapped = None
                if index and manifest.index is not None:
                    mapped = MappedIndex.open(path, manifest.index.file)
                segments = [Segment.open(path, stored, manifest) for stored in manifest.segments]
            except InputError:
                # A writer may have replaced files since the manifest was read.
                if Manifest.read(path) == manifest:
                    raise
                continue
            return cls(path, manifest, tuple(segments), gpus, mapped)
        raise changing(path)

    @property
    def about(self) -> GalleryAbout:
        """What made the embeddings."""
        return self.manifest.about

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """The first row of each segment, and after the last one how many rows there are."""
        return np.cumsum([0, *(len(segment) for segment in self.segments)])

    @cached_property
    def kept(self) -> Mask:
        """Which rows are in the gallery, those removed since not."""
        return np.concatenate([np.empty(0, bool), *(segment.kept for segment in self.segments)])

    @cached_property
    def rows(self) -> Rows:
        """The rows that are in the gallery, ascending."""
        return np.flatnonzero(self.kept)

    @cached_property
    def roots(self) -> tuple[Path, ...]:
        """The folders that paths of images start from."""
        return tuple((self.path / root).resolve() for root in self.manifest.roots)

    def __len__(self) -> int:
        return int(self.starts[-1]) - sum(len(segment.removed) for segment in self.segments)

    @property
    def images(self) -> Images:
        """All its images, in one table.

        Raises:
            InputError: it has several roots, under which paths may be the same.
        """
        if len(self.roots) != 1:
            raise InputError(f"{self.path}: has images under {len(self.roots)} folders")
        frame = self.table(self.rows).drop(columns="file")
        return Images(frame, self.roots[0], str(self.path))

    @property
    def embeddings(self) -> Floats:
        """The embeddings of all its images, (N, D)."""
        return self.vectors(self.rows)

    def vectors(self, rows: Rows) -> Floats:
        """Return the embeddings of some rows, (R, D), as they are compared."""
        found = np.empty((len(rows), self.manifest.dimension), np.float32)
        for segment, asked, local in self._apart(rows):
            found[asked] = segment.vectors[local]
        return found

    def table(self, rows: Rows, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return what is known of some rows.

        Args:
            rows: of the gallery, (R,).
            columns: only these of an images table; None for all that any segment has.

        Returns:
            R rows: the columns, empty where unknown, and ``file``, the path of each image.
        """
        pieces, order = [], [np.empty(0, np.int64)]
        for segment, asked, local in self._apart(rows):
            names = [
                name
                for name in segment.table.column_names
                if columns is None or name in columns or name in ("image", ROOT)
            ]
            pieces.append(segment.table.select(names).take(pa.array(local)))
            order.append(asked)
        if not pieces:
            wanted = ["image", *(("identity", "camera") if columns is None else columns), "file"]
            return pd.DataFrame(columns=list(dict.fromkeys(wanted)), dtype="string")
        whole = as_frame(joined(pieces))
        whole.index = pd.Index(np.concatenate(order))
        whole = whole.sort_index()
        roots = pd.Series([str(root) for root in self.roots], dtype="string")
        images = whole["image"].to_numpy()
        below = roots.iloc[whole[ROOT]].to_numpy() + "/" + images
        files = np.where(whole["image"].str.startswith("/").to_numpy(bool), images, below)
        whole = whole.drop(columns=[name for name in FILE_COLUMNS if name in whole])
        for name in ("identity", "camera") if columns is None else columns:
            if name not in whole:
                whole[name] = pd.array([pd.NA] * len(whole), dtype="string")
        return whole.assign(file=pd.array(files, dtype="string"))

    def words(self, column: str, rows: Rows) -> npt.NDArray[np.object_]:
        """Return a column of some rows as text, None where unknown."""
        found = np.full(len(rows), None, object)
        for segment, asked, local in self._apart(rows):
            if column in segment.table.column_names:
                some = segment.table.select([column]).take(pa.array(local))
                found[asked] = as_words(some[column]).to_pylist()
        return found

    def thumbnails(self, rows: Rows) -> list[bytes | None]:
        """Return the thumbnails of some rows, JPEG files; None where there are none."""
        found: list[bytes | None] = [None] * len(rows)
        for segment, asked, local in self._apart(rows):
            if segment.thumbnails is not None:
                pictures = segment.thumbnails["jpeg"].take(pa.array(local)).to_pylist()
                for place, picture in zip(asked, pictures, strict=True):
                    found[place] = picture
        return found

    def require_model(self, model: str) -> None:
        """Refuse queries that were embedded by another model than the gallery.

        Args:
            model: hash of the weights that embed the queries.

        Raises:
            InputError: it is another hash than the gallery's.
        """
        self.about.require_model(model, str(self.path))

    def search(
        self, query_embeddings: Embeddings, top: int, keep: Mask | None = None, exact: bool = True
    ) -> tuple[Floats, Rows]:
        """Find the nearest images of each query.

        Args:
            query_embeddings: shape (Q, D).
            top: how many to find, K; all where it is more than there are.
            keep: which rows may be found, as `reid.retrieval.selection` tells; None for all.
            exact: look at all of them, though there is an index that finds most.

        Returns:
            Distances and rows, both (Q, K), nearest first.

        Raises:
            InputError: embeddings of another dimension or that cannot be compared, ``top``
                below 1, or nothing may be found.
        """
        prepared = self.prepared(query_embeddings)
        found = None if exact else self.nearly(prepared, top, keep)
        if found is None:
            distance = distance_named(self.about.distance)
            found = search_exactly(self.parts(keep), distance, prepared, top, self.gpus)
        return found

    def nearly(
        self, prepared: Floats, top: int, keep: Mask | None = None
    ) -> tuple[Floats, Rows] | None:
        """Find most of the nearest by the index; None where there is none, or exactly is faster.

        What was added since the index was made is searched exactly, and so are queries for which
        its lists hold too few. Arguments and results as of `search`, queries as `prepared`.
        """
        stored = self.manifest.index
        if stored is None or self.index is None or top < 1:
            return None
        if self.gpus is not None and self.gpus.holds(self.parts(keep), top):
            return None
        findable = self.kept if keep is None else self.kept & keep
        if not findable.any() or findable[: stored.rows].mean() < _SELECTIVE:
            return None
        if top * stored.candidates > _CANDIDATES * stored.rows:
            return None
        distance = distance_named(self.about.distance)
        head = None if findable[: stored.rows].all() else findable[: stored.rows]
        how = (stored.probes, stored.candidates, head)
        found = find(self.index.index, self.vectors, distance, prepared, top, *how)
        for later in self._since(stored.rows, keep):
            more = search_exactly(later, distance, prepared, top, self.gpus)
            found = merged([found, more], len(prepared), top)
        count = int(findable.sum())
        distances, rows = found[0][:, :count], found[1][:, :count]
        lacking = (rows < 0).any(1)
        if lacking.any():
            whole = search_exactly(self.parts(keep), distance, prepared[lacking], top, self.gpus)
            distances[lacking], rows[lacking] = whole
        return distances, rows

    def prepared(self, query_embeddings: Embeddings) -> Floats:
        """Return queries (Q, D) as they are compared; errors as `search`."""
        dimension = self.manifest.dimension
        return prepared_queries(query_embeddings, self.about, dimension, str(self.path))

    def parts(self, keep: Mask | None = None) -> list[Part]:
        """Return what `reid.retrieval.exact.search_exactly` searches."""
        parts: list[Part] = []
        for start, segment in zip(self.starts, self.segments, strict=False):
            findable = segment.kept if len(segment.removed) else None
            if keep is not None:
                asked = keep[start : start + len(segment)]
                findable = asked if findable is None else asked & findable
            index = segment.stored_vectors.index
            parts.append(Part(segment.vectors, int(start), findable, index))
        return parts

    def _since(self, row: int, keep: Mask | None) -> Iterator[list[Part]]:
        """Yield what holds the rows from one on, as far as any may be found.

        A segment may have older rows, too, as small ones are written anew as one. What is cut from
        it has no index of its own, and is yielded apart: the others are searched by theirs.
        """
        whole: list[Part] = []
        for part in self.parts(keep):
            cut = row - part.start
            if cut >= len(part.vectors):
                continue
            if cut > 0:
                findable = None if part.keep is None else part.keep[cut:]
                part = Part(part.vectors[cut:], row, findable)
            if part.keep is None or part.keep.any():
                if cut > 0:
                    yield [part]
                else:
                    whole.append(part)
        if whole:
            yield whole

    def _apart(
        self, rows: Rows
    ) -> list[tuple[Segment, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """Return for each segment that has some of the rows: which, and their places in it."""
        rows = np.asarray(rows, np.int64)
        which = np.searchsorted(self.starts, rows, "right") - 1
        return [
            (self.segments[number], asked, rows[asked] - self.starts[number])
            for number in np.unique(which)
            for asked in (np.flatnonzero(which == number),)
        ]


def changing(path: Path) -> InputError:
    """Return the error that a gallery's files were replaced at every one of `TRIES` looks."""
    return InputError(f"{path}: changed at every one of {TRIES} looks at it; try again")


def stored_vectors(
    embeddings: Embeddings, distance: Distance, half: bool
) -> npt.NDArray[np.floating[Any]]:
    """Check embeddings (N, D) and return them as a gallery stores them.

    What an index compares is stored prepared, such as at length one for the cosine; what none
    compares as it is.

    Raises:
        InputError: embeddings that cannot be compared, or too large for half precision.
    """
    checked = distance.prepare(embeddings)
    if not isinstance(distance, IndexedDistance):
        checked = torch.as_tensor(embeddings).detach().float()
    made: npt.NDArray[np.floating[Any]] = checked.cpu().numpy()
    if not half:
        return made
    with np.errstate(over="ignore"):
        short = made.astype(np.float16)
    if not np.isfinite(short).all():
        raise InputError(
            "embeddings have numbers above 65,504, which half precision cannot hold; store them "
            "in single precision"
        )
    return short

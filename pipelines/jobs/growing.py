"""Taking one data set after another into a gallery, a piece at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.progress import Progress, TaskID

from annotations.datasets.folder import OTHERWISE
from annotations.errors import InputError
from annotations.images import Images
from annotations.pixels import INSTEAD
from annotations.spelling import RENAME
from pipelines.jobs.embedders import Embedder, Manner
from pipelines.jobs.unreadable import KEPT, unusable
from reid.distances import distance_named
from reid.embedding import Embedded, NothingReadError
from reid.retrieval.about import GalleryAbout
from reid.retrieval.changes import NAME, REPLACES, SAME, find_changes
from reid.retrieval.gallery import Gallery, stored_vectors
from reid.retrieval.manifest import Manifest, is_gallery
from reid.retrieval.segment import CONTENT, as_table
from reid.retrieval.thumbnails import thumbnail_file
from reid.retrieval.writer import GalleryWriter
from reid.run import Run

_CLOSED = "; what the gallery has of it stays"
_SAID = (RENAME, OTHERWISE, *INSTEAD)
"""How lines end that say what to do, mostly of what no gallery has."""


@dataclass(frozen=True)
class Added:
    """What taking a data set in did.

    Attributes:
        new: images that were not there before.
        replaced: images whose file or row of the table had changed.
        unchanged: images that were there already.
        gone: images that were removed, as their file is no longer there.
        embedded: those that the network computed; images of one content share theirs.
        unreadable: a line for each file that cannot be used, and each folder that cannot be listed.
    """

    new: int
    replaced: int
    unchanged: int
    gone: int
    embedded: int
    unreadable: tuple[str, ...]

    def words(self) -> str:
        """Say it in a line."""
        said = [f"{self.new:,} new"]
        if self.replaced:
            said.append(f"{self.replaced:,} changed")
        if self.unchanged:
            said.append(f"{self.unchanged:,} unchanged")
        if self.gone:
            said.append(f"{self.gone:,} gone")
        if (copies := self.new + self.replaced - self.embedded) > 0:
            said.append(f"{copies:,} of them of a content that was known")
        return ", ".join(said)


class Growing:
    """Takes one data set after another into a gallery, which its process alone writes meanwhile.

    Args:
        folder: the gallery's; it is made with the first embeddings where it is not there.
        run: whose network embeds.
        embedder: computes it.
        manner: in which it does.
        half: store embeddings of a new gallery in half precision.
        thumbnails: keep small pictures; a gallery that has some goes on with them.
        bar: shows how far the work is.
    """

    def __init__(
        self,
        folder: Path,
        run: Run,
        embedder: Embedder,
        manner: Manner,
        half: bool,
        thumbnails: bool,
        bar: Progress,
    ) -> None:
        self._folder = folder
        self._run = run
        self._embedder = embedder
        self._manner = manner
        self._half = half
        self._thumbnails = thumbnails
        self._bar = bar
        self._writer = GalleryWriter.resume(folder) if is_gallery(folder) else None
        if self._writer is not None:
            kept = self._writer.manifest.segments
            self._thumbnails |= any(segment.thumbnails is not None for segment in kept)
        self._rows: dict[bytes, int] = {}
        """Of what was embedded in this run: content to row."""

    def take(self, images: Images, keep_gone: bool, chunk: int) -> Added:
        """Make the gallery hold what a data set does.

        Args:
            images: the data set's.
            keep_gone: leave images in the gallery whose file is no longer there.
            chunk: images that are committed together.

        Returns:
            What was done.
        """
        reading = self._bar.add_task(f"looking at {images.source}", total=len(images))
        opened = None
        root = 0
        if self._writer is not None:
            opened = Gallery.open(self._folder)
            root = self._writer.root_number(images.root)
        changes = find_changes(
            opened, images, root, lambda count: self._bar.advance(reading, count)
        )
        self._bar.remove_task(reading)
        problems = [
            f"{line}{_CLOSED if opened and not line.endswith(_SAID) else ''}"
            for line in images.closed
        ]
        problems += [
            f"{path}: cannot be read{KEPT if path in changes.kept else ''}"
            for path in changes.unreadable
        ]
        frame = changes.frame
        embedded = new = replaced = 0
        bar = self._bar.add_task("embedding", total=len(frame))
        wanted = frame[(frame[SAME] < 0) & ~frame[CONTENT].isin(self._rows.keys())]
        wanted = wanted.drop_duplicates(CONTENT)
        contents = wanted[CONTENT].tolist()
        if contents:
            self._embedder.begin(
                images.where(images.frame["image"].isin(wanted["image"])), contents,
                lambda count: self._bar.advance(bar, count),
            )  # fmt: skip
        for start in range(0, len(frame), chunk):
            some = frame.iloc[start : start + chunk].reset_index(drop=True)
            fine, passes = self._write(images, some, problems, bar)
            embedded += passes
            replaced += int((fine[REPLACES] >= 0).sum())
            new += int((fine[REPLACES] < 0).sum())
        self._bar.remove_task(bar)
        gone = 0
        if self._writer is not None and not keep_gone and len(changes.gone):
            self._writer.remove(changes.gone)
            gone = len(changes.gone)
        self._embedder.end(contents)
        return Added(new, replaced, changes.unchanged, gone, embedded, tuple(problems))

    def _write(
        self,
        images: Images,
        frame: pd.DataFrame,
        problems: list[str],
        bar: TaskID,
    ) -> tuple[pd.DataFrame, int]:
        """Embed a piece of a table, as far as it is new, and commit it."""
        known_rows = frame[CONTENT].map(self._rows).fillna(-1).astype("int64")
        frame = frame.assign(**{SAME: np.where(frame[SAME] < 0, known_rows, frame[SAME])})
        first = ~frame.duplicated(CONTENT).to_numpy() & (frame[SAME] < 0).to_numpy()
        self._bar.advance(bar, int((~first).sum()))
        known: dict[bytes, npt.NDArray[np.floating[Any]]] = {}
        lines: list[str] = []
        if first.any():
            made = self._embed(images, frame[first], lines, bar)
            if made is not None:
                started = self._start(made, images)
                stored = stored_vectors(made.vectors, distance_named(made.distance), started.half)
                contents = frame.set_index("image")[CONTENT].loc[made.images.frame["image"]]
                known = dict(zip(contents, stored, strict=True))
        copied = frame[SAME].to_numpy()
        if (copied >= 0).any():
            again = frame[CONTENT][copied >= 0]
            vectors = Gallery.open(self._folder).vectors(copied[copied >= 0])
            known |= dict(zip(again, vectors, strict=True))
        there = np.array([content in known for content in frame[CONTENT]], dtype=bool)
        problems += unusable(images, frame[~there], lines)
        fine = frame[there].reset_index(drop=True)
        if len(fine):
            assert self._writer is not None
            manifest = self._writer.manifest
            kind: type[np.floating[Any]] = np.float16 if manifest.half else np.float32
            made_of = np.array([known[content] for content in fine[CONTENT]], dtype=kind)
            told = fine.assign(image=fine[NAME]).drop(columns=[REPLACES, SAME, NAME])
            table = as_table(told)
            pictures = None
            if self._thumbnails:
                paths = [images.root / image for image in fine["image"]]
                with ThreadPoolExecutor() as pool:
                    pictures = list(pool.map(thumbnail_file, paths))
            instead = fine[REPLACES].to_numpy()
            start = sum(segment.count for segment in manifest.segments)
            self._writer.append(made_of, table, pictures, instead[instead >= 0])
            self._rows |= dict(zip(fine[CONTENT], range(start, start + len(fine)), strict=True))
        return fine, int((first & there).sum())

    def _embed(
        self, images: Images, frame: pd.DataFrame, problems: list[str], bar: TaskID
    ) -> Embedded | None:
        asked = images.where(images.frame["image"].isin(frame["image"]))
        try:
            made = self._embedder.embed(
                asked, frame[CONTENT].tolist(), lambda count: self._bar.advance(bar, count)
            )
        except NothingReadError as error:
            problems += error.problems
            return None
        problems += made.problems
        return made

    def _start(self, made: Embedded, images: Images) -> Manifest:
        """Return the gallery's manifest, which is begun with the first embeddings."""
        if self._writer is None:
            about = GalleryAbout(
                model=self._run.hash, run=str(self._run.source.resolve()),
                branches=self._manner.branches, distance=made.distance, mirror=made.mirror,
            )  # fmt: skip
            dimension = made.vectors.shape[1]
            new = Manifest(
                **about.model_dump(), dimension=dimension, half=self._half,
                recipe=self._run.recipe.model_dump(mode="json"),
            )  # fmt: skip
            self._writer = GalleryWriter.begin(self._folder, new)
            self._writer.root_number(images.root)
        elif made.distance != self._writer.manifest.distance:
            raise InputError(
                f"{self._folder}: holds embeddings for the distance "
                f"{self._writer.manifest.distance}, where its network is compared by "
                f"{made.distance} now; make the gallery again"
            )
        return self._writer.manifest

"""Adding folders of images to a gallery."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from annotations.boxes import Boxes
from annotations.datasets import detect_dataset, read_images
from annotations.errors import InputError
from annotations.images import Images
from annotations.spelling import RENAME
from engines.choice import AUTO, TORCH
from pipelines.jobs.embedders import RAY, Embedder, Manner, open_embedder
from pipelines.jobs.found import found_at
from pipelines.jobs.unreadable import KEPT, Looked, renew_unreadable, unusable
from pipelines.tables import console, say, written
from reid.distances import distance_named
from reid.embedding import Embedded, NothingReadError
from reid.methods import Branches, check_branches
from reid.retrieval.about import GalleryAbout
from reid.retrieval.changes import NAME, REPLACES, SAME, find_changes
from reid.retrieval.gallery import Gallery, stored_vectors
from reid.retrieval.lock import writing
from reid.retrieval.manifest import Manifest, is_gallery
from reid.retrieval.segment import CONTENT, as_table
from reid.retrieval.thumbnails import thumbnail_file
from reid.retrieval.writer import GalleryWriter, require_replaceable
from reid.run import Run

_CLOSED = "; what the gallery has of it stays"
CHUNK = 8192
"""Images that are committed together: what is done of a long job is not lost when it is stopped."""


@dataclass(frozen=True)
class Added:
    """What `add` did.

    Attributes:
        new: images that were not there before.
        replaced: images whose file or row of the table had changed.
        unchanged: images that were there already.
        gone: images that were removed, as their file is no longer there.
        embedded: passes through the network; images of one content share theirs.
        unreadable: a line for each file that cannot be used, and each folder that cannot be listed.
    """

    new: int
    replaced: int
    unchanged: int
    gone: int
    embedded: int
    unreadable: tuple[str, ...]


def add(
    gallery: Path,
    folders: Sequence[Path],
    run: Path | None,
    *,
    dataset: str | None = None,
    boxes: Path | None = None,
    branches: str | None = None,
    mirror: bool | None = None,
    half: bool = True,
    thumbnails: bool = False,
    keep_gone: bool = False,
    wait: bool = False,
    device: str = "auto",
    engine: str = AUTO,
    ray_address: str | None = None,
    chunk: int = CHUNK,
) -> Gallery:
    """Make a gallery hold what folders do: new, changed and removed files alone are work.

    Args:
        gallery: its folder, which is made where it is not there.
        folders: data sets.
        run: whose network embeds; None for the one that the gallery remembers.
        dataset: the kind of the folders, or None.
        boxes: where parts are, for a network that needs it.
        branches: of the network; None for the gallery's, or ``global``.
        mirror: whether to average with the mirror image; None for the gallery's, or the recipe's.
        half: store embeddings of a new gallery in half precision.
        thumbnails: keep small pictures of the images, for pages without the files.
        keep_gone: leave images in the gallery whose file is no longer there.
        wait: wait for another writer.
        device: ``auto``, ``cpu``, ``cuda``.
        engine: what computes the network in this process, see `engines.choice.NAMES`; ``ray``
            embeds on a Ray cluster, by PyTorch.
        ray_address: HOST:PORT of the cluster's head; None for one that Ray finds or starts here.
        chunk: images that are committed together.

    Raises:
        InputError: something given is wrong, or another process writes the gallery.
    """
    require_replaceable(gallery)
    for folder in folders:
        # Of one image nothing is known; a gallery would forget what the folder's table says of it.
        if detect_dataset(folder) == "image":
            raise InputError(f"{folder}: is an image; give its folder")
    before = Manifest.read(gallery) if is_gallery(gallery) else None
    loaded = _run(gallery, before, run)
    about = before.about if before else None
    asked = check_branches(branches or (about.branches if about else "global"))
    mirrored = mirror if mirror is not None else about.mirror if about else loaded.recipe.mirror
    _require_same(gallery, loaded, asked, mirrored)
    found = found_at(boxes) if boxes else None
    manner = Manner(asked, mirrored, device, TORCH if engine == RAY else engine)
    looked: list[Looked] = []
    with open_embedder(engine, ray_address, gallery, loaded, found, manner) as embedder:
        tables = [_checked(read_images(folder, dataset)) for folder in folders]
        if isinstance(found, Boxes):
            for images in tables:
                found.of(images)  # are of another data set if of none of its images
        try:
            with writing(gallery, wait), _bar() as bar:
                # Another may have begun it meanwhile.
                _require_same(gallery, loaded, asked, mirrored)
                adding = _Adding(gallery, loaded, embedder, manner, half, thumbnails, bar)
                for folder, images in zip(folders, tables, strict=True):
                    done = adding.add(images, keep_gone, chunk)
                    looked.append(Looked(folder, images, done.unreadable))
                    say(_words(images, done))
                if not is_gallery(gallery):
                    raise InputError(f"{tables[0].source}: none of its images could be read")
                listed, others = renew_unreadable(gallery, looked)
        except OSError as error:
            raise InputError(f"{gallery}: {_stopped(error)}") from None
    lines = [line for each in looked for line in each.lines]
    for line in lines[:10]:
        say(line)
    if lines:
        more = f" ({others} more of what was added before)" if others else ""
        written(listed, f"{len(lines)} files and folders that cannot be used{more}:")
    opened = Gallery.open(gallery)
    written(gallery, f"gallery of {len(opened):,} images:")
    return opened


def _require_same(gallery: Path, run: Run, branches: Branches, mirror: bool) -> None:
    """Refuse another network than a gallery was made by, or the same in another manner."""
    if not is_gallery(gallery):
        return
    about = Manifest.read(gallery).about
    given = about.model_copy(update={"model": run.hash, "branches": branches, "mirror": mirror})
    if why := about.differs(given):
        raise InputError(
            f"{gallery}: was made with {why}; add with the same, or make another gallery"
        )


def _checked(images: Images) -> Images:
    """Refuse columns whose names a gallery has for its own."""
    for name in images.frame:
        if str(name).startswith("file"):
            raise InputError(
                f"{images.source}: column '{name}': names that begin with 'file' are the "
                "gallery's; rename it"
            )
    return images


class _Adding:
    """Adds one data set after another."""

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

    def add(self, images: Images, keep_gone: bool, chunk: int) -> Added:
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
            f"{line}{_CLOSED if opened and not line.endswith(RENAME) else ''}"
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
        return fine, int(first.sum())

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
            new = Manifest(**about.model_dump(), dimension=dimension, half=self._half)
            self._writer = GalleryWriter.begin(self._folder, new)
            self._writer.root_number(images.root)
        elif made.distance != self._writer.manifest.distance:
            raise InputError(
                f"{self._folder}: holds embeddings for the distance "
                f"{self._writer.manifest.distance}, where its network is compared by "
                f"{made.distance} now; make the gallery again"
            )
        return self._writer.manifest


def _stopped(error: OSError) -> str:
    """Say what a system's error stopped, and what to do."""
    full = error.errno == errno.ENOSPC
    why = f"{os.strerror(errno.ENOSPC)}; make room" if full else str(error.strerror or error)
    return f"{why}; what was added before is kept, and the same command goes on from there"


def _run(gallery: Path, before: Manifest | None, run: Path | None) -> Run:
    if run is not None:
        return Run.load(run)
    if before is None:
        raise InputError(f"{gallery}: is to be made; say by which network, with --run")
    if not Path(before.run).is_dir():
        raise InputError(f"{gallery}: made by the run {before.run}, which is gone; give --run")
    return Run.load(Path(before.run))


def _words(images: Images, done: Added) -> str:
    said = [f"{done.new:,} new"]
    if done.replaced:
        said.append(f"{done.replaced:,} changed")
    if done.unchanged:
        said.append(f"{done.unchanged:,} unchanged")
    if done.gone:
        said.append(f"{done.gone:,} gone")
    if (copies := done.new + done.replaced - done.embedded) > 0:
        said.append(f"{copies:,} of them of a content that was known")
    return f"{images.source}: {', '.join(said)}"


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True,
    )  # fmt: skip

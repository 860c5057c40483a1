"""What is done to a gallery besides adding to it: looking, checking, removing, merging."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.progress import track

from annotations.errors import InputError
from annotations.times import told_time
from pipelines.tables import say, show, written
from reid.distances import distance_named
from reid.retrieval.approximate import write_index
from reid.retrieval.choice import advice, choose, worth_a_look
from reid.retrieval.gallery import TRIES, Gallery, changing
from reid.retrieval.lock import writing
from reid.retrieval.manifest import (
    Manifest,
    StoredFile,
    StoredIndex,
    is_gallery,
    not_as_written,
)
from reid.retrieval.segment import ROOT
from reid.retrieval.selection import Condition, select
from reid.retrieval.several import Galleries
from reid.retrieval.writer import GalleryWriter, open_writer, require_replaceable


def info(gallery: Path) -> pd.DataFrame:
    """Print what a gallery holds and what made it."""
    opened = Gallery.open(gallery)
    manifest = opened.manifest
    frame = opened.table(opened.rows, ["identity", "camera", "time"])
    size = sum(file.size for file in manifest.files)
    removed = int(opened.starts[-1]) - len(opened)
    times = frame["time"].dropna() if "time" in frame else frame["camera"].iloc[:0]
    facts: dict[str, object] = {
        "images": f"{len(opened):,}",
        "identities known": f"{frame['identity'].nunique():,}",
        "cameras": f"{frame['camera'].nunique():,}",
        "times": f"{told_time(times.min())} to {told_time(times.max())}" if len(times) else "",
        "folders": "\n".join(map(str, opened.roots)),
        "embedding": f"{manifest.dimension} numbers in {'half' if manifest.half else 'single'} "
                     f"precision, compared by the {distance_named(manifest.distance).words}",
        "recipe": _recipe(manifest),
        "network": f"{manifest.run} (model {manifest.model[:12]}, branches {manifest.branches}"
                   f"{', with mirror images' if manifest.mirror else ''})",
        "segments": f"{len(manifest.segments)}",
        "search": _search(manifest),
        "on disk": _bytes(size),
        "removed": f"{removed:,}; 'partreid gallery compact' frees their place" if removed else "0",
    }  # fmt: skip
    table = pd.DataFrame({"of": facts.keys(), "": facts.values()}, dtype="string")
    show(table, str(gallery))
    return table


def _recipe(manifest: Manifest) -> str:
    """Return what trained the network, in a line."""
    if not manifest.recipe:
        return "not remembered, as by galleries of earlier versions"
    recipe = manifest.recipe
    image, backbone = recipe.get("image", {}), recipe.get("backbone", {})
    size = f"{image.get('width')} x {image.get('height')}"
    return f"{recipe.get('method')} on {backbone.get('name')} at {size}; whole in manifest.json"


def _search(manifest: Manifest) -> str:
    """Return how a gallery is searched, and how it could be faster."""
    count = sum(segment.count for segment in manifest.segments)
    index = manifest.index
    said = ["exact"]
    if index is not None:
        said = [f"by an index that finds {index.recall:.3f} of the {index.top} nearest",
                "--exact for all"]  # fmt: skip
        if index.rows < count:
            said.append(f"it knows the first {index.rows:,} of {count:,}, the others are searched "
                        "exactly")  # fmt: skip
    return "; ".join([*said, *filter(None, [advice(manifest)])])


def verify(gallery: Path) -> None:
    """Read every file of a gallery and compare it with what was written.

    A writer may go on meanwhile: what it replaces is no longer the gallery's, and what it puts
    there instead is read in turn.

    Raises:
        InputError: a file is not what was written; all such are named.
    """
    opened = _intact(gallery)
    files = opened.manifest.files
    say(f"{gallery}: {len(files)} files, {len(opened):,} images, all as written")


def _intact(gallery: Path, index: bool = True) -> Gallery:
    """Open a gallery whose files are all as they were written; `InputError` names the others.

    They are read before any is opened: one that cannot be would hide what the others are.

    Args:
        gallery: its folder.
        index: whether that of its index must be so, too.
    """
    fine: set[StoredFile] = set()
    for _ in range(TRIES):
        manifest = Manifest.read(gallery)
        files = manifest.files if index else manifest.without_index.files
        checking = track([file for file in files if file not in fine], "reading", transient=True)
        bad = {file for file in checking if not file.intact(gallery)}
        fine.update(file for file in files if file not in bad)
        if not bad:
            opened = Gallery.open(gallery, index=index)
            if opened.manifest == manifest:
                return opened
            continue  # what a writer has added since is not read yet
        now = Manifest.read(gallery).files
        if named := [file.name for file in now if file in bad]:
            raise not_as_written(gallery, named, len(now))
    raise changing(gallery)


def compact(gallery: Path, wait: bool = False) -> None:
    """Write a gallery anew without what was removed, in as few files as may be.

    An index knows images by their numbers, and goes where these change.

    Raises:
        InputError: what would be written anew is damaged; nothing is changed then.
    """
    with open_writer(gallery, wait) as writer:
        before = writer.manifest
        writer.compact()
        after = writer.manifest
    count = sum(segment.count for segment in after.segments)
    say(
        f"{gallery}: {count:,} images, {len(before.segments)} segments before, "
        f"{len(after.segments)} now"
    )
    if before.index is not None and after.index is None:
        say("its images have new numbers, so its index is gone; 'partreid gallery index' makes "
            "another")  # fmt: skip


def index(gallery: Path, recall: float | None, top: int, wait: bool = False) -> None:
    """Make an index that finds enough of the nearest faster than exact search, or remove it.

    Args:
        gallery: its folder.
        recall: the share of the nearest that is to be found; None to search exactly again.
        top: of so many nearest.
        wait: wait for another writer.

    Raises:
        InputError: the gallery is too small for one, or its distance is none that faiss knows.
    """
    with open_writer(gallery, wait) as writer:
        if recall is None:
            writer.set_index(None)
            say(f"{gallery}: is searched exactly")
            return
        opened = Gallery.open(gallery)
        chosen = choose(opened, recall, top)
        best = worth_a_look(chosen.table)
        show(best, f"{gallery}: recall of the {top} nearest, milliseconds a query")
        say(f"{len(chosen.table)} settings were tried; of those that find as much, the fastest "
            "are shown")  # fmt: skip
        if not chosen.probes:
            writer.set_index(None)
            say(f"{gallery}: nothing that finds {recall:g} is faster than exact search "
                f"({chosen.exact:.1f} ms a query), which stays")  # fmt: skip
            return
        name = writer.new_folder()
        write_index(chosen.index, gallery / name / "index.faiss")
        stored = StoredIndex(
            file=StoredFile.of(gallery, f"{name}/index.faiss"),
            rows=chosen.rows,
            probes=chosen.probes,
            candidates=chosen.candidates,
            top=top,
            recall=chosen.recall,
        )
        writer.set_index(stored)
    found = f"{chosen.recall:.3f} ± {chosen.margin:.3f} of the {top} nearest"
    say(
        f"{gallery}: {chosen.probes} lists and {chosen.candidates * top} candidates find {found}, "
        f"in {chosen.milliseconds:.1f} ms a query where exact search takes {chosen.exact:.1f}"
    )


def remove(gallery: Path, conditions: Sequence[str], folder: Path | None, wait: bool) -> int:
    """Remove from a gallery what fulfils all conditions, or all of a folder; files stay.

    As they do, the next `pipelines.jobs.adding.add` of their folder adds them again.

    Raises:
        InputError: neither is given, or nothing is so.
    """
    if not conditions and folder is None:
        raise InputError("say what to remove: --where camera=c1, or --folder of images")
    with open_writer(gallery, wait) as writer:
        opened = Gallery.open(gallery)
        if not len(opened):
            raise InputError(f"{gallery}: is empty already")
        keep = select(Galleries((opened,)), [Condition.parse(words) for words in conditions])
        rows = opened.rows if keep is None else np.flatnonzero(keep)
        if folder is not None:
            files = opened.table(rows, [])["file"]
            below = np.zeros(len(rows), bool)
            # Images of a linked folder have the path through the link.
            for inside in {str(folder.resolve()), str(folder.absolute())}:
                below |= ((files == inside) | files.str.startswith(f"{inside}/")).to_numpy(bool)
            rows = rows[below]
        if not len(rows):
            raise InputError(f"{gallery}: has no image under {folder}")
        writer.remove(rows)
    say(f"{gallery}: {len(rows):,} images removed, {len(opened) - len(rows):,} left")
    say("their files stay: the next 'partreid gallery add' of their folder takes them in again")
    return len(rows)


def merge(gallery: Path, others: Sequence[Path], wait: bool = False) -> Gallery:
    """Add to a gallery what others hold; an image that several have is taken once.

    Args:
        gallery: its folder; it is made like the first of the others where it is not there.
        others: galleries, which stay as they are.
        wait: wait for another writer.

    Raises:
        InputError: galleries of different networks, distances or precisions, or one that is
            damaged, of which none is merged then.
    """
    sources = [Gallery.open(other, index=False) for other in others]
    require_replaceable(gallery)
    with writing(gallery, wait):
        if is_gallery(gallery):
            writer = GalleryWriter.resume(gallery)
        else:
            empty = {"generation": 0, "segments": (), "roots": (), "index": None}
            writer = GalleryWriter.begin(gallery, sources[0].manifest.model_copy(update=empty))
        # All are looked at before the first is taken: what is refused has changed nothing.
        for source in sources:
            _require_fit(writer, source)
        # Copied, what is damaged would have a checksum that is right.
        for source in [_intact(other, index=False) for other in others]:
            _take(writer, source)
    opened = Gallery.open(gallery)
    written(gallery, f"gallery of {len(opened):,} images:")
    return opened


def _require_fit(writer: GalleryWriter, source: Gallery) -> None:
    """Refuse a gallery that cannot be merged into that of the writer."""
    mine = writer.manifest
    if source.path.resolve() == writer.folder.resolve():
        raise InputError(f"{source.path}: cannot be merged into itself")
    if why := source.about.differs(mine.about):
        raise InputError(
            f"{source.path}: was made with {why}, as {writer.folder} was: the two cannot be one"
        )
    if source.manifest.half != mine.half:
        raise InputError(f"{source.path}: is stored in another precision than {writer.folder}")


def _take(writer: GalleryWriter, source: Gallery) -> None:
    """Append what a gallery has and that of the writer has not."""
    there = set()
    if is_gallery(writer.folder):
        opened = Gallery.open(writer.folder)
        there = set(opened.table(opened.rows, [])["file"])
    numbers = np.array([writer.root_number(root) for root in source.roots], np.int32)
    for start, segment in zip(source.starts, source.segments, strict=False):
        files = source.table(start + np.arange(len(segment)), [])["file"]
        local = np.flatnonzero(segment.kept & ~files.isin(there).to_numpy(bool))
        if not len(local):
            continue
        table = segment.table.take(pa.array(local))
        roots = numbers[table[ROOT].to_numpy()]
        place = table.column_names.index(ROOT)
        table = table.set_column(place, ROOT, pa.array(roots, pa.int32()))
        pictures = None
        if segment.thumbnails is not None:
            pictures = segment.thumbnails["jpeg"].take(pa.array(local)).to_pylist()
        writer.append(segment.vectors[local], table, pictures)


def _bytes(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024  # type: ignore[assignment]
    return f"{size:.4g} GiB"

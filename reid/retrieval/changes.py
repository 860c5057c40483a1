"""What has changed in a folder of images since it was added to a gallery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from annotations.contents import contents_of, is_gone, states_of
from annotations.images import Images
from reid.retrieval.exact import Mask, Rows
from reid.retrieval.gallery import Gallery
from reid.retrieval.segment import (
    CONTENT,
    FILE_COLUMNS,
    ROOT,
    SIZE,
    TIME,
    as_table,
    as_words,
    joined,
)

REPLACES, SAME = "file_replaces", "file_same"
"""Columns: the row that an image takes the place of, and a row of the same content, whose embedding
is the image's; -1 for none."""


@dataclass(frozen=True)
class Changes:
    """What is to be done so that a gallery holds what a folder does.

    Attributes:
        frame: the images to add: their table with `FILE_COLUMNS`, `REPLACES` and `SAME`.
        gone: rows whose file is no longer there; not those that the folder's table merely leaves
            out, which may be another table's.
        unchanged: how many images stay.
        unreadable: files that are listed and cannot be read.
        kept: those of them of which the gallery keeps what it had.
    """

    frame: pd.DataFrame
    gone: Rows
    unchanged: int
    unreadable: list[str]
    kept: frozenset[str]


def find_changes(
    gallery: Gallery | None,
    images: Images,
    root: int,
    advance: Callable[[int], None] | None = None,
) -> Changes:
    """Compare a folder with what a gallery has of it.

    A file of the same size and time is the same. Any other is read, and where its content is in the
    gallery already, under whichever name, it need not be embedded again; nor where its row of the
    table alone has changed.

    Args:
        gallery: the gallery, or None for one that is yet to be.
        images: what the folder holds now.
        root: the number of the folder among the gallery's roots.
        advance: called with how many more files have been read.
    """
    states = states_of(images.paths)
    seen = np.array([state is not None for state in states])
    frame = images.frame[seen].reset_index(drop=True)
    missing = images.frame["image"][~seen].reset_index(drop=True)
    frame[ROOT] = root
    frame[SIZE] = [state.size for state in states if state is not None]
    frame[TIME] = [state.time for state in states if state is not None]
    rows, known = _known(gallery, root)
    place = _places(frame["image"], known)
    frame[REPLACES] = np.where(place >= 0, np.append(rows, -1)[place], -1)
    gone = np.setdiff1d(rows, frame[REPLACES].to_numpy())
    if gallery is not None and len(gone):
        files = gallery.table(gone, [])["file"]
        gone = gone[[is_gone(Path(file)) for file in files]]
    new = place < 0
    touched = ~new
    changed = np.zeros(len(frame), dtype=bool)
    if gallery is not None and touched.any():
        after = as_table(frame[touched])
        before = known.take(pa.array(place[touched]))
        changed[touched] = _differ(before, after, (*FILE_COLUMNS, REPLACES))
        touched[touched] = _differ(before, after, (), (SIZE, TIME))
    if gallery is not None and new.any():
        new[new] = ~_elsewhere(gallery, images.root, root, frame["image"][new])
    asked = new | touched | changed
    unchanged = int((~asked).sum())
    frame = frame[asked].reset_index(drop=True)
    if frame.empty:
        frame[CONTENT] = pd.Series([], dtype="object")
        unreadable, kept = _unreadable(images.root, missing, known, rows, gone)
        return Changes(frame.assign(**{SAME: []}), gone, unchanged, unreadable, kept)
    paths = [images.root / image for image in frame["image"]]
    contents = contents_of(paths, advance)
    readable = np.array([content is not None for content in contents])
    missing = pd.concat([missing, frame["image"][~readable]])
    unreadable, kept = _unreadable(images.root, missing, known, rows, gone)
    frame[CONTENT] = contents
    frame = frame[readable].reset_index(drop=True)
    frame[SAME] = _same_content(gallery, frame[CONTENT].tolist())
    return Changes(frame, gone, unchanged, unreadable, kept)


def _unreadable(
    base: Path, names: pd.Series[str], known: pa.Table, rows: Rows, gone: Rows
) -> tuple[list[str], frozenset[str]]:
    """Return the files of some images, and those of them that stay in the gallery as they were."""
    files = [str(base / name) for name in names]
    place = _places(names, known)
    stays = (place >= 0) & ~np.isin(np.append(rows, -1)[place], gone)
    return files, frozenset(file for file, there in zip(files, stays, strict=True) if there)


def _known(gallery: Gallery | None, root: int) -> tuple[Rows, pa.Table]:
    """Return the rows that a gallery has of a folder, and their part of its table."""
    pieces, rows = [], [np.empty(0, np.int64)]
    if gallery is not None:
        for start, segment in zip(gallery.starts, gallery.segments, strict=False):
            mine = pc.equal(segment.table[ROOT], root).to_numpy() & segment.kept
            local = np.flatnonzero(mine)
            if len(local):
                pieces.append(segment.table.take(pa.array(local)))
                rows.append(start + local)
    return np.concatenate(rows), joined(pieces) if pieces else pa.table({"image": []})


def _elsewhere(gallery: Gallery, base: Path, root: int, images: pd.Series[str]) -> Mask:
    """Return which images of a folder the gallery has by way of another that overlaps with it."""
    base = base.resolve()
    files = str(base) + "/" + images.reset_index(drop=True)
    there = np.zeros(len(images), dtype=bool)
    for number, other in enumerate(gallery.roots):
        if number == root or not (other.is_relative_to(base) or base.is_relative_to(other)):
            continue
        inside = files.str.startswith(f"{other}/").to_numpy(bool)
        names = files[inside].str.slice(len(str(other)) + 1)
        there[inside] |= _places(names, _known(gallery, number)[1]) >= 0
    return there


def _places(names: pd.Series[str], known: pa.Table) -> Rows:
    """Return where each name is among those known, or -1."""
    if not len(known):
        return np.full(len(names), -1)
    given = pa.array(names, pa.string())
    found = pc.index_in(given, value_set=known["image"].combine_chunks())
    places: Rows = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return places


def _differ(
    before: pa.Table, after: pa.Table, without: Sequence[str], only: Sequence[str] = ()
) -> Mask:
    """Return which rows say something else now, in all columns but some, or in some alone."""
    different = np.zeros(len(after), dtype=bool)
    names = only or dict.fromkeys([*before.column_names, *after.column_names])
    for name in names:
        if name in without:
            continue
        sides = [
            as_words(table[name]).combine_chunks()
            if name in table.column_names
            else pa.nulls(len(after), pa.string())
            for table in (before, after)
        ]
        was, now = (pc.fill_null(side, "\0").to_numpy(zero_copy_only=False) for side in sides)
        different |= was != now
    return different


def _same_content(gallery: Gallery | None, contents: list[bytes]) -> Rows:
    """Return for each content a row that has it, or -1."""
    found = np.full(len(contents), -1, np.int64)
    given = pa.array(contents, pa.binary(16))
    if gallery is None:
        return found
    for start, segment in zip(gallery.starts, gallery.segments, strict=False):
        there = segment.table[CONTENT].combine_chunks()
        index = pc.fill_null(pc.index_in(given, value_set=there), -1)
        local = index.to_numpy(zero_copy_only=False).astype(np.int64)
        # Of a removed image, too, the embedding is still there.
        found = np.where(local >= 0, start + local, found)
    return found

"""What has changed in a folder of images since it was added to a gallery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from annotations.contents import contents_of, states_of
from annotations.images import Images
from reid.retrieval.exact import Mask, Rows
from reid.retrieval.gallery import Gallery
from reid.retrieval.segment import CONTENT, ROOT, SIZE, TIME


@dataclass(frozen=True)
class Changes:
    """What is to be done so that a gallery holds what a folder does.

    Attributes:
        frame: the images to add: their table with `FILE_COLUMNS` and ``replaces``, the row that
            each takes the place of, or -1, and ``same``, a row of the same content, whose embedding
            is the image's, or -1.
        gone: rows whose file is no longer there.
        unchanged: how many images stay.
        unreadable: files that are listed and cannot be read.
    """

    frame: pd.DataFrame
    gone: Rows
    unchanged: int
    unreadable: list[str]


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
    missing = [str(images.root / image) for image in images.frame["image"][~seen]]
    frame[ROOT] = root
    frame[SIZE] = [state.size for state in states if state is not None]
    frame[TIME] = [state.time for state in states if state is not None]
    rows, known = _known(gallery, root)
    place = _places(frame["image"], known)
    frame["replaces"] = np.where(place >= 0, np.append(rows, -1)[place], -1)
    gone = np.setdiff1d(rows, frame["replaces"].to_numpy())
    new = place < 0
    touched = ~new
    changed = np.zeros(len(frame), dtype=bool)
    if gallery is not None and touched.any():
        before = gallery.table(rows).iloc[place[touched]].reset_index(drop=True)
        after = frame[touched].reset_index(drop=True)
        changed[touched] = _differ(before, after)
        files = known.take(pa.array(place[touched]))
        same_file = np.ones(int(touched.sum()), dtype=bool)
        for name in (SIZE, TIME):
            same_file &= files[name].to_numpy(zero_copy_only=False) == after[name].to_numpy()
        touched[touched] = ~same_file
    asked = new | touched | changed
    unchanged = int((~asked).sum())
    frame = frame[asked].reset_index(drop=True)
    if frame.empty:
        frame[CONTENT] = pd.Series([], dtype="object")
        return Changes(frame.assign(same=[]), gone, unchanged, missing)
    paths = [images.root / image for image in frame["image"]]
    contents = contents_of(paths, advance)
    readable = np.array([content is not None for content in contents])
    missing += [str(path) for path, fine in zip(paths, readable, strict=True) if not fine]
    frame[CONTENT] = contents
    frame = frame[readable].reset_index(drop=True)
    frame["same"] = _same_content(gallery, frame[CONTENT].tolist())
    return Changes(frame, gone, unchanged, missing)


def _known(gallery: Gallery | None, root: int) -> tuple[Rows, pa.Table]:
    """Return the rows that a gallery has of a folder, and their names and `FILE_COLUMNS`."""
    names = ["image", SIZE, TIME, CONTENT]
    pieces, rows = [], [np.empty(0, np.int64)]
    if gallery is not None:
        for start, segment in zip(gallery.starts, gallery.segments, strict=False):
            mine = pc.equal(segment.table[ROOT], root).to_numpy() & segment.kept
            local = np.flatnonzero(mine)
            pieces.append(segment.table.select(names).take(pa.array(local)))
            rows.append(start + local)
    table = pa.concat_tables(pieces) if pieces else pa.table({name: [] for name in names})
    return np.concatenate(rows), table


def _places(names: pd.Series[str], known: pa.Table) -> Rows:
    """Return where each name is among those known, or -1."""
    if not len(known):
        return np.full(len(names), -1)
    given = pa.array(names, pa.string())
    found = pc.index_in(given, value_set=known["image"].combine_chunks())
    places: Rows = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return places


def _differ(before: pd.DataFrame, after: pd.DataFrame) -> Mask:
    """Return which rows say something else now."""
    different = np.zeros(len(after), dtype=bool)
    columns = [name for name in after if name not in (ROOT, SIZE, TIME, "replaces")]
    dropped = [name for name in before if name not in (*columns, "file")]
    for name in (*columns, *dropped):
        was, now = (
            frame[name] if name in frame else pd.Series(pd.NA, index=frame.index)
            for frame in (before, after)
        )
        equal = (was.isna() & now.isna()) | (was == now).fillna(False).astype(bool)
        different |= ~equal.to_numpy(bool)
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

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
from reid.retrieval.links import Links, start_of
from reid.retrieval.segment import (
    CONTENT,
    FILE_COLUMNS,
    ROOT,
    SIZE,
    TIME,
    as_frame,
    as_table,
    as_words,
    joined,
)

REPLACES, SAME, NAME = "file_replaces", "file_same", "file_name"
"""Columns: the row that an image takes the place of, and a row of the same content, whose embedding
is the image's; -1 for none. And the name that the gallery is to have for ``image``, from `ROOT`."""
_PATH = pa.large_string()
"""Whole paths of tens of millions of images are more than the 2 GiB that a column of text holds."""
_NOTHING = pa.scalar("", _PATH)


@dataclass(frozen=True)
class Changes:
    """What is to be done so that a gallery holds what a folder does.

    Attributes:
        frame: the images to add: their table with `FILE_COLUMNS`, `REPLACES`, `SAME` and `NAME`.
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

    What the gallery has of these files by way of a folder above or below, or of one that a link
    joins to this, is compared, too. Of such an image the other folder's table goes on to say what
    is known: two tables would else undo each other's words at every turn.

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
    known = _known(gallery, images, root)
    rows = known.rows
    place = known.places(frame["image"])
    frame[NAME] = frame["image"]
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
        before = known.table.take(pa.array(place[touched]))
        changed[touched] = _differ(before, after, ("image", NAME, *FILE_COLUMNS, REPLACES))
        changed &= ~known.elsewhere(place)
        touched[touched] = _differ(before, after, (), (SIZE, TIME))
    asked = new | touched | changed
    unchanged = int((~asked).sum())
    frame = known.told(frame[asked].reset_index(drop=True), place[asked])
    if frame.empty:
        frame[CONTENT] = pd.Series([], dtype="object")
        unreadable, kept = _unreadable(images.root, missing, known, gone)
        return Changes(frame.assign(**{SAME: []}), gone, unchanged, unreadable, kept)
    paths = [images.root / image for image in frame["image"]]
    contents = contents_of(paths, advance)
    readable = np.array([content is not None for content in contents])
    missing = pd.concat([missing, frame["image"][~readable]])
    unreadable, kept = _unreadable(images.root, missing, known, gone)
    frame[CONTENT] = contents
    frame = frame[readable].reset_index(drop=True)
    frame[SAME] = _same_content(gallery, frame[CONTENT].tolist())
    return Changes(frame, gone, unchanged, unreadable, kept)


def _unreadable(
    base: Path, names: pd.Series[str], known: _Known, gone: Rows
) -> tuple[list[str], frozenset[str]]:
    """Return the files of some images, and those of them that stay in the gallery as they were."""
    files = [str(base / name) for name in names]
    place = known.places(names)
    stays = (place >= 0) & ~np.isin(np.append(known.rows, -1)[place], gone)
    return files, frozenset(file for file, there in zip(files, stays, strict=True) if there)


@dataclass(frozen=True)
class _Known:
    """What a gallery has of a folder.

    Attributes:
        base: the folder, resolved.
        rows: of the gallery, (K,); first those that are there by way of this very folder.
        own: how many these are; the others are by way of a folder above or below.
        files: where they truly are, (K,).
        links: through which files of the folder are reached.
        table: their part of the gallery's, K rows.
    """

    base: Path
    rows: Rows
    own: int
    files: pa.ChunkedArray
    links: Links
    table: pa.Table

    def places(self, names: pd.Series[str]) -> Rows:
        """Return where each of the folder's images is among those known, or -1."""
        if not len(self.rows):
            return np.full(len(names), -1)
        files = self.links.truly(_files(self.base, pa.array(names, pa.string())))
        found = pc.index_in(files, value_set=self.files.combine_chunks())
        places: Rows = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        return places

    def elsewhere(self, places: Rows) -> Mask:
        """Return at which places is what is there by way of another folder."""
        mask: Mask = places >= self.own
        return mask

    def told(self, frame: pd.DataFrame, places: Rows) -> pd.DataFrame:
        """Return images as the gallery is to have them, with what another folder says of them.

        Args:
            frame: the images.
            places: where each is among those known, or -1.
        """
        others = self.elsewhere(places)
        if not others.any():
            return frame
        theirs = self.table.take(pa.array(places[others]))
        ours = [name for name in frame if name not in (REPLACES, NAME)]
        order = np.arange(len(frame))
        order[others] = len(frame) + np.arange(len(theirs))
        both = joined([as_table(frame[ours]), theirs]).take(pa.array(order))
        whole = as_frame(both.drop_columns([SIZE, TIME, CONTENT]))
        mine = frame[["image", SIZE, TIME, REPLACES]]
        return whole.rename(columns={"image": NAME}).assign(**mine)


def _known(gallery: Gallery | None, images: Images, root: int) -> _Known:
    """Return what a gallery has of the files below a folder, by way of whichever root.

    Args:
        gallery: the gallery, or None for one that is yet to be.
        images: what the folder holds now.
        root: its number among the gallery's roots.
    """
    names = [pa.array(images.frame["image"], pa.string())]
    for segment in () if gallery is None else gallery.segments:
        table = segment.table.select(["image", ROOT])
        names.append(table.filter(pc.field(ROOT) == root)["image"])
    links = Links.of(images.root, names)
    own: list[tuple[Rows, pa.ChunkedArray, pa.Table]] = []
    other: list[tuple[Rows, pa.ChunkedArray, pa.Table]] = []
    if gallery is not None:
        near = {number: place for number, place in enumerate(gallery.roots) if links.near(place)}
        for start, segment in zip(gallery.starts, gallery.segments, strict=False):
            roots = segment.table[ROOT].to_numpy()
            for number in near.keys() & set(pc.unique(segment.table[ROOT]).to_pylist()):
                local = np.flatnonzero((roots == number) & segment.kept)
                seen = _files(near[number], segment.table["image"].take(pa.array(local)))
                files = links.truly(seen)
                if number != root:
                    inside = links.inside(files)
                    local, files = local[inside.to_numpy()], files.filter(inside)
                if len(local):
                    piece = segment.table.take(pa.array(local))
                    (own if number == root else other).append((start + local, files, piece))
    pieces = own + other
    return _Known(
        links.base,
        np.concatenate([np.empty(0, np.int64), *(rows for rows, _, _ in pieces)]),
        sum(len(rows) for rows, _, _ in own),
        pa.chunked_array([each for _, files, _ in pieces for each in files.chunks], _PATH),
        links,
        joined([piece for _, _, piece in pieces]) if pieces else pa.table({"image": []}),
    )


def _files(root: Path, names: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return the paths of images, of which those that begin at the top are such already."""
    names = names.cast(_PATH)
    below = pc.binary_join_element_wise(pa.scalar(start_of(root), _PATH), names, _NOTHING)
    return pc.if_else(pc.starts_with(names, "/"), names, below)


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

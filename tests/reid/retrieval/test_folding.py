"""Galleries of many segments: few are left, and as many as there are can be opened."""

import errno
import os
import resource
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pytest

from annotations.errors import InputError
from pipelines.jobs.keeping import compact, verify
from reid.retrieval import folding
from reid.retrieval.folding import MANY, TOGETHER, foldable
from reid.retrieval.gallery import Gallery
from reid.retrieval.manifest import StoredFile, StoredIndex
from tests.reid.retrieval.conftest import ABOUT, Made, images, vectors


def added(sizes):
    """Return the segments after additions, and how often an image was written."""
    counts, wrote = [], 0
    for size in sizes:
        kept = len(counts) - foldable(counts, size)
        counts = [*counts[:kept], sum(counts[kept:]) + size]
        wrote += counts[-1]
    return counts, wrote / sum(sizes)


@pytest.mark.parametrize("size", [1, 1000, 8192, 9000, 60_000])
def test_many_additions_leave_few_segments_and_are_written_few_times(size):
    counts, times = added([size] * (10**7 // size if size > 1 else 20_000))
    assert len(counts) < 2.5 * sum(counts) / TOGETHER + 5 * MANY
    assert max(counts) <= TOGETHER
    assert times < 4


def test_a_small_addition_leaves_large_segments_alone():
    large = [2**20, TOGETHER, 8192, 300]
    assert foldable(large, 1) == 0
    assert foldable([*large, *[1] * (MANY - 1)], 1) == MANY - 1
    assert foldable([1] * MANY, 2 * TOGETHER) == 0


def many(place, about=ABOUT, **columns):
    """Return a gallery of single images."""
    made = Made(place / "gallery", place / "photos", about)
    told = vectors(40)
    for number, vector in enumerate(told):
        some = {name: [values[number]] for name, values in columns.items()}
        made.append(images(made.root, 1, first=number, **some), vector[None])
    return made, told


def test_rows_of_small_segments_keep_their_numbers(tmp_path):
    time = [None] * 20 + list(range(20))
    made, told = many(tmp_path, empty=[None] * 40, time=time, spot=[1.0, "a"] * 20)
    before = Gallery.open(made.folder)
    assert [len(each) for each in before.segments] == [16, 16, *[1] * 8]
    kinds = [each.table.schema.field("empty").type for each in before.segments]
    assert set(kinds) == {pa.null()}
    made.writer.set_index(_index(made))
    made.writer.remove(np.array([3, 34, 39]))
    for number in range(40, 48):
        pictures = [b"small"] if number == 47 else None
        gone = np.array([35]) if number == 47 else None
        made.append(images(made.root, 1, first=number), vectors(1, number), pictures, gone)
    after = Gallery.open(made.folder)
    assert [len(each) for each in after.segments] == [16, 16, 16]
    assert after.manifest.index == made.writer.manifest.index is not None
    assert after.rows.tolist() == [n for n in range(48) if n not in (3, 34, 35, 39)]
    frame = after.table(after.rows)
    assert frame["image"].tolist() == [f"{row}.jpg" for row in after.rows]
    np.testing.assert_array_equal(after.vectors(np.arange(40)), told)
    assert after.words("time", np.array([19, 20, 39])).tolist() == [None, "0", "19"]
    assert after.words("spot", np.arange(4)).tolist() == ["1", "a", "1", "a"]
    assert after.thumbnails(np.array([46, 47])) == [None, b"small"]
    # What was opened before stays as it was, and nothing else is left of it.
    np.testing.assert_array_equal(before.embeddings, told)
    named = {made.folder / file.name for file in after.manifest.files}
    assert set((made.folder / "segments").rglob("*.*")) == named
    verify(made.folder)


def _index(made):
    name = f"{made.writer.new_folder()}/index.faiss"
    (made.folder / name).write_bytes(b"of rows by their numbers")
    file = StoredFile.of(made.folder, name)
    return StoredIndex(file=file, rows=40, probes=1, candidates=1, top=1, recall=1)


def test_what_is_damaged_is_not_written_anew_as_if_it_were_whole(made):
    for number in range(MANY - 1):
        made.append(images(made.root, 1, first=number), vectors(1, number))
    path = made.folder / made.writer.manifest.segments[2].vectors.name
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    made.append(images(made.root, 1, first=99), vectors(1))
    assert len(Gallery.open(made.folder).segments) == MANY
    with pytest.raises(InputError, match=r"1 of 32 files are not what was written: .*vectors"):
        verify(made.folder)


@pytest.mark.parametrize("distance", ["euclidean", "cpdm:2,2"])
def test_more_segments_than_files_may_be_open(tmp_path, monkeypatch, distance):
    monkeypatch.setattr(folding, "MANY", 1000)
    made, told = many(tmp_path, ABOUT.model_copy(update={"distance": distance}))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = {int(path.name) for path in Path("/proc/self/fd").iterdir()}
    free = [number for number in range(len(taken) + 20) if number not in taken]
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[19] + 1, hard))
    try:
        gallery = Gallery.open(made.folder)
        assert len(gallery.segments) == 40
        np.testing.assert_array_equal(gallery.embeddings, told)
        verify(made.folder)
        compact(made.folder)
        assert len(Gallery.open(made.folder).segments) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES])
def test_what_the_system_refuses_is_not_called_damaged(made, monkeypatch, number):
    made.append(images(made.root, 3), vectors(3))
    words = os.strerror(number)

    def in_faiss(*given):
        raise RuntimeError(f"Error in faiss::f: Error: 'f' failed: could not open it: {words}")

    def in_system(*given, **more):
        raise OSError(number, words)

    for place, name, refuse in (
        (faiss, "read_index", in_faiss), (pa, "memory_map", in_system),
        (type(made.folder), "stat", in_system), (type(made.folder), "read_bytes", in_system),
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(place, name, refuse)
            with pytest.raises(InputError, match=f"cannot be opened: {words}"):
                Gallery.open(made.folder)
    file = made.writer.manifest.segments[0].images
    with monkeypatch.context() as patch:
        patch.setattr(type(made.folder), "open", in_system)
        with pytest.raises(InputError, match=f"images.arrow: cannot be opened: {words}"):
            file.intact(made.folder)

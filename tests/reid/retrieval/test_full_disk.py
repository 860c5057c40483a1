"""Galleries on a disk that is full: a real one, which takes root to mount."""

import errno

import numpy as np
import pytest

from reid.distances import distance_named
from reid.retrieval.approximate import build_index, write_index
from reid.retrieval.gallery import Gallery
from reid.retrieval.writer import GalleryWriter
from tests.reid.retrieval.conftest import ABOUT, Made, images, vectors


def state(folder):
    """Return what a gallery holds, after having compared every byte with its checksum."""
    gallery = Gallery.open(folder)
    assert all(file.intact(folder) for file in gallery.manifest.files)
    names = gallery.table(gallery.rows)["image"].tolist()
    return names, gallery.embeddings, gallery.thumbnails(gallery.rows)


def same(one, other):
    return one[0] == other[0] and np.array_equal(one[1], other[1]) and one[2] == other[2]


@pytest.mark.parametrize("distance", ["euclidean", "cpdm:2,2"])
def test_every_change_happens_or_does_not(small_disk, distance):
    """Changes of every kind while there is less and less room, and then again with more."""
    about = ABOUT.model_copy(update={"distance": distance})
    random = np.random.default_rng(0)
    size = 64
    small_disk.resize(size)
    folder = small_disk.path / "gallery"
    made = Made(folder, small_disk.path / "photos", about)
    changes = []
    count = 0
    for step in range(14):
        some = int(random.integers(20, 200))
        changes.append(("add", some, count))
        count += some
        if step % 3 == 2:
            changes.append(("remove", step, 0))
        if step % 5 == 4:
            changes.append(("compact", 0, 0))

    def do(kind, number, first):
        if kind == "compact":
            made.writer.compact()
        elif kind == "remove":
            made.writer.remove(Gallery.open(folder).rows[number :: number + 3])
        else:
            pictures = [bytes([n % 256]) * 300 for n in range(number)]
            made.append(
                images(made.root, number, first=first), vectors(number, first), pictures,
                Gallery.open(folder).rows[:1] if first else None,
            )  # fmt: skip

    before, full = None, []
    for change in changes:
        while True:
            try:
                do(*change)
                break
            except OSError as error:
                assert error.errno == errno.ENOSPC
                full.append(change[0])
                if before is not None:
                    assert same(state(folder), before)
                size += 8
                small_disk.resize(size)
                if before is not None:
                    made.writer = GalleryWriter.resume(folder)
        before = state(folder)
    assert full.count("add") > 5 and "compact" in full
    # The same changes where there is room all along.
    made = Made(small_disk.path.parent / "gallery", small_disk.path / "photos", about)
    folder = made.folder
    for change in changes:
        do(*change)
    assert same(state(folder), before)


def test_the_last_byte_of_the_disk(small_disk):
    """A small gallery on disks of every size, of which the smallest hold nothing.

    What an attempt leaves is removed by the next, or there would not be room enough at last.
    """
    outcomes = []
    for size in range(4, 64, 4):
        small_disk.resize(size)
        made = Made(small_disk.path / "gallery", small_disk.path / "photos")
        made.writer = GalleryWriter.begin(made.folder, made.writer.manifest)
        try:
            made.append(images(made.root, 100), vectors(100), [b"x" * 99] * 100)
        except OSError as error:
            assert error.errno == errno.ENOSPC
            outcomes.append(False)
        else:
            assert len(state(made.folder)[0]) == 100
            outcomes.append(True)
            break
    assert outcomes[0] is False and outcomes[-1] is True


def test_an_index_that_finds_no_room(small_disk):
    small_disk.resize(64)
    distance = distance_named("cosine")
    drawn = vectors(4000, width=32)
    index = build_index(iter([(np.arange(4000), drawn)]), drawn, 4000, distance)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_index(index, small_disk.path / "index.faiss")
    assert caught.value.errno == errno.ENOSPC

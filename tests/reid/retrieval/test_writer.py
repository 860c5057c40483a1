import os
import signal
import time
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.errors import InputError
from reid.retrieval.gallery import Gallery
from reid.retrieval.lock import LOCK, writing
from reid.retrieval.manifest import MANIFEST, Manifest
from reid.retrieval.writer import GalleryWriter, open_writer, require_replaceable
from tests.reid.retrieval.conftest import Made, images, vectors
from tests.reid.retrieval.endless import write_on


def names(gallery):
    return gallery.table(gallery.rows)["image"].tolist()


def test_segments_are_one_gallery(made, tmp_path):
    first, second = vectors(5), vectors(4, seed=1)
    made.append(images(made.root, 5, camera=list("aabbc")), first)
    made.append(images(tmp_path / "more", 4, first=5), second, instead_of=np.array([1, 3]))
    gallery = Gallery.open(made.folder)
    assert len(gallery) == 7 and gallery.rows.tolist() == [0, 2, 4, 5, 6, 7, 8]
    assert names(gallery) == [f"{n}.jpg" for n in (0, 2, 4, 5, 6, 7, 8)]
    np.testing.assert_array_equal(gallery.embeddings, np.vstack([first, second])[gallery.rows])
    whole = gallery.table(np.array([8, 0]))
    assert whole["file"].tolist() == [
        str(tmp_path / "more" / "8.jpg"), str(made.root / "0.jpg")
    ]  # fmt: skip
    assert whole["camera"].tolist() == [pd.NA, "a"]
    distances, rows = gallery.search(first[1:2], 9)
    assert rows.shape == (1, 7) and 1 not in rows and 3 not in rows
    assert (np.diff(distances[0]) >= 0).all()
    keep = np.zeros(9, bool)
    keep[[1, 4, 7]] = True
    assert sorted(gallery.search(first[:1], 9, keep)[1][0]) == [4, 7]
    with pytest.raises(InputError, match="no image of the gallery is left"):
        gallery.search(first[:1], 9, np.zeros(9, bool))


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 4)),
        st.tuples(st.just("remove"), st.integers(0, 30)),
        st.tuples(st.just("replace"), st.integers(0, 30)),
        st.tuples(st.just("compact"), st.just(0)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS)
def test_a_gallery_is_what_was_done_to_it(tmp_path_factory, steps):
    """Against a dictionary from names to embeddings."""
    place = tmp_path_factory.mktemp("g")
    made = Made(place / "gallery", place)
    truth = {}
    count = 0
    for step, number in [("add", 1), *steps]:
        gallery = Gallery.open(made.folder) if (made.folder / MANIFEST).exists() else None
        rows = gallery.rows if gallery else np.empty(0, int)
        some = vectors(number if step == "add" else 1, seed=count)
        if step == "add":
            made.append(images(place, number, first=count), some)
        elif step == "compact":
            made.writer.compact()
        elif step == "reopen":
            made.writer = GalleryWriter.resume(made.folder)
        elif len(rows):
            row = rows[number % len(rows)]
            truth.pop(gallery.table(np.array([row]))["image"].iloc[0])
            if step == "remove":
                made.writer.remove(np.array([row]))
            else:
                made.append(images(place, 1, first=count), some, instead_of=np.array([row]))
        if step == "add" or (step == "replace" and len(rows)):
            truth |= {f"{count + n}.jpg": vector for n, vector in enumerate(some)}
            count += len(some)
        gallery = Gallery.open(made.folder)
        found = dict(zip(names(gallery), gallery.embeddings, strict=True))
        assert found.keys() == truth.keys() and len(gallery) == len(truth)
        for name, vector in truth.items():
            np.testing.assert_array_equal(found[name], vector)
        if truth:
            distances, _ = gallery.search(vectors(1, seed=9), 3)
            apart = np.linalg.norm(np.stack(list(truth.values())) - vectors(1, seed=9), axis=1)
            np.testing.assert_allclose(distances[0], np.sort(apart)[:3], rtol=1e-4)
    named = {file.name for segment in Manifest.read(made.folder).segments for file in segment.files}
    (made.folder / ".unreadable.0123abcd.part.csv").touch()
    GalleryWriter.resume(made.folder)
    there = {str(path.relative_to(made.folder)) for path in made.folder.rglob("*.*")
             if path.is_file()}  # fmt: skip
    assert there - {MANIFEST} == named


def test_compacting_keeps_thumbnails_and_whole_segments(made, monkeypatch):
    monkeypatch.setattr("reid.retrieval.writer.MOST", 4)
    made.append(images(made.root, 6), vectors(6), [b"%d" % n for n in range(6)])
    made.append(images(made.root, 1, first=6), vectors(1))
    before = Gallery.open(made.folder)
    assert [len(segment) for segment in before.segments] == [4, 2, 1]
    made.writer.remove(np.array([5]))
    made.writer.compact()
    after = Gallery.open(made.folder)
    assert [len(segment) for segment in after.segments] == [4, 2]
    assert after.segments[0].stored == before.segments[0].stored
    pictures = [b"0", b"1", b"2", b"3", b"4", None]
    assert after.thumbnails(after.rows) == pictures
    # What is open stays as it was when it was opened.
    assert len(before) == 7 and before.embeddings.shape == (7, 6)
    made.writer.remove(after.rows)
    made.writer.compact()
    empty = Gallery.open(made.folder)
    assert len(empty) == 0 and empty.segments == () and empty.table(empty.rows).empty
    with pytest.raises(InputError, match="no image of the gallery is left"):
        empty.search(vectors(1), 1)


def test_a_reader_that_comes_between_looks_again(made, monkeypatch):
    made.append(images(made.root, 3), vectors(3))
    read = Manifest.read.__func__
    stale = Manifest.read(made.folder)
    made.writer.remove(np.array([0]))
    made.writer.compact()
    answers = [stale]
    monkeypatch.setattr(
        Manifest, "read",
        classmethod(lambda cls, folder: answers.pop() if answers else read(cls, folder)),
    )  # fmt: skip
    assert len(Gallery.open(made.folder)) == 2


def test_the_second_writer_is_refused_or_waits(made):
    made.append(images(made.root, 3), vectors(3))
    refused = pytest.raises(InputError, match=f"process {os.getpid()} on .* is writing it")
    with writing(made.folder), refused, open_writer(made.folder):
        pass
    with open_writer(made.folder, wait=True) as writer:
        assert writer.manifest.generation == 1


def test_what_is_no_gallery_is_not_written_over(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="holds something else than a gallery"):
        require_replaceable(tmp_path / "mine")
    refused = pytest.raises(InputError, match=r"not a gallery \(no manifest.json\)")
    with refused, open_writer(tmp_path / "mine"):
        pass
    # What a first writer left that was stopped before its first change is free to take.
    (tmp_path / "begun" / "segments" / "1").mkdir(parents=True)
    (tmp_path / "begun" / LOCK).touch()
    require_replaceable(tmp_path / "begun")
    require_replaceable(tmp_path / "new")


def whole(folder):
    """Check that a gallery has what was added, each time all of it, and return how much."""
    gallery = Gallery.open(folder)
    assert len(gallery) % 400 == 0 and len(gallery) == int(gallery.starts[-1])
    assert names(gallery) == [f"{n}.jpg" for n in range(len(gallery))]
    np.testing.assert_array_equal(gallery.embeddings[:, 0], np.arange(len(gallery)))
    assert all(file.intact(folder) for each in gallery.manifest.segments for file in each.files)
    return len(gallery)


# Writers are forked from a process that has imported all that they need: a kill hits work.
_FORKING = get_context("forkserver")
_FORKING.set_forkserver_preload(["tests.reid.retrieval.endless"])


def killed_while_writing(folder, times):
    random = np.random.default_rng(0)
    counts = [0]
    pace = 0.02
    for _ in range(times):
        told, tell = _FORKING.Pipe(duplex=False)
        process = _FORKING.Process(target=write_on, args=(folder, tell))
        process.start()
        tell.close()
        told.recv()
        for _ in range(random.integers(0, 3)):
            pace = told.recv()  # seconds: a busy machine is slow
        time.sleep(random.uniform(0, 1.2 * pace))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        told.close()
        if (folder / MANIFEST).is_file():
            counts.append(whole(folder))
    assert counts == sorted(counts) and counts[-1] > 0
    return counts


def test_a_killed_writer_leaves_the_gallery_as_it_was_before_or_after(tmp_path):
    killed_while_writing(tmp_path / "gallery", 3)


@pytest.mark.slow
def test_fifty_killed_writers(tmp_path):
    counts = killed_while_writing(tmp_path / "gallery", 60)
    assert len(set(counts)) > 20

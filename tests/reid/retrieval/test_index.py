import gc
import shutil
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pandas as pd
import pytest

from annotations.errors import InputError
from pipelines.jobs.keeping import compact, index, info, verify
from reid.distances import distance_named
from reid.retrieval import approximate, folding
from reid.retrieval import gallery as gallery_module
from reid.retrieval.approximate import recall, write_index
from reid.retrieval.choice import choose, worth_a_look
from reid.retrieval.gallery import Gallery
from reid.retrieval.manifest import Manifest, StoredFile, StoredIndex
from reid.retrieval.segment import ROOT, as_table
from reid.retrieval.writer import GalleryWriter, open_writer
from tests.reid.retrieval.conftest import ABOUT, images

COUNT, WIDTH = 6000, 32
LATER = 4100
"""As many as fold with the first, where two of a size do."""


def grouped(count, seed=0):
    """Embeddings of groups of ten."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((count // 10, WIDTH))
    noise = random.standard_normal((count, WIDTH))
    return (centres[np.arange(count) % len(centres)] + 0.3 * noise).astype(np.float32)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A gallery with an index of its first 6,000 images, some removed, some added since."""
    folder = tmp_path_factory.mktemp("indexed")
    writer = GalleryWriter(folder, Manifest(**ABOUT.model_dump(), dimension=WIDTH, half=False))
    made = grouped(COUNT)
    for start in (0, COUNT):
        table = images(folder, COUNT if start == 0 else 500, first=start)
        vectors = made if start == 0 else grouped(500, seed=1)
        frame = table.frame.assign(**{ROOT: writer.root_number(folder)})
        writer.append(vectors, as_table(frame))
        if start == 0:
            chosen = choose(Gallery.open(folder), 0.9)
            # Small galleries are faster exactly; what is tested is the index.
            name = writer.new_folder()
            write_index(chosen.index, folder / name / "index.faiss")
            file = StoredFile.of(folder, f"{name}/index.faiss")
            writer.set_index(
                StoredIndex(file=file, rows=COUNT, probes=32, candidates=8, top=10, recall=0.9)
            )
    writer.remove(np.arange(0, 50))
    return folder


def test_most_of_the_nearest_are_found_with_exact_distances(place):
    gallery = Gallery.open(place)
    some = [*range(80), *range(-20, 0)]
    queries = gallery.embeddings[some] + 0.2 * grouped(100, seed=2)
    distances, rows = gallery.search(queries, 10, exact=False)
    exact, truth = gallery.search(queries, 10)
    assert recall(rows, truth).mean() > 0.9
    assert rows.min() >= 50 and (rows >= COUNT).any()
    apart = np.linalg.norm(
        queries[:, None] - gallery.vectors(rows.ravel()).reshape(100, 10, -1), axis=2
    )
    np.testing.assert_allclose(distances, apart, rtol=1e-4)
    assert (np.diff(distances) >= 0).all() and (distances[:, 0] >= exact[:, 0] - 1e-4).all()


def test_conditions_hold_and_few_images_are_searched_exactly(place, monkeypatch):
    gallery = Gallery.open(place)
    queries = grouped(20, seed=3)
    keep = np.zeros(int(gallery.starts[-1]), bool)
    keep[::2] = True
    _, rows = gallery.search(queries, 10, keep, exact=False)
    assert (rows % 2 == 0).all()
    few = np.zeros(len(keep), bool)
    few[[60, 70, COUNT + 1]] = True
    assert gallery.nearly(gallery.prepared(queries), 10, few) is None
    assert sorted(gallery.search(queries, 10, few, exact=False)[1][0]) == [60, 70, COUNT + 1]
    # Where most images would be measured anyway, all are.
    assert gallery.nearly(gallery.prepared(queries), 4000) is None
    # All that there are, though the lists that are looked at hold fewer.
    monkeypatch.setattr(gallery_module, "_CANDIDATES", 10)
    wide = gallery.search(queries[:2], 4000, exact=False)
    assert wide[1].shape == (2, 4000) and (wide[1] >= 0).all()


def test_what_is_held_at_once_has_a_bound(place, monkeypatch):
    gallery = Gallery.open(place)
    queries = grouped(30, seed=4)
    measured = []

    def counted(rows):
        measured.append(len(rows))
        return gallery.vectors(rows)

    def find():
        how = (gallery.manifest.index.probes, gallery.manifest.index.candidates)
        distance, kept = distance_named("euclidean"), gallery.kept[:COUNT]
        return approximate.find(gallery.index.index, counted, distance, queries, 10, *how, kept)

    whole = find()
    assert max(measured) > 2 * 80
    measured.clear()
    monkeypatch.setattr(approximate, "_LISTED", 7 * 80)
    monkeypatch.setattr(approximate, "_NUMBERS", 2 * 80 * WIDTH)
    found = find()
    assert max(measured) <= 2 * 80
    # Of few queries faiss sums codes up in another way, so a candidate or two may be another.
    assert recall(found[1], whole[1]).mean() > 0.95
    assert (np.diff(found[0]) >= 0).all()


def test_compacting_lets_go_of_the_index_where_images_have_new_numbers(place, tmp_path, capsys):
    copy = shutil.copytree(place, tmp_path / "copy")
    verify(copy)
    compact(copy)
    assert "its index is gone; 'partreid gallery index' makes another" in capsys.readouterr().out
    gallery = Gallery.open(copy)
    assert gallery.manifest.index is None and not list(copy.rglob("index.faiss"))
    index(copy, None, 10)
    with pytest.raises(InputError, match=r"recall: 1\.5 is no share"):
        index(copy, 1.5, 10)


def _indexed(place, monkeypatch, fold):
    """A gallery with an index of its first 6,000 images, and some added since."""
    monkeypatch.setattr(folding, "MANY", 2 if fold else 16)
    writer = GalleryWriter(place, Manifest(**ABOUT.model_dump(), dimension=WIDTH, half=False))
    for start, made in ((0, grouped(COUNT)), (COUNT, grouped(LATER, seed=1))):
        table = images(place, len(made), first=start)
        frame = table.frame.assign(**{ROOT: writer.root_number(place)})
        writer.append(made, as_table(frame))
        if not start:
            name = writer.new_folder()
            write_index(choose(Gallery.open(place), 0.9).index, place / name / "index.faiss")
            file = StoredFile.of(place, f"{name}/index.faiss")
            known = {"rows": COUNT, "probes": 32, "candidates": 8, "top": 10, "recall": 0.9}
            writer.set_index(StoredIndex(file=file, **known))
    return place


def test_compacting_keeps_the_index_where_nothing_was_removed(tmp_path, monkeypatch, capsys):
    folder = _indexed(tmp_path, monkeypatch, fold=False)
    queries = grouped(20, seed=3)
    truth = Gallery.open(folder).search(queries, 10, exact=False)
    compact(folder)
    assert "its index is gone" not in capsys.readouterr().out
    info(folder)
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert f"knows the first {COUNT:,} of {COUNT + LATER:,}" in said
    gallery = Gallery.open(folder)
    assert len(gallery.segments) == 1
    for one, other in zip(gallery.search(queries, 10, exact=False), truth, strict=True):
        np.testing.assert_array_equal(one, other)
    verify(folder)


@pytest.mark.parametrize("queries", [4, 40])
def test_what_was_written_anew_with_images_of_the_index_is_found(tmp_path, monkeypatch, queries):
    """Of a segment that the index knows in part, the rest is searched exactly, as before."""
    folder = _indexed(tmp_path, monkeypatch, fold=True)
    with open_writer(folder) as writer:
        writer.append(
            grouped(100, seed=4),
            as_table(images(folder, 100, first=COUNT + LATER).frame.assign(**{ROOT: 0})),
        )
        writer.remove(np.array([COUNT + 7]))
    gallery = Gallery.open(folder)
    assert [len(each) for each in gallery.segments] == [COUNT + LATER, 100]
    half = np.arange(queries // 2)
    asked = np.concatenate([COUNT + half, COUNT + LATER + half])
    rows = gallery.search(gallery.vectors(asked), 1, exact=False)[1]
    gone = asked == COUNT + 7
    np.testing.assert_array_equal(rows[~gone, 0], asked[~gone])
    assert (rows != COUNT + 7).all()
    keep = np.arange(COUNT + LATER + 100) != COUNT + 3
    _, rows = gallery.search(gallery.vectors(np.array([COUNT + 3])), 5, keep, exact=False)
    assert COUNT + 3 not in rows and (rows >= 0).all()


def test_what_was_opened_is_searched_by_its_index_whatever_another_does(place, tmp_path):
    queries = grouped(20, seed=3)
    for change in ("compact", "index"):
        copy = shutil.copytree(place, tmp_path / change)
        truth = Gallery.open(copy).search(queries, 10, exact=False)
        opened = Gallery.open(copy)
        with open_writer(copy) as writer:
            if change == "compact":
                writer.remove(np.array([5]))
                writer.compact()
            else:
                writer.set_index(None)
        assert not list(copy.rglob("index.faiss"))
        distances, rows = opened.search(queries, 10, exact=False)
        np.testing.assert_array_equal(rows, truth[1])
        np.testing.assert_array_equal(distances, truth[0])


def test_the_states_of_a_gallery_share_its_index(place, tmp_path, monkeypatch):
    copy = shutil.copytree(place, tmp_path / "copy")
    queries = grouped(20, seed=3)
    reads = []
    read = faiss.read_index

    def counted(*given):
        reads.append(given)
        return read(*given)

    states = [Gallery.open(copy)]
    for number in range(3):
        with open_writer(copy) as writer:
            table = images(copy, 10, first=7000 + 10 * number)
            frame = table.frame.assign(**{ROOT: writer.root_number(copy)})
            writer.append(grouped(10, seed=9 + number), as_table(frame))
        states.append(Gallery.open(copy))
    monkeypatch.setattr(faiss, "read_index", counted)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda state: state.search(queries, 10, exact=False), 2 * states))
    assert len(reads) == 1 and len({id(state.index) for state in states}) == 1
    # Another gallery's is another; what nobody has open is not held.
    assert Gallery.open(place).index is not states[0].index
    held = weakref.ref(states[0].index)
    del states
    gc.collect()
    assert held() is None


def test_what_a_writer_replaces_meanwhile_is_not_called_bad(place, tmp_path, monkeypatch, capsys):
    copy = shutil.copytree(place, tmp_path / "copy")
    intact = StoredFile.intact
    read = []

    def meanwhile(file, folder):
        read.append(file.name)
        if len(read) == 2:
            with open_writer(folder) as writer:
                writer.compact()
        return intact(file, folder)

    monkeypatch.setattr(StoredFile, "intact", meanwhile)
    verify(copy)
    now = [file.name for file in Manifest.read(copy).files]
    assert set(now) < set(read)
    said = " ".join(capsys.readouterr().out.split())
    assert f"{len(now)} files, 6,450 images, all as written" in said
    # What is bad and still there is named.
    path = next(copy.rglob("vectors.faiss"))
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"1 of \d+ files are not what was written: .*vectors"):
        verify(copy)


def test_a_damaged_index_is_named(place, tmp_path):
    copy = shutil.copytree(place, tmp_path / "copy")
    path = next(copy.rglob("index.faiss"))
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(InputError, match=r"index.faiss: damaged; run 'partreid gallery index'"):
        Gallery.open(copy).search(grouped(20), 3, exact=False)
    path.unlink()
    with pytest.raises(InputError, match=r"index.faiss: missing"):
        Gallery.open(copy)


def test_what_needs_no_index(tmp_path):
    small = Gallery.build(grouped(100), images(tmp_path, 100), tmp_path / "small", ABOUT)
    with pytest.raises(InputError, match="100 images are searched exactly in no time"):
        choose(small, 0.9)
    about = ABOUT.model_copy(update={"distance": "shared:30,1"})
    shown = np.hstack([np.abs(grouped(20))[:, :31], np.ones((20, 2), np.float32)])
    viewed = Gallery.build(shown.astype(np.float32), images(tmp_path, 20), tmp_path / "v", about)
    with pytest.raises(InputError, match="which no index knows"):
        choose(viewed, 0.9)


def test_lists_as_long_as_the_gallery_are_refused(tmp_path):
    gallery = Gallery.build(grouped(2000), images(tmp_path, 2000), tmp_path / "gallery", ABOUT)
    with pytest.raises(InputError, match=r"top: 5,000 others .* 2,000 images; give at most 1,999"):
        choose(gallery, 0.9, top=5000)
    with pytest.raises(InputError, match="give at most 1,999"):
        choose(gallery, 0.9, top=2000)


def test_the_share_found_of_long_lists_takes_little_memory():
    random = np.random.default_rng(0)
    found, truth = (random.permuted(np.tile(np.arange(9000), (20, 1)), axis=1)[:, :3000]
                    for _ in range(2))  # fmt: skip
    found[0, 100:] = -1  # an index found fewer
    tracemalloc.start()
    shares = recall(found, truth)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    expected = [len(set(some) & set(true)) / 3000 for some, true in zip(found, truth, strict=True)]
    np.testing.assert_allclose(shares, expected, rtol=1e-6)
    assert most < 3000 * 3000


def test_the_choice_is_measured(place):
    chosen = choose(Gallery.open(place), 0.8)
    first = chosen.table.iloc[0]
    assert first["search"] == "exact" and pd.isna(first["probes"]) and pd.isna(first["candidates"])
    assert first["recall"] == 1 and len(chosen.table) > 2
    assert set(chosen.table["search"].iloc[1:]) == {"index"}
    best = chosen.table.groupby("probes")["recall"].max()
    assert best.iloc[-1] >= best.iloc[0]
    assert bool(chosen.probes) == (chosen.milliseconds < chosen.exact)
    assert not chosen.probes or chosen.recall >= 0.8


def test_settings_that_others_beat_are_not_shown():
    tried = pd.DataFrame(
        {"search": ["exact", *["index"] * 5], "probes": [pd.NA, 1, 1, 2, 2, 4],
         "recall": [1.0, 0.5, 0.6, 0.6, 0.9, 1.0], "milliseconds": [9.0, 1.0, 2.0, 3.0, 2.5, 9.0]}
    )  # fmt: skip
    best = worth_a_look(tried)
    assert best["recall"].tolist() == [0.5, 0.6, 0.9, 1.0]
    assert best["milliseconds"].tolist() == [1.0, 2.0, 2.5, 9.0]
    assert best["search"].iloc[-1] == "exact"

"""Keeping galleries whose files are damaged, linked or still there, without a network."""

import numpy as np
import pytest
from typer.testing import CliRunner

from annotations.errors import InputError
from pipelines.cli.gallery import app
from pipelines.jobs.keeping import compact, merge, remove, verify
from reid.retrieval.gallery import Gallery
from reid.retrieval.manifest import Manifest, StoredFile, StoredIndex, is_gallery
from reid.retrieval.writer import GalleryWriter
from tests.reid.retrieval.conftest import Made, images, vectors


@pytest.fixture
def two(tmp_path):
    """A gallery of two segments, of whose first one image was removed."""
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    made.append(images(made.root, 20), vectors(20))
    made.append(images(made.root, 4, first=20), vectors(4, seed=1))
    made.writer.remove(np.array([3]))
    return made.folder


def flip(path):
    """Damage a file as a disk does: one byte, in the middle of its content."""
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def state(folder):
    """Every file of a folder, by name and content."""
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("part", ["vectors", "images", "removed"])
def test_what_is_damaged_is_not_compacted(two, part):
    damaged = getattr(Manifest.read(two).segments[0], part)
    flip(two / damaged.name)
    before = state(two)
    with pytest.raises(InputError, match=rf"gallery: 1 of 5 files are not .*: {damaged.name}; res"):
        compact(two)
    assert state(two).keys() - before.keys() <= {(two / ".writing").relative_to(two)}
    assert {name: state(two)[name] for name in before} == before
    with pytest.raises(InputError, match=damaged.name):
        verify(two)


def test_damage_that_compacting_leaves_or_drops_is_in_no_way(two, monkeypatch):
    """A segment that is whole stays, to be found by `verify`; of one that was removed, nothing."""
    monkeypatch.setattr("reid.retrieval.writer.MOST", 19)
    second = Manifest.read(two).segments[1]
    flip(two / second.vectors.name)
    compact(two)
    after = Gallery.open(two)
    assert [len(each) for each in after.segments] == [19, 4]
    assert after.manifest.segments[1] == second
    with pytest.raises(InputError, match="1 of 4 files are not what was written"):
        verify(two)
    remove(two, ["image=20.jpg,21.jpg,22.jpg,23.jpg"], None, False)
    compact(two)
    verify(two)
    assert len(Gallery.open(two)) == 19


def test_what_is_damaged_is_not_merged(two, tmp_path):
    fine = Made(tmp_path / "fine", tmp_path / "others")
    fine.append(images(fine.root, 3), vectors(3, seed=2))
    damaged = Manifest.read(two).segments[1].vectors
    flip(two / damaged.name)
    with pytest.raises(InputError, match=rf"gallery: 1 of 5 files are not .*: {damaged.name}; res"):
        merge(tmp_path / "all", [fine.folder, two])
    assert not is_gallery(tmp_path / "all")
    before = Manifest.read(fine.folder)
    with pytest.raises(InputError, match="1 of 5 files are not what was written"):
        merge(fine.folder, [two])
    assert Manifest.read(fine.folder) == before
    flip(two / damaged.name)
    assert len(merge(fine.folder, [two])) == 3 + 23


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_merging_needs_no_index_of_what_it_copies(two, tmp_path, damage):
    """The index is not copied: damaged, it is no reason to give up the images."""
    writer = GalleryWriter.resume(two)
    place = two / writer.new_folder() / "index.faiss"
    place.write_bytes(b"an index")
    file = StoredFile.of(two, str(place.relative_to(two)))
    stored = StoredIndex(file=file, rows=24, probes=1, candidates=1, top=1, recall=1.0)
    writer.set_index(stored)
    if damage == "flipped":
        flip(place)
    elif damage == "cut":
        place.write_bytes(b"an in")
    else:
        place.unlink()
    with pytest.raises(InputError, match="1 of 6 files are not what was written"):
        verify(two)
    assert len(merge(tmp_path / "all", [two])) == 23
    verify(tmp_path / "all")


def test_removing_says_that_files_come_back(two, capsys):
    remove(two, ["image=1.jpg"], None, False)
    said = capsys.readouterr().out
    assert "their files stay: the next 'partreid gallery add' of their folder takes them" in said
    told = CliRunner().invoke(app, ["remove", "--help"], terminal_width=200).output
    assert "The next 'gallery add' of their folder takes them in again" in " ".join(told.split())


def test_images_of_a_linked_folder_are_removed_by_either_of_its_paths(tmp_path):
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "c1").symlink_to(tmp_path / "far")
    made = Made(tmp_path / "gallery", tmp_path / "photos")
    table = images(made.root, 4)
    names = ["c1/0.jpg", "c1/deep/1.jpg", "c1/deep/2.jpg", "3.jpg"]
    table.frame["image"] = names
    made.append(table, vectors(4))
    assert remove(made.folder, [], tmp_path / "photos" / "c1" / "deep", False) == 2
    assert remove(made.folder, [], tmp_path / "photos" / "c1", False) == 1

"""Adding folders one after another, linked ones and single images, and what cannot be read."""

from pathlib import Path

import pandas as pd
import pytest

from annotations.errors import InputError
from pipelines.jobs.adding import add
from pipelines.jobs.keeping import remove
from pipelines.jobs.retrieval import search
from reid.embedding import NothingReadError
from reid.retrieval.manifest import Manifest
from reid.retrieval.question import Question
from tests.pipelines.conftest import paint


@pytest.fixture
def cameras(tmp_path, monkeypatch):
    """Two folders, in each a fine image and one that cannot be read; from where they are."""
    for seed, name in enumerate(("near", "far")):
        paint(tmp_path / name / "v1" / "fine.png", seed)
        (tmp_path / name / "v1" / "bad.png").write_text(f"no image of {name}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def grow(place, *folders, run):
    return add(place, folders, run.source, device="cpu")


def problems(place):
    lines = pd.read_csv(place / "unreadable.csv")["problem"].tolist()
    return sorted(line.partition(": ")[0] for line in lines)


def test_lines_of_folders_not_looked_at_stay(cameras, run, capsys):
    place = cameras / "gallery"
    near, far = Path("near"), Path("far")
    bad = [str(cameras / name / "v1" / "bad.png") for name in ("far", "near")]
    grow(place, near, run=run)
    grow(place, far, run=run)
    assert problems(place) == bad  # whole paths, though none was typed
    said = "1 files and folders that cannot be used (1 more of what was added before)"
    assert said in capsys.readouterr().out
    grow(place, near, far, run=run)
    grow(place, cameras / "near", run=run)  # the same folder by another name
    assert problems(place) == bad
    grow(place, near / "v1", run=run)  # within one that was looked at before
    assert problems(place) == bad
    paint(cameras / "far" / "v1" / "bad.png", 9)
    grow(place, far, run=run)
    assert problems(place) == bad[1:]
    (cameras / "near" / "v1" / "bad.png").unlink()
    grow(place, near / "v1", run=run)
    assert problems(place) == []


def test_lines_of_another_table_of_the_folder_stay(cameras, run):
    place, folder = cameras / "gallery", cameras / "near"
    (folder / "v1" / "worse.png").touch()
    for name in ("bad", "worse"):
        names = [f"v1/{name}.png", "v1/fine.png"]
        pd.DataFrame({"image": names}).to_csv(folder / f"{name}.csv", index=False)
    both = [str(folder / "v1" / f"{name}.png") for name in ("bad", "worse")]
    for name in ("bad", "worse", "bad"):
        grow(place, folder / f"{name}.csv", run=run)
    assert problems(place) == both
    paint(folder / "v1" / "bad.png", 9)
    grow(place, folder / "bad.csv", run=run)
    assert problems(place) == both[1:]


def test_a_list_that_somebody_spoilt_is_written_anew(cameras, run):
    place = cameras / "gallery"
    grow(place, cameras / "near", run=run)
    for text in ("", "other\nthings\n", "problem\nnear/v1/bad.png: of an older version\n"):
        (place / "unreadable.csv").write_text(text)
        grow(place, cameras / "near", run=run)
        assert problems(place) == [str(cameras / "near" / "v1" / "bad.png")]


def test_queries_that_cannot_be_read_are_listed(cameras, run, capsys):
    grow(cameras / "gallery", cameras / "near", run=run)
    (cameras / "far" / "v1" / "loop.png").symlink_to("loop.png")
    out = cameras / "out"
    asked = [cameras / "gallery"], Question(top=1), out
    search(cameras / "far", *asked, device="cpu")
    bad = [str(cameras / "far" / "v1" / f"{name}.png") for name in ("bad", "loop")]
    assert problems(out) == bad
    assert "2 files and folders that cannot be used" in capsys.readouterr().out
    for path in bad:
        Path(path).unlink()
    search(cameras / "far", *asked, device="cpu")
    assert not (out / "unreadable.csv").exists() and (out / "results.csv").exists()
    (cameras / "far" / "v1" / "fine.png").write_text("no image either")
    with pytest.raises(NothingReadError, match="none of 1 images could be read"):
        search(cameras / "far", *asked, device="cpu")
    assert problems(out) == [str(cameras / "far" / "v1" / "fine.png")]


def test_lines_name_their_own_file_and_stay_lines(tmp_path, run, capsys):
    folder, place = tmp_path / "flip", tmp_path / "gallery"
    paint(folder / "c1" / "1.png", 1)
    for name in ("zero.jpg", "zero\nnl.jpg"):
        (folder / "c1" / name).touch()
    (folder / "c1" / "anim.gif").touch()
    for _ in range(2):  # of a picture that is not read, a gallery keeps nothing
        grow(place, folder, run=run)
        lines = pd.read_csv(place / "unreadable.csv")["problem"].tolist()
        why = "not a readable image (cannot identify image file)"
        assert sorted(lines) == [
            f"{folder}/c1/anim.gif: .gif files are not read; save as JPEG or PNG",
            f"{folder}/c1/zero\nnl.jpg: {why}",
            f"{folder}/c1/zero.jpg: {why}",
        ]
        said = capsys.readouterr().out.splitlines()
        assert rf"{folder}/c1/zero\nnl.jpg: {why}" in said
        assert f"{folder}: 3 images (1 camera, identities unknown)" in said


def test_what_could_not_be_read_was_not_embedded(tmp_path, run, capsys):
    folder, place = tmp_path / "flip", tmp_path / "gallery"
    for number in range(3):
        paint(folder / "c1" / f"{number}.png", number)
    grow(place, folder, run=run)
    (folder / "c1" / "0.png").rename(folder / "c1" / "renamed.png")
    (folder / "c1" / "copy.png").write_bytes((folder / "c1" / "1.png").read_bytes())
    (folder / "c1" / "2.png").write_bytes(b"")
    grow(place, folder, run=run)
    said = "2 new, 1 unchanged, 1 gone, 2 of them of a content that was known"
    assert f"{folder}: {said}" in capsys.readouterr().out.splitlines()


def test_one_deeper_folder_leaves_cameras_what_they_were(tmp_path, run, capsys):
    folder, place = tmp_path / "flip", tmp_path / "gallery"
    for number, name in enumerate(("c1/1.png", "c2/2.png")):
        paint(folder / name, number)
    grow(place, folder, run=run)
    paint(folder / "c1" / "night" / "3.png", 3)
    paint(folder / "a" / "b" / "c" / "4.png", 4)
    gallery = grow(place, folder, run=run)
    assert f"{folder}: 1 new, 2 unchanged" in capsys.readouterr().out.splitlines()
    table = gallery.table(gallery.rows)
    assert sorted(table["camera"]) == ["c1", "c1", "c2"]
    assert "identity" not in table or table["identity"].isna().all()
    assert problems(place) == [f"{folder}/a/b/c"]


def seen(gallery):
    return sorted(gallery.table(gallery.rows)["file"])


@pytest.fixture
def linked(tmp_path):
    """A folder of cameras, of which one is a link to a folder elsewhere."""
    paint(tmp_path / "cams" / "c1" / "1.png", 1)
    for number in (2, 3):
        paint(tmp_path / "nas" / "c2" / f"{number}.png", number)
    (tmp_path / "cams" / "c2").symlink_to(tmp_path / "nas" / "c2")
    return tmp_path / "cams"


def test_linked_folders_grow_as_others_do(tmp_path, linked, run):
    place = tmp_path / "gallery"
    first = grow(place, linked, run=run)
    table = first.table(first.rows).set_index("image")
    assert table["camera"].to_dict() == {"c1/1.png": "c1", "c2/2.png": "c2", "c2/3.png": "c2"}
    assert seen(first) == [str(linked / name) for name in ("c1/1.png", "c2/2.png", "c2/3.png")]
    again = grow(place, linked, run=run)
    assert again.manifest.generation == first.manifest.generation
    paint(tmp_path / "nas" / "c2" / "4.png", 4)
    (tmp_path / "nas" / "c2" / "2.png").unlink()
    names = ("c1/1.png", "c2/3.png", "c2/4.png")
    assert seen(grow(place, linked, run=run)) == [str(linked / name) for name in names]


@pytest.mark.parametrize("first", ["cams", "cams/c2", "nas/c2", "nas"])
def test_a_linked_folder_and_that_around_it_have_no_image_twice(tmp_path, linked, run, first):
    place = tmp_path / "gallery"
    grow(place, tmp_path / first, run=run)
    for name in ("cams", "cams/c2", "cams"):
        both = grow(place, tmp_path / name, run=run)
    assert sorted(file.rpartition("/")[2] for file in seen(both)) == ["1.png", "2.png", "3.png"]
    (tmp_path / "nas" / "c2" / "2.png").unlink()
    assert len(grow(place, linked, run=run)) == 2
    assert len(grow(place, linked / "c2", run=run)) == 2


def test_another_link_to_a_folder_is_no_second_folder(tmp_path, linked, run):
    place = tmp_path / "gallery"
    grow(place, linked, run=run)
    (linked / "c0").symlink_to(tmp_path / "nas" / "c2")  # before the first, in order
    more = grow(place, linked, run=run)
    table = more.table(more.rows)
    assert sorted(table["image"]) == ["c0/2.png", "c0/3.png", "c1/1.png"]
    assert sorted(table["camera"]) == ["c0", "c0", "c1"]


def test_one_image_is_searched_for_and_not_added(tmp_path, linked, run):
    place, query = tmp_path / "gallery", tmp_path / "nas" / "c2" / "2.png"
    with pytest.raises(InputError, match=r"2.png: is an image; give its folder$"):
        grow(place, query, run=run)
    before = grow(place, linked, run=run)
    with pytest.raises(InputError, match="is an image; give its folder"):
        grow(place, linked, query, run=run)
    after = grow(place, linked, run=run)
    assert after.manifest.generation == before.manifest.generation
    search(query, [place], Question(top=1), tmp_path / "out", device="cpu")
    found = pd.read_csv(tmp_path / "out" / "results.csv")
    assert found["query"].tolist() == ["2.png"] and found["image"].tolist() == ["c2/2.png"]


def test_removed_images_come_back(tmp_path, linked, run):
    place = tmp_path / "gallery"
    grow(place, linked, run=run)
    remove(place, ["camera=c2"], None, False)
    assert len(grow(place, linked, run=run)) == 3


def test_what_is_for_a_new_gallery_is_said_of_one_that_is_there(tmp_path, folder, run, capsys):
    place = tmp_path / "gallery"
    add(place, [folder], run.source, device="cpu")
    before = Manifest.read(place)
    with pytest.raises(InputError, match="stored in half precision; --single is for a gallery"):
        add(place, [folder], run.source, device="cpu", half=False)
    assert Manifest.read(place) == before
    paint(folder / "v9" / "c0" / "new.png", 99)
    capsys.readouterr()
    opened = add(place, [folder], run.source, device="cpu", thumbnails=True)
    assert "6 images of before have no thumbnails, and get none" in capsys.readouterr().out
    assert [each is not None for each in opened.thumbnails(opened.rows)] == [False] * 6 + [True]

"""Adding folders to galleries and keeping them, as a person does."""

import errno
import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from pipelines.cli.main import main
from pipelines.jobs import embedders
from pipelines.jobs.adding import add
from pipelines.jobs.keeping import compact, info, merge, remove, verify
from pipelines.recipes import load_recipe
from reid.embedding import embed
from reid.methods import build_model
from reid.retrieval import changes
from reid.retrieval.gallery import Gallery
from reid.retrieval.manifest import is_gallery
from reid.run import Run, save_model
from tests.pipelines.conftest import paint


@pytest.fixture
def counted(monkeypatch):
    """How many images each pass embedded."""
    passes = []

    def count(run, images, *rest, **more):
        passes.append(len(images))
        return embed(run, images, *rest, **more)

    monkeypatch.setattr(embedders, "embed", count)
    return passes


def grow(gallery, folder, run, **more):
    return add(gallery, [folder], run.source, device="cpu", **more)


def truly(gallery, run, folder):
    """Check a gallery against its folder embedded afresh."""
    images = Images.from_rows(
        [{"image": p.relative_to(folder).as_posix()} for p in sorted(folder.rglob("*.png"))],
        folder, "folder",
    )  # fmt: skip
    fresh = embed(run, images, device="cpu", progress=False)
    expected = dict(zip(images.frame["image"], fresh.vectors, strict=True))
    frame = gallery.table(gallery.rows)
    assert sorted(frame["image"]) == sorted(expected)
    for name, vector in zip(frame["image"], gallery.embeddings, strict=True):
        np.testing.assert_allclose(vector, expected[name], rtol=2e-3, atol=1e-3)


def test_only_what_changed_is_work(tmp_path, folder, run, counted):
    place = tmp_path / "gallery"
    first = grow(place, folder, run)
    assert counted == [6] and first.manifest.half
    assert first.table(first.rows)["camera"].value_counts().to_dict() == {"c0": 3, "c1": 3}
    truly(first, run, folder)
    again = grow(place, folder, run)
    assert counted == [6] and again.manifest.generation == first.manifest.generation

    paint(folder / "v0" / "c0" / "new.png", 10)  # new
    paint(folder / "v1" / "c1" / "1.png", 11)  # changed
    (folder / "v2" / "c0" / "2.png").unlink()  # gone
    (folder / "v0" / "c1" / "3.png").rename(folder / "v0" / "c1" / "three.png")  # renamed
    os.utime(folder / "v1" / "c0" / "4.png", (1, 1))  # touched
    third = grow(place, folder, run)
    assert counted == [6, 2]
    truly(third, run, folder)
    assert len(third) == 6
    # Nor are they work a second time.
    fourth = grow(place, folder, run)
    assert counted == [6, 2] and fourth.manifest.generation == third.manifest.generation


def test_images_of_one_content_are_embedded_once(tmp_path, folder, run, counted):
    shutil.copy(folder / "v0" / "c0" / "0.png", folder / "v0" / "c0" / "copy.png")
    place = tmp_path / "gallery"
    grow(place, folder, run)
    assert counted == [6]
    shutil.copytree(folder, tmp_path / "elsewhere")
    both = add(place, [tmp_path / "elsewhere"], None, device="cpu")
    assert counted == [6] and len(both) == 14 and len(both.roots) == 2
    rows = both.rows.reshape(2, 7)
    np.testing.assert_array_equal(both.vectors(rows[0]), both.vectors(rows[1]))


def test_what_a_table_says_anew_is_taken_without_the_network(tmp_path, folder, run, counted):
    listed = folder / "images.csv"
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))
    table = pd.DataFrame({"image": names, "camera": "a", "time": 1.5})
    table.to_csv(listed, index=False)
    place = tmp_path / "gallery"
    grow(place, folder, run)
    table["camera"] = ["b", *table["camera"][1:]]
    table.assign(colour="red").to_csv(listed, index=False)
    after = grow(place, folder, run)
    frame = after.table(after.rows)
    assert counted == [6] and (frame["colour"] == "red").all()
    assert sorted(frame["camera"]) == ["a"] * 5 + ["b"]
    table.to_csv(listed, index=False)
    dropped = grow(place, folder, run)
    assert "colour" not in dropped.table(dropped.rows)
    truly(dropped, run, folder)


def test_files_that_cannot_be_used_are_listed(tmp_path, folder, run, capsys):
    (folder / "v0" / "c0" / "empty.png").touch()
    (folder / "v0" / "c0" / "text.jpg").write_text("not an image")
    Image.new("RGB", (3, 3)).save(folder / "v0" / "c0" / "tiny.png")
    place = tmp_path / "gallery"
    gallery = grow(place, folder, run)
    assert len(gallery) == 6
    listed = pd.read_csv(place / "unreadable.csv")["problem"]
    assert len(listed) == 3
    for name in ("empty.png", "text.jpg", "tiny.png"):
        assert listed.str.contains(name, regex=False).sum() == 1
    assert "3 files and folders that cannot be used" in capsys.readouterr().out
    # One that was fine before; of the same content as another of no use.
    (folder / "v1" / "c1" / "1.png").write_bytes(b"")
    again = grow(place, folder, run)
    assert "v1/c1/1.png" in again.table(again.rows)["image"].tolist()
    np.testing.assert_array_equal(again.embeddings, gallery.embeddings)
    lines = pd.read_csv(place / "unreadable.csv")["problem"]
    assert len(lines) == 4 and lines.str.contains("keeps its embedding").sum() == 1
    kept = lines[lines.str.contains("keeps its embedding")].item()
    assert kept.startswith(f"{folder / 'v1' / 'c1' / '1.png'}: ")
    Image.new("RGB", (32, 32)).save(folder / "v1" / "c1" / "1.png")
    truly_fine = grow(place, folder, run)
    assert not np.array_equal(truly_fine.embeddings, gallery.embeddings)
    assert len(pd.read_csv(place / "unreadable.csv")) == 3
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "1.png").touch()
    with pytest.raises(InputError, match="none of its images could be read"):
        grow(tmp_path / "new", bad, run)


def closing(monkeypatch, *places):
    """Have the system refuse to list folders and to read files, which it does not to root."""
    closed = {str(place) for place in places}
    scandir, read = os.scandir, changes.contents_of

    def refusing(place="."):
        if str(place) in closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return scandir(place)

    def unread(paths, advance=None):
        found = read(paths, advance)
        return [None if str(p) in closed else c for p, c in zip(paths, found, strict=True)]

    monkeypatch.setattr(os, "scandir", refusing)
    monkeypatch.setattr("reid.retrieval.changes.contents_of", unread)


def test_what_may_not_be_read_is_told_and_stays(tmp_path, folder, run, monkeypatch, capsys):
    place = tmp_path / "gallery"
    before = grow(place, folder, run)
    changed = folder / "v1" / "c1" / "1.png"
    paint(changed, 11)
    closing(monkeypatch, folder / "v0", changed)
    after = grow(place, folder, run)
    assert after.manifest.generation == before.manifest.generation and len(after) == 6
    said = [
        f"{folder / 'v0'}: cannot be listed (Permission denied); what the gallery has of it stays",
        f"{changed}: cannot be read; the gallery keeps its embedding of an earlier content",
    ]
    assert pd.read_csv(place / "unreadable.csv")["problem"].tolist() == said
    assert all(line in capsys.readouterr().out.splitlines() for line in said[:1])
    grow(tmp_path / "new", folder, run)
    assert pd.read_csv(tmp_path / "new" / "unreadable.csv")["problem"].tolist() == [
        f"{folder / 'v0'}: cannot be listed (Permission denied)", f"{changed}: cannot be read",
    ]  # fmt: skip
    monkeypatch.undo()
    truly(grow(place, folder, run), run, folder)


def test_odd_names_are_added_or_told(tmp_path, folder, run, monkeypatch, capsys):
    place, odd = tmp_path / "gallery", os.fsdecode(b"\xff\xe9.png")
    paint(folder / " lead.png", 20)
    paint(folder / "x.png", 21)
    (folder / "x.png").rename(folder / odd)
    said = [rf"{folder}/\xff\xe9.png: its name is not UTF-8; rename it"]
    for _ in range(2):  # of a file that it never had, a gallery keeps nothing
        gallery = grow(place, folder, run)
        assert " lead.png" in gallery.table(gallery.rows)["image"].tolist() and len(gallery) == 7
        assert pd.read_csv(place / "unreadable.csv")["problem"].tolist() == said
    out = tmp_path / "out"
    words = ["search", folder, "--gallery", place, "--out", out, "--device", "cpu"]
    assert not command(monkeypatch, *words)
    assert " lead.png" in pd.read_csv(out / "results.csv")["query"].tolist()
    assert said[0] in capsys.readouterr().out


def test_another_network_or_manner_is_refused(tmp_path, folder, run):
    place = tmp_path / "gallery"
    grow(place, folder, run)
    other = shutil.copytree(run.source, tmp_path / "other")
    torch.manual_seed(1)
    save_model(other / "model.pt", build_model(run.recipe, 2, start=False), run.recipe, ("0", "1"))
    with pytest.raises(InputError, match=r"was made with the model .*, not .*; add with the same"):
        add(place, [folder], other, device="cpu")
    with pytest.raises(InputError, match="was made with mirror False, not True"):
        grow(place, folder, run, mirror=True)
    with pytest.raises(InputError, match="is to be made; say by which network, with --run"):
        add(tmp_path / "new", [folder], None)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "letter").touch()
    with pytest.raises(InputError, match="holds something else"):
        grow(tmp_path / "new", folder, run)


def test_a_full_disk_leaves_what_was_committed(tmp_path, folder, run, monkeypatch):
    place = tmp_path / "gallery"
    grow(place, folder, run)
    for number in range(20, 30):
        paint(folder / "v0" / "c0" / f"{number}.png", number)
    written = []
    fsync = os.fsync

    def fill(handle):
        written.append(handle)
        if len(written) == 8:  # in the second piece
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(InputError, match=r"gallery: No space left on device; .* is kept"):
        grow(place, folder, run, chunk=4)
    monkeypatch.undo()
    verify(place)
    assert len(Gallery.open(place)) == 10
    truly(grow(place, folder, run), run, folder)


def test_a_disk_that_is_full_again_and_again(small_disk, folder, run):
    """The whole command on a real one, until there is room enough."""
    place = small_disk.path / "gallery"
    size, counts = 4, [0]
    while True:
        small_disk.resize(size)
        try:
            gallery = grow(place, folder, run, chunk=1, thumbnails=True)
            break
        except InputError as error:
            assert "No space left on device; make room; what was added before is kept" in str(error)
        if (place / "manifest.json").is_file():
            verify(place)
            counts.append(len(Gallery.open(place)))
        size += 4
    assert counts == sorted(counts) and len(set(counts)) > 2
    truly(gallery, run, folder)


def test_keeping(tmp_path, folder, run, capsys):
    place = tmp_path / "gallery"
    grow(place, folder, run, thumbnails=True)
    facts = info(place)
    assert dict(zip(facts["of"], facts[""], strict=True))["images"] == "6"
    assert remove(place, ["camera=c0"], None, False) == 3
    assert remove(place, [], folder / "v0", False) == 1
    with pytest.raises(InputError, match="has no image under"):
        remove(place, [], tmp_path / "elsewhere", False)
    with pytest.raises(InputError, match="say what to remove"):
        remove(place, [], None, False)
    left = Gallery.open(place)
    assert left.table(left.rows)["image"].tolist() == ["v1/c1/1.png", "v2/c1/5.png"]
    compact(place)
    small = Gallery.open(place)
    assert len(small) == 2 and int(small.starts[-1]) == 2
    assert all(picture.startswith(b"\xff\xd8") for picture in small.thumbnails(small.rows))
    verify(place)
    assert "all as written" in capsys.readouterr().out
    path = next(place.rglob("vectors.faiss"))
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"1 of 3 files are not what was written: .*vectors.faiss"):
        verify(place)


def test_merging(tmp_path, folder, run):
    one, other = tmp_path / "one", tmp_path / "two" / "other"
    grow(one, folder, run)
    paint(tmp_path / "more" / "x.png", 50)
    add(other, [folder, tmp_path / "more"], run.source, device="cpu")
    remove(other, ["image=v0/c0/0.png"], None, False)
    whole = merge(tmp_path / "all", [one, other])
    frame = whole.table(whole.rows)
    assert len(whole) == 7 and frame["file"].is_unique
    source = {name: Gallery.open(name) for name in (one, other)}
    for gallery in source.values():
        files = gallery.table(gallery.rows)["file"]
        mine = frame.reset_index().set_index("file").loc[files, "index"].to_numpy()
        np.testing.assert_array_equal(whole.vectors(whole.rows[mine]), gallery.embeddings)
    assert len(merge(tmp_path / "all", [other])) == 7
    with pytest.raises(InputError, match="cannot be merged into itself"):
        merge(one, [one])
    grow(tmp_path / "single", folder, run, half=False)
    with pytest.raises(InputError, match="is stored in another precision"):
        merge(one, [tmp_path / "single"])


def test_a_refused_merge_has_merged_nothing(tmp_path, folder, run):
    one, single, whole = tmp_path / "one", tmp_path / "single", tmp_path / "all"
    grow(one, folder, run)
    paint(tmp_path / "more" / "x.png", 50)
    grow(single, tmp_path / "more", run, half=False)
    with pytest.raises(InputError, match=r"single: is stored in another precision than .*all"):
        merge(whole, [one, single])
    assert not is_gallery(whole)
    other = tmp_path / "other"
    grow(other, tmp_path / "more", run)
    before = Gallery.open(other).manifest
    for refused, why in ((single, "another precision"), (other, "cannot be merged into itself")):
        with pytest.raises(InputError, match=why):
            merge(other, [one, refused])
        assert Gallery.open(other).manifest == before
    # What was refused is in the way of nothing.
    assert len(merge(whole, [one, other])) == 7


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["partreid", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_from_the_command_line(tmp_path, folder, run, monkeypatch, capsys):
    place, out = tmp_path / "gallery", tmp_path / "out"
    add_it = ["gallery", "add", place, folder, "--run", run.source, "--device", "cpu"]
    assert not command(monkeypatch, *add_it, "--thumbnails")
    for words in (["info"], ["verify"], ["compact"]):
        assert not command(monkeypatch, "gallery", words[0], place)
    assert not command(monkeypatch, "gallery", "merge", tmp_path / "more", place)
    assert not command(
        monkeypatch, "search", folder, "--gallery", place, "--out", out, "--top", "2",
        "--where", "camera=c0", "--group", "identity", "--together", "identity", "--device", "cpu",
    )  # fmt: skip
    found = pd.read_csv(out / "results.csv")
    assert len(found) == 6 and (found["camera"] == "c0").all()
    assert (found["query_images"] == 2).all() and (found["images"] == 1).all()
    pd.testing.assert_frame_equal(
        pd.read_parquet(out / "results.parquet")[["query", "image"]].astype(str),
        pd.read_json(out / "results.jsonl", lines=True)[["query", "image"]].astype(str),
    )
    assert not command(monkeypatch, "gallery", "remove", place, "--where", "camera=c1")
    capsys.readouterr()
    assert command(monkeypatch, "search", folder, "--gallery", place, "--unknown", "0.5") == 2
    assert "--unknown: needs probabilities; run 'partreid calibrate" in capsys.readouterr().err
    both = ["--gallery", place, "--gallery", tmp_path / "more", "--out", out, "--device", "cpu"]
    assert not command(monkeypatch, "search", folder, *both)
    assert pd.read_csv(out / "results.csv")["gallery"].nunique() == 2


def test_two_tables_of_one_folder(tmp_path, folder, run):
    """What one table leaves out is another's, and not gone."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))
    days = [folder.parent / "photos" / f"day{day}.csv" for day in (1, 2)]
    for day, path in enumerate(days):
        pd.DataFrame({"image": names[day::2], "camera": "a"}).to_csv(path, index=False)
    gallery = add(tmp_path / "gallery", days, run.source, device="cpu")
    assert len(gallery) == 6
    (folder / names[0]).unlink()
    pd.DataFrame({"image": names[2::2], "camera": "a"}).to_csv(days[0], index=False)
    assert len(grow(tmp_path / "gallery", days[0], run)) == 5


def test_a_folder_within_a_folder_and_a_moved_gallery(tmp_path, folder, run, counted):
    place = tmp_path / "gallery"
    grow(place, folder, run)
    assert len(grow(place, folder / "v0", run)) == 6 and counted == [6]
    paint(folder / "v0" / "c0" / "new.png", 20)
    assert len(grow(place, folder / "v0", run)) == 7
    assert len(grow(place, folder, run)) == 7
    # What has changed within it, or is gone, is so by whichever folder.
    paint(folder / "v0" / "c0" / "0.png", 21)
    paint(folder / "v0" / "c0" / "new.png", 22)
    (folder / "v0" / "c1" / "3.png").unlink()
    within = grow(place, folder / "v0", run)
    assert len(within) == 6 and counted == [6, 1, 2]
    seen = within.table(within.rows).set_index("file")
    assert seen.loc[str(folder / "v0" / "c0" / "0.png"), "identity"] == "v0"
    files = sorted(map(str, folder.rglob("*.png")))
    assert sorted(seen.index) == files
    fresh = grow(tmp_path / "fresh", folder, run)
    expected = dict(zip(fresh.table(fresh.rows)["file"], fresh.embeddings, strict=True))
    for file, vector in zip(seen.index, within.embeddings, strict=True):
        np.testing.assert_allclose(vector, expected[file], rtol=2e-3, atol=1e-3)
    (tmp_path / "deep" / "down").mkdir(parents=True)
    moved = place.rename(tmp_path / "deep" / "down" / "gallery")
    # Its folder is beside it no more; what it was made of has to be named again.
    again = grow(moved, folder, run)
    assert counted == [6, 1, 2, 6] and len(again) in (6, 12)


def test_absolute_paths_in_a_table(tmp_path, folder, run):
    names = sorted(str(path) for path in folder.rglob("*.png"))
    pd.DataFrame({"image": names}).to_csv(tmp_path / "images.csv", index=False)
    gallery = grow(tmp_path / "gallery", tmp_path / "images.csv", run)
    assert gallery.table(gallery.rows)["file"].tolist() == names


def test_content_known_from_an_earlier_piece(tmp_path, folder, run, counted):
    for number in range(3):
        shutil.copy(folder / "v0" / "c0" / "0.png", folder / "v2" / "c1" / f"z{number}.png")
    gallery = grow(tmp_path / "gallery", folder, run, chunk=2)
    assert sum(counted) == 6 and len(gallery) == 9
    truly(gallery, run, folder)


def test_columns_of_any_kind(tmp_path, folder, run):
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))
    table = pd.DataFrame({"image": names, "kind": pd.Categorical(list("aabbcc")),
                          "day": pd.date_range("2026-01-01", periods=6), "wet": [True, False] * 3,
                          "empty": None, "count": [1, 2, 3, None, 5, 6]})  # fmt: skip
    table.to_parquet(folder / "images.parquet")
    grow(tmp_path / "gallery", folder, run)
    table["kind"] = table["kind"].cat.add_categories("d")
    table.loc[0, "kind"] = "d"
    table.to_parquet(folder / "images.parquet")
    gallery = grow(tmp_path / "gallery", folder, run)
    assert gallery.manifest.generation == 2
    frame = gallery.table(gallery.rows).sort_values("image")
    assert frame["kind"].tolist() == list("dabbcc")
    assert grow(tmp_path / "gallery", folder, run).manifest.generation == 2
    table.assign(file="x").to_parquet(folder / "images.parquet")
    with pytest.raises(InputError, match="column 'file': names that begin with 'file'"):
        grow(tmp_path / "gallery", folder, run)


def test_new_images_on_which_no_part_was_found_are_added(tmp_path, folder):
    torch.manual_seed(0)
    recipe = load_recipe("prn-demo", ["image.height=32", "image.width=32", "precision=float32"])
    place = tmp_path / "run"
    save_model(place / "model.pt", build_model(recipe, 2, start=False), recipe, ("0", "1"))
    run = Run.load(place)
    names = [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*.png"))]
    rows = pd.DataFrame({"image": names, "part": "window", "score": 0.9, "source": "detector"})
    boxes = Boxes(rows.assign(x1=0.1, y1=0.1, x2=0.7, y2=0.6))
    boxes.write(tmp_path / "boxes.parquet")
    more = {"boxes": tmp_path / "boxes.parquet", "branches": "global+parts"}
    assert len(grow(tmp_path / "gallery", folder, run, **more)) == 6
    paint(folder / "v9" / "c0" / "new.png", 99)
    (folder / "v9" / "c0" / "bad.png").write_text("no image")
    after = grow(tmp_path / "gallery", folder, run, **more)
    assert len(after) == 7
    assert len(pd.read_csv(tmp_path / "gallery" / "unreadable.csv")) == 1
    grow(tmp_path / "gallery", folder, run, **more)  # the file that cannot be read, alone
    # What shows no vehicle is looked for by its whole alone; a calibrated run says "unknown" of it.
    query = Images.from_rows([{"image": "v9/c0/new.png"}], folder, "query")
    made = embed(run, query, Boxes(boxes.frame[:0]), branches="global+parts", device="cpu")
    distances, rows = after.search(made.vectors, 3)
    assert np.isfinite(distances).all() and len(set(rows[0].tolist())) == 3
    other = tmp_path / "other"
    paint(other / "v0" / "c0" / "x.png", 5)
    with pytest.raises(InputError, match="no box of any of the 1 images"):
        grow(tmp_path / "gallery", other, run, **more)

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.datasets.listed import image_names
from annotations.errors import InputError
from annotations.files import require_writable, whole_file, whole_folder, write_text
from annotations.images import Images
from annotations.labels import label_rows
from annotations.pixels import ImageError, find_images, find_unreadable, read_image, read_size


def test_failed_writing_leaves_what_was_there(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "a.txt") as aside:
        aside.write_text("half")
        raise RuntimeError
    with whole_folder(tmp_path / "f") as aside:
        (aside / "x").write_text("old")
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "f") as aside:
        (aside / "x").write_text("half")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == (tmp_path / "f" / "x").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "f"]


def test_new_folder_replaces_the_old_one_whole(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with whole_folder(tmp_path / "deep" / "f") as aside:
            (aside / name).touch()
    assert [path.name for path in (tmp_path / "deep" / "f").iterdir()] == ["second"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_is_that_of_the_decoded_image(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    Image.new("RGB", (30, 10)).save(path, exif=exif)
    assert read_size(path) == read_image(path).shape[1::-1]


def test_every_mode_becomes_rgb(tmp_path: Path) -> None:
    for mode in ("L", "RGBA", "P", "CMYK", "1"):
        path = tmp_path / f"{mode}.{'jpg' if mode == 'CMYK' else 'png'}"
        Image.new(mode, (12, 9)).save(path)
        image = read_image(path)
        assert image.shape == (9, 12, 3)
        assert image.dtype == np.uint8


def test_bad_images_are_one_line_each(tmp_path: Path, draw: Callable[..., Path]) -> None:
    good = draw(tmp_path / "good.jpg")
    (tmp_path / "text.jpg").write_text("not an image")
    (tmp_path / "cut.jpg").write_bytes(good.read_bytes()[:300])
    (tmp_path / "nothing.jpg").touch()
    draw(tmp_path / "speck.png", 1, 1)
    names = ["good.jpg", "text.jpg", "cut.jpg", "nothing.jpg", "speck.png", "absent.jpg"]
    problems = list(find_unreadable([tmp_path / name for name in names], workers=2))
    assert problems[0] is None
    words = ["not a readable", "not a readable", "not a readable", "1 x 1 pixels", "no such file"]
    for name, problem, word in zip(names[1:], problems[1:], words, strict=True):
        assert problem is not None
        assert name in problem
        assert word in problem
        assert "\n" not in problem
    with pytest.raises(ImageError, match="not a readable image"):
        read_size(tmp_path / "text.jpg")


def test_images_are_found_by_suffix(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "b" / "x.JPG".lower())
    draw(tmp_path / "a.png")
    (tmp_path / "UP.JPEG").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden.jpg").touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["UP.JPEG", "a.png", "b/x.jpg"]


def test_folders_that_cannot_be_listed_are_named(
    tmp_path: Path, draw: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "b" / "x.jpg")
    draw(tmp_path / "c" / "y.jpg")
    scandir = os.scandir

    def refusing(place: str) -> object:  # as it does to anyone but root
        if place == str(tmp_path / "b"):
            raise PermissionError(errno.EACCES, "Permission denied")
        if place == str(tmp_path / "gone"):
            raise FileNotFoundError(errno.ENOENT, "No such file")
        return scandir(place)

    (tmp_path / "gone").mkdir()
    monkeypatch.setattr(os, "scandir", refusing)
    closed: list[str] = []
    assert find_images(tmp_path, closed) == find_images(tmp_path) == [tmp_path / "c" / "y.jpg"]
    assert closed == [f"{tmp_path / 'b'}: cannot be listed (Permission denied)"]
    images = read_images(tmp_path)
    assert images.closed == tuple(closed) and images.where(images.frame["image"] != "").closed == ()
    with pytest.raises(InputError, match=r"b: cannot be listed \(Permission denied\); allow it"):
        find_images(tmp_path / "b")
    with pytest.raises(InputError, match=r"b: cannot be listed \(Permission denied\); allow it"):
        image_names(tmp_path / "b")


def test_a_link_to_itself_hides_no_other_image(tmp_path: Path, draw: Callable[..., Path]) -> None:
    images = [draw(tmp_path / f"{number}.jpg") for number in range(6)]
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    closed: list[str] = []
    assert find_images(tmp_path, closed) == images
    assert closed == [f"{loop}: cannot be read ({os.strerror(errno.ELOOP)})"]
    assert read_images(tmp_path).closed == tuple(closed)
    for image in images:
        image.unlink()
    with pytest.raises(InputError, match=r"loop.jpg: cannot be read .*; allow it to be read"):
        find_images(tmp_path)


def test_names_that_are_not_utf8_are_told_and_left_out(
    tmp_path: Path, draw: Callable[..., Path]
) -> None:
    fine = draw(tmp_path / "é.jpg")
    odd = draw(tmp_path / "odd.jpg").rename(tmp_path / os.fsdecode(b"\xff\xe9.jpg"))
    (tmp_path / os.fsdecode(b"\xff.txt")).touch()
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    draw(folder / "x.jpg")
    closed: list[str] = []
    assert find_images(tmp_path, closed) == [fine]
    said = [rf"{tmp_path}/{name}: its name is not UTF-8; rename it"
            for name in (r"\xff\xe9.jpg", r"caf\xe9")]  # fmt: skip
    assert closed == said
    images = read_images(tmp_path)
    assert images.closed == tuple(said) and images.frame["image"].tolist() == ["é.jpg"]
    with pytest.raises(InputError, match=r"xff\\xe9.jpg: its name is not UTF-8; rename it"):
        image_names(tmp_path)
    with pytest.raises(InputError, match=r"/caf\\xe9: its name is not UTF-8; rename it"):
        read_images(folder)
    fine.unlink()
    odd.unlink()
    with pytest.raises(InputError, match=r"caf\\xe9: .*; rename it: there is no other image"):
        find_images(tmp_path)


def test_a_blank_before_a_name_is_a_part_of_it(tmp_path: Path, draw: Callable[..., Path]) -> None:
    for name in (" lead.png", "plain.png", " both/1.png", "both/1.png"):
        draw(tmp_path / name)
    images = read_images(tmp_path)
    images.require_files()
    names = [" both/1.png", " lead.png", "both/1.png", "plain.png"]
    assert images.frame["image"].tolist() == names
    assert images.where(images.frame["image"] == " lead.png").paths == [tmp_path / " lead.png"]
    boxes = Boxes(label_rows([(" lead.png", "light", 0.1, 0.2, 0.3, 0.4)]))
    assert len(boxes.of(images)) == 1
    for suffix in ("csv", "parquet"):
        images.write(tmp_path / f"images.{suffix}")
        assert Images.read(tmp_path / f"images.{suffix}").frame["image"].tolist() == names
    # Typed by a person, a blank is none of the name; a name of blanks is none.
    (tmp_path / "typed.csv").write_text("camera,image\na, plain.png\nb, lead.png\nc,both/1.png \n")
    typed = Images.read(tmp_path / "typed.csv").frame["image"].tolist()
    assert typed == ["plain.png", " lead.png", "both/1.png"]
    (tmp_path / "typed.csv").write_text("camera,image\na,  \n")
    with pytest.raises(InputError, match=r"row 2 .*'image' is empty"):
        Images.read(tmp_path / "typed.csv")


def test_folders_without_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image in it"):
        find_images(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_images(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file"):
        find_images(tmp_path / "file")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 5}])
@pytest.mark.parametrize("tail", [b"", b"\0\0 a camera's own data"])
def test_pixels_are_those_that_pillow_decodes(
    tmp_path: Path, options: dict[str, int], tail: bytes
) -> None:
    path = tmp_path / "a.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, **options)
    path.write_bytes(path.read_bytes() + tail)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(read_image(path), np.array(opened))


@pytest.mark.parametrize("missing", [1, 2, 40, 500])
def test_a_jpeg_without_its_end_is_no_whole_image(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "cut.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(ImageError, match="not a readable image"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_keep_their_shades(tmp_path, suffix):
    deep = np.linspace(0, 65535, 64 * 64).round().astype(np.uint16).reshape(64, 64)
    Image.fromarray(deep).save(tmp_path / f"deep.{suffix}")
    pixels = read_image(tmp_path / f"deep.{suffix}")
    expected = np.round(deep / 257).astype(np.uint8)
    assert pixels.shape == (64, 64, 3) and pixels.dtype == np.uint8
    assert (pixels == expected[:, :, None]).all()
    cv2.imwrite(str(tmp_path / "colour.png"), np.stack([deep] * 3, -1))
    assert np.abs(read_image(tmp_path / "colour.png").astype(int) - expected[:, :, None]).max() <= 1


def test_pixels_without_a_range_are_refused(tmp_path):
    Image.fromarray(np.ones((9, 9), np.float32)).save(tmp_path / "shares.tif")
    with pytest.raises(ImageError, match=r"shares.tif: its pixels are fractions"):
        read_image(tmp_path / "shares.tif")
    Image.fromarray(np.full((9, 9), 70000, np.int32)).save(tmp_path / "wide.tif")
    with pytest.raises(ImageError, match=r"wide.tif: its pixels have more than 16 bits"):
        read_image(tmp_path / "wide.tif")


def test_of_an_animation_the_first_picture(tmp_path):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime")]
    for name in ("moving.webp", "gif-by-another-name.png"):
        kind = "GIF" if "gif" in name else "WEBP"
        frames[0].save(
            tmp_path / name, kind, save_all=True, append_images=frames[1:], lossless=True
        )
        assert np.abs(read_image(tmp_path / name).astype(int) - (255, 0, 0)).max() <= 1
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert [path.suffix for path in find_images(tmp_path)] == [".png", ".webp"]


def test_a_bomb_is_not_decoded(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    assert path.stat().st_size < 100_000
    said = r"too many pixels to be a photograph \(400,000,000, at most 80,000,000 are read\)"
    with pytest.raises(ImageError, match=f"bomb.png: {said}; make it smaller"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_our_own_limit_of_pixels_is_looked_at_before_decoding(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"large.{suffix}"
    Image.new("RGB", (100, 81)).save(path)
    monkeypatch.setattr("annotations.pixels.MAX_PIXELS", 8_100)
    assert read_image(path).shape == (81, 100, 3)
    monkeypatch.setattr("annotations.pixels.MAX_PIXELS", 8_099)

    def decode(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("annotations.pixels._decode_whole_jpeg", decode)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    for read in (read_image, lambda path: read_image(path, (80, 80))):
        with pytest.raises(ImageError, match=r"photograph \(8,100, at most 8,099 are read\)"):
            read(path)
    if suffix == "jpg":
        assert read_size(path) == (100, 81)  # of the header alone
        return
    with pytest.raises(ImageError, match="too many pixels"):
        read_size(path)


def test_a_jpeg_is_as_large_as_it_is_decoded(tmp_path, monkeypatch):
    """Of a photograph of 108 million pixels an eighth may be all that is wanted."""
    path = tmp_path / "large.jpg"
    Image.new("RGB", (160, 128)).save(path)
    monkeypatch.setattr("annotations.pixels.MAX_PIXELS", 400)
    assert read_image(path, (16, 16)).shape == (16, 20, 3)
    with pytest.raises(ImageError, match="too many pixels"):
        read_image(path, (30, 30))


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="Linux tells the peak there")
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "I;16"])
def test_a_decoded_image_is_held_twice_at_most(tmp_path, mode):
    """Four bytes a pixel as decoded, three as given back; each whole copy beside would be more."""
    path, count = tmp_path / "flat.png", 3000 * 3000
    Image.new(mode, (3000, 3000)).save(path)
    script = (
        "import re, sys; from pathlib import Path; from annotations.pixels import read_image;"
        "status = Path('/proc/self/status');"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1]) * 1024;"
        "before = peak(); read_image(Path(sys.argv[1])); print(peak() - before)"
    )
    words = [sys.executable, "-c", script, str(path)]
    grown = int(subprocess.run(words, capture_output=True, check=True, text=True).stdout)
    assert grown < 10 * count


def test_strips_are_put_together_as_the_whole(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (1100, 20, 3), dtype=np.uint8)
    exif = Image.Exif()
    for orientation in (1, 3, 6):
        exif[0x0112] = orientation
        Image.fromarray(noise).save(tmp_path / "tall.png", exif=exif)
        turned = np.rot90(noise, {1: 0, 3: 2, 6: -1}[orientation])
        pixels = read_image(tmp_path / "tall.png")
        np.testing.assert_array_equal(pixels, turned)
        assert pixels.flags.writeable and pixels.flags.c_contiguous


def test_reasons_name_no_file(tmp_path):
    path = tmp_path / "no\nimage.jpg"
    path.write_bytes(b"text")
    said = f"{path}: not a readable image (cannot identify image file)"
    with pytest.raises(ImageError, match=f"^{re.escape(said)}$"):
        read_image(path)
    path.unlink()
    path.mkdir()
    said = f"{path}: not a readable image (Is a directory)"
    with pytest.raises(ImageError, match=f"^{re.escape(said)}$"):
        read_image(path)


def test_pictures_of_other_suffixes_are_told(tmp_path, draw):
    for name in ("a/1.gif", "a/2.GIF", "a/3.heic", "b/4.jfif", "notes.txt", "a/.5.gif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    said = [
        f"{tmp_path}/a/3.heic: .heic files are not read; save as JPEG or PNG",
        f"{tmp_path}/a: 2 .gif files are not read; save as JPEG or PNG",
        f"{tmp_path}/b/4.jfif: .jfif files are not read; rename to .jpg",
    ]
    with pytest.raises(InputError, match=r"no image in it .*; .*/a/3.heic: .heic files are not"):
        find_images(tmp_path)
    draw(tmp_path / "c.png")
    closed: list[str] = []
    assert find_images(tmp_path, closed) == [tmp_path / "c.png"]
    assert closed == said and read_images(tmp_path).closed == tuple(said)
    with pytest.raises(InputError, match=r"1.gif: is no image file; those end in .bmp, "):
        read_images(tmp_path / "a" / "1.gif")


def test_a_circle_of_links_and_names_of_two_lines(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "round").symlink_to(tmp_path)
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "gone.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "in" / "two\nlines.png")
    assert [path.name for path in find_images(tmp_path)] == ["two\nlines.png"]


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    require_writable(tmp_path / "new" / "one")
    assert list((tmp_path / "new" / "one").iterdir()) == []
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"file.*: cannot be written to \("):
            require_writable(place)
    assert (tmp_path / "file").read_text() == "mine"


def found_in(folder):
    return [path.relative_to(folder).as_posix() for path in find_images(folder)]


def test_linked_folders_are_read_once(tmp_path, draw):
    """By their own path where they lie in the folder, else by the first of their links."""
    home, nas = tmp_path / "home", tmp_path / "nas"
    draw(home / "z" / "own.png")
    for name in ("c1/1.png", "c2/deep/2.png"):
        draw(nas / name)
    (home / "a").symlink_to(home / "z")
    (home / "c1").symlink_to(nas / "c1")
    (home / "b1").symlink_to("../nas/c1")
    (home / "z" / "second").symlink_to(nas / "c2")
    assert found_in(home) == ["b1/1.png", "z/own.png", "z/second/deep/2.png"]
    # A link in a linked folder is followed, too; a folder that was reached is not read again.
    (nas / "c2" / "more").symlink_to(tmp_path / "third")
    draw(tmp_path / "third" / "3.png")
    (tmp_path / "third" / "again").symlink_to(nas / "c1")
    assert found_in(home)[-2:] == ["z/second/deep/2.png", "z/second/more/3.png"]
    assert len(found_in(home)) == 4


def test_links_to_folders_around_are_circles(tmp_path, draw):
    """What lies beside the folder is not brought in by a link to the one above."""
    draw(tmp_path / "home" / "c1" / "1.png")
    draw(tmp_path / "beside" / "2.png")
    nas = tmp_path / "nas"
    draw(nas / "c2" / "3.png")
    draw(nas / "beside" / "4.png")
    (tmp_path / "home" / "up").symlink_to(tmp_path)
    (tmp_path / "home" / "c2").symlink_to(nas / "c2")
    (nas / "c2" / "up").symlink_to(nas)
    (nas / "c2" / "home").symlink_to(tmp_path / "home")
    assert found_in(tmp_path / "home") == ["c1/1.png", "c2/3.png"]
    assert [path.name for path in find_images(tmp_path / "home" / "c2")] == ["3.png", "1.png"]


def test_a_linked_folder_that_cannot_be_listed_is_named(tmp_path, draw, monkeypatch):
    draw(tmp_path / "home" / "1.png")
    (tmp_path / "nas").mkdir()
    link = tmp_path / "home" / "c1"
    link.symlink_to(tmp_path / "nas")
    scandir = os.scandir

    def refusing(place):
        if place == str(link):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refusing)
    assert read_images(tmp_path / "home").closed == (
        f"{link}: cannot be listed (Permission denied)",
    )

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotations.errors import InputError
from annotations.files import whole_file, whole_folder, write_text
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

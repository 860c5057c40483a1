from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from annotations.datasets import detect_dataset, read_images
from annotations.errors import InputError
from annotations.pairs import Pairs

A, B, C, D = "1/7/2011/a.jpg", "1/7/2012/b.jpg", "2/9/unknown/c.jpg", "2/3/2010/d.jpg"
LISTS = "data/train_test_split/"
FILES: dict[str, str | bytes] = {
    **{f"data/image/{name}": "" for name in (A, B, C, D)},
    "data/label/1/7/2011/a.txt": "4\r\n1\r\n1 31 640 480\r\n",
    "data/label/1/7/2012/b.txt": "-1\n1\n12 20 400 300",
    "data/label/2/9/unknown/c.txt": "2\n1\n1 1 2 2\n\n",
    LISTS + "classification/train.txt": f"{A}\r\n",
    LISTS + "classification/test.txt": f"{B}\r\n",
    LISTS + "verification/verification_train.txt": f"{C}\n",
    LISTS + "verification/verification_pairs_easy.txt": f"{A} {B} 1\n{A} {D} 0\n",
    "data/misc/attributes.txt": (
        "model_id maximum_speed displacement door_number seat_number type\n"
        "7 235 1.8 4 5 3\n9 0 0.0 0 0 0\n3 180 2.0 5 5 9\n"
    ),
}


def cells(**arrays: list[list[object]]) -> bytes:
    """A MATLAB file with cell arrays."""
    made = {}
    for name, rows in arrays.items():
        made[name] = np.empty((len(rows), len(rows[0])), object)
        for i, row in enumerate(rows):
            made[name][i] = [np.array([]) if cell is None else cell for cell in row]
    file = io.BytesIO()
    savemat(file, made)
    return file.getvalue()


NAMES = cells(
    make_names=[["Audi"], ["BWM "]],
    model_names=[[None]] * 6 + [["Audi A4"], [None], ["BMW X5"]],
)


def test_read(write, known) -> None:
    root = write(FILES)
    assert detect_dataset(root) == "compcars"
    assert known(root) == {
        A: {
            "make": "1", "model": "7", "year": 2011, "type": "sedan", "split": "train",
            "list": "classification", "viewpoint": "front-side",
            "left": 0.0, "top": 30.0, "right": 640.0, "bottom": 480.0,
        },
        B: {
            "make": "1", "model": "7", "year": 2012, "type": "sedan", "split": "test",
            "list": "classification", "left": 11.0, "top": 19.0, "right": 400.0, "bottom": 300.0,
        },
        C: {
            "make": "2", "model": "9", "split": "train", "list": "verification",
            "viewpoint": "rear", "left": 0.0, "top": 0.0, "right": 2.0, "bottom": 2.0,
        },
        D: {"make": "2", "model": "3", "year": 2010, "type": "hardtop convertible"},
    }  # fmt: skip
    images = read_images(root)
    images.require_files()
    assert images.root == root / "data" / "image"
    assert known(root / "data") == known(root)


def test_names_and_numbers_without_one(write, known) -> None:
    root = write({**FILES, "data/misc/make_model_name.mat": NAMES})
    table = known(root)
    assert [table[A][column] for column in ("make", "model")] == ["Audi", "Audi A4"]
    assert [table[C][column] for column in ("make", "model")] == ["BWM", "BMW X5"]
    assert table[D]["model"] == "3"


def test_bare_images_are_enough(write, known) -> None:
    root = write([f"data/image/{A}"])
    assert known(root, "compcars") == {A: {"make": "1", "model": "7", "year": 2011}}


def test_own_pairs(write) -> None:
    root = write(FILES)
    path = root / LISTS / "verification" / "verification_pairs_easy.txt"
    pairs = Pairs.read(path)
    images = read_images(root)
    pairs.require_images(images)
    assert list(pairs.frame["same"]) == [True, False]
    path.write_text(f"{A} {B} 1\n{A} 9/9/2010/x.jpg 0\n")
    with pytest.raises(InputError, match=r"easy.txt: row 2: .*no image '9/9/2010/x.jpg'"):
        Pairs.read(path).require_images(images)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("data/label/1/7/2011/a.txt", "6\n1\n1 2 3 4\n", "line 1: '6' is not a viewpoint"),
        ("data/label/1/7/2011/a.txt", "1\n2\n1 2 3 4\n", "line 2: '2' is not the number of boxes"),
        ("data/label/1/7/2011/a.txt", "1\n1\n1 2 3\n", "line 3: '1 2 3' is not a box"),
        ("data/label/1/7/2011/a.txt", "1\n1", "line 3: '' is not a box"),
        (LISTS + "classification/train.txt", f"{A}\n1/7/2011/x.jpg", "line 2: .*'1/7/2011/x.jpg'"),
        (LISTS + "classification/test.txt", A, f"line 1: '{A}' is in .*/train.txt"),
        ("data/misc/attributes.txt", "7 235 1.8\n", "line 1: '7 235 1.8' is not a model's six"),
        ("data/misc/make_model_name.mat", "no", "not a readable MATLAB file"),
        ("data/misc/make_model_name.mat", cells(x=[["y"]]), "no variable 'make_names' in it"),
    ],
)
def test_mistakes_name_file_and_line(write, file: str, text: str | bytes, message: str) -> None:
    root = write({**FILES, file: text})
    with pytest.raises(InputError, match=f"{file}: {message}"):
        read_images(root)


def test_images_elsewhere(write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="comp_cars"):
        read_images(write(["data/image/1/a.jpg"]), "compcars")
    write(["data/image/audi/a4/2011/a.jpg"])
    with pytest.raises(InputError, match=r"image/audi/a4/2011/a.jpg: not a name like MAKE/"):
        read_images(tmp_path, "compcars")

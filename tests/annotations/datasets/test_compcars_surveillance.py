from __future__ import annotations

import io

import numpy as np
import pytest
from scipy.io import savemat

from annotations.datasets import detect_dataset, read_images
from annotations.errors import InputError

A, B, C = "1/a.jpg", "2/b.jpg", "3/c.jpg"
FILES: dict[str, str | bytes] = {
    **{f"sv_data/image/{name}": "" for name in (A, B, C)},
    "sv_data/train_surveillance.txt": f"{A}\n",
    "sv_data/test_surveillance.txt": f"{B}\n",
}


def cells(name: str, rows: list[list[object]]) -> bytes:
    array = np.empty((len(rows), len(rows[0])), object)
    for i, row in enumerate(rows):
        array[i] = row
    file = io.BytesIO()
    savemat(file, {name: array})
    return file.getvalue()


def colours(*rows: list[object]) -> bytes:
    return cells("color_list", list(rows))


def test_read(write, known) -> None:
    root = write(FILES)
    assert detect_dataset(root) == detect_dataset(root / "sv_data") == "compcars-surveillance"
    assert known(root) == known(root / "sv_data")
    assert known(root) == {
        A: {"model": "1", "split": "train", "viewpoint": "front"},
        B: {"model": "2", "split": "test", "viewpoint": "front"},
        C: {"model": "3", "viewpoint": "front"},
    }
    read_images(root).require_files()


def test_names_and_colours(write, known) -> None:
    names = cells("sv_make_model_name", [["Audi", "A4L", 12], ["BWM", "BWM X5", 7]])
    root = write(
        {
            **FILES,
            "sv_data/sv_make_model_name.mat": names,
            "sv_data/color_list.mat": colours([A, 9], [B, -1]),
        }
    )
    table = known(root)
    assert [table[A][c] for c in ("make", "model", "colour")] == ["Audi", "A4L", "silver"]
    assert table[B] == {
        "make": "BWM", "model": "BWM X5", "split": "test", "viewpoint": "front",
    }  # fmt: skip
    assert table[C]["model"] == "3"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("train_surveillance.txt", f"{A}\n1/x.jpg\n", "line 2: .*'1/x.jpg'.*comp_cars"),
        ("test_surveillance.txt", A, "line 1: '1/a.jpg' is in train_surveillance.txt"),
        ("color_list.mat", colours([A, 1], [B, 12]), "row 2 of 'color_list': no colour 12"),
        ("color_list.mat", colours([A], [B]), "row 1 of 'color_list': 1 cells, not 2"),
        ("color_list.mat", colours([A, 1], [A, 2]), f"line 2: '{A}' is there twice"),
    ],
)
def test_mistakes_name_file_and_row(write, file: str, text: str | bytes, message: str) -> None:
    root = write({**FILES, f"sv_data/{file}": text})
    with pytest.raises(InputError, match=f"{file}: {message}"):
        read_images(root)

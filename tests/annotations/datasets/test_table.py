from __future__ import annotations

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.errors import InputError


def test_in_a_folder_or_alone(write, known) -> None:
    root = write(["a.jpg", "deep/b.jpg"])
    path = root / "images.csv"
    path.write_text("image,identity,camera\na.jpg,007,c1\ndeep/b.jpg,007,c2\n")
    assert detect_dataset(root) == detect_dataset(path) == "table"
    assert known(root) == known(path)
    assert known(path)["a.jpg"] == {"identity": "007", "camera": "c1"}
    read_images(root).write(root / "images.parquet")
    assert known(root) == known(path)
    (root / "a.jpg").unlink()
    with pytest.raises(InputError, match="1 of 2 image files are missing"):
        read_images(root)


def test_make_type_and_box_are_checked(write, known) -> None:
    csv = "image,make,type,left,top,right,bottom,split\na.jpg,07,suv,0,1.5,20,,test\n"
    root = write({"a.jpg": "", "images.csv": csv})
    assert known(root)["a.jpg"] == {
        "make": "07", "type": "suv", "left": 0.0, "top": 1.5, "right": 20.0, "split": "test",
    }  # fmt: skip
    write({"images.csv": csv.replace("1.5", "high")})
    with pytest.raises(InputError, match=r"images.csv: row 2 .*'top' is not a number"):
        read_images(root)
    write({"images.csv": csv.replace("test", "tset")})
    with pytest.raises(InputError, match=r"row 2 .*did you mean 'test'"):
        read_images(root)

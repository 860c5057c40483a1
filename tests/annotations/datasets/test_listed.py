from __future__ import annotations

import pandas as pd
import pytest

from annotations.datasets.listed import image_names, lookup, read_any_text
from annotations.errors import InputError


def test_images_at_their_depth_alone(write) -> None:
    root = write(
        ["b.jpg", "a.PNG", ".hidden.jpg", "note.txt", "x/c.jpeg", "x/.y/d.jpg", "x/y/e.bmp"]
    )
    assert image_names(root) == ["a.PNG", "b.jpg"]
    assert image_names(root, depth=1) == ["x/c.jpeg"]
    assert image_names(root, depth=2) == ["x/y/e.bmp"]
    with pytest.raises(InputError, match="no image in it 3 folders down"):
        image_names(root, depth=3)
    with pytest.raises(InputError, match=r"b.jpg: no such folder"):
        image_names(root / "b.jpg")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb2312"])
def test_texts_of_chinese_sets(write, encoding: str) -> None:
    root = write({"names.txt": "奥迪 2\n".encode(encoding)})
    assert read_any_text(root / "names.txt") == "奥迪 2\n"


def test_one_value_per_key() -> None:
    keys = pd.Series(["a", "b", "a"], [1, 4, 6])
    assert lookup(keys, pd.Series(["x", "y", "x"], keys.index), "f").to_dict() == {
        "a": "x",
        "b": "y",
    }
    with pytest.raises(InputError, match="f: line 6: 'a' is there twice, with different values"):
        lookup(keys, pd.Series(["x", "y", "z"], keys.index), "f")

from __future__ import annotations

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.errors import InputError


def test_rules(write, known) -> None:
    root = write(
        [
            "train/0001/c1/x.jpg",
            "query/0002/y_C002_7.jpg",
            "gallery/z-cam3.png",
            "test/0003/t.jpg",
            "car/north/w_c004_.jpg",
            "flat.jpg",
            "traffic12.jpg",
        ]
    )
    assert detect_dataset(root) == "folder"
    assert known(root) == {
        "train/0001/c1/x.jpg": {"split": "train", "identity": "0001", "camera": "c1"},
        "query/0002/y_C002_7.jpg": {"split": "query", "identity": "0002", "camera": "c002"},
        "gallery/z-cam3.png": {"split": "gallery", "camera": "cam3"},
        "test/0003/t.jpg": {"split": "test", "identity": "0003"},
        "car/north/w_c004_.jpg": {"identity": "car", "camera": "north"},
        "flat.jpg": {},
        "traffic12.jpg": {},
    }


def test_too_deep_or_empty(tmp_path, write) -> None:
    with pytest.raises(InputError, match="no image in it"):
        read_images(tmp_path)
    write(["a/b/c/x.jpg"])
    with pytest.raises(InputError, match=r"a/b/c/x.jpg: too deep"):
        read_images(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        read_images(tmp_path / "absent")


def test_a_split_by_another_name_is_refused(write) -> None:
    with pytest.raises(InputError, match=r"val: looks like a split; .* gallery and test here"):
        read_images(write(["val/0001/x.jpg"]))

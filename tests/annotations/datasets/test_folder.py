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


@pytest.mark.parametrize(
    "names", [("c001", "C2"), ("cam2", "CAM10"), ("camera_3", "Camera-04"), ("cam-01", "c_1")]
)
def test_folders_that_are_called_as_cameras_are_cameras(write, known, names) -> None:
    files = [f"{name}/{number}.jpg" for name in names for number in range(2)]
    root = write([*files, "flat_c7_.jpg"])
    expected = {file: {"camera": file.split("/")[0]} for file in files}
    assert known(root) == expected | {"flat_c7_.jpg": {"camera": "c7"}}
    write([f"train/{names[0]}/x.jpg"])
    assert known(root)[f"train/{names[0]}/x.jpg"] == {"split": "train", "camera": names[0]}


@pytest.mark.parametrize("other", ["car/x.jpg", "c1/north/x.jpg", "c1x/x.jpg", "campus1/x.jpg"])
def test_other_folders_beside_them_make_them_identities(write, known, other) -> None:
    assert known(write(["c1/1.jpg", other]))["c1/1.jpg"] == {"identity": "c1"}

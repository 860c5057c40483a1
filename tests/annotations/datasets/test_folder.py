from __future__ import annotations

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.datasets.folder import in_words
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
    with pytest.raises(InputError, match=r"a/b/c: 1 image too deep; images belong in"):
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


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("car/x.jpg", {"identity": "car"}),
        ("c1x/x.jpg", {"identity": "c1x"}),
        ("campus1/x.jpg", {"identity": "campus1"}),
        ("c1/north/x.jpg", {"camera": "c1"}),
        ("c1/2026-05-01/13/x.jpg", {"camera": "c1"}),
        ("2026-05-01/cam2/x.jpg", {"camera": "cam2"}),
        ("0001/c1/night/1/x.jpg", {"identity": "0001", "camera": "c1"}),
        ("0001/2026-05-01/c1/x.jpg", {"identity": "0001", "camera": "c1"}),
        ("site/0001/c1/x.jpg", {"camera": "c1"}),
        ("car/2026.05.01/x_c3_.jpg", {"identity": "car", "camera": "c3"}),
        ("20260501/x.jpg", {"identity": "20260501"}),
    ],
)
def test_a_further_folder_changes_nothing_of_others(write, known, other, says) -> None:
    """Cameras' folders grow every hour; one odd folder in them made identities of all cameras."""
    before = known(write(["c1/1.jpg", "c2/1.jpg"]))
    assert before == {"c1/1.jpg": {"camera": "c1"}, "c2/1.jpg": {"camera": "c2"}}
    assert known(write([other])) == before | {other: says}


def test_images_that_are_too_deep_leave_the_others(write, known, caplog) -> None:
    root = write(["c1/1.jpg", "a/b/c/1.jpg", "a/b/c/2.jpg", "train/a/b/d/e/3.jpg"])
    assert known(root) == {"c1/1.jpg": {"camera": "c1"}}
    assert "3 images too deep left out" in caplog.text
    lines = read_images(root).closed
    assert [line.split("; ")[0] for line in lines] == [
        f"{root}/a/b/c: 2 images too deep", f"{root}/train/a/b/d/e: 1 image too deep",
    ]  # fmt: skip
    assert all(line.endswith("; for another layout write an images.csv") for line in lines)


def test_an_identity_may_be_called_as_a_camera_is(write, known) -> None:
    """A camera has no cameras: the outer of two such folders, with nothing above, is no camera."""
    paths = ["c1/cam1/a.jpg", "c1/cam2/2026-05-01/b.jpg", "c1/c.jpg", "2026-05-01/c2/cam1/d.jpg"]
    assert known(write(paths)) == {
        "c1/cam1/a.jpg": {"identity": "c1", "camera": "cam1"},
        "c1/cam2/2026-05-01/b.jpg": {"identity": "c1", "camera": "cam2"},
        "c1/c.jpg": {"camera": "c1"},
        "2026-05-01/c2/cam1/d.jpg": {"identity": "c2", "camera": "cam1"},
    }


def test_how_folders_were_read_in_words(write) -> None:
    root = write(["c1/1.jpg", "c2/2026/1.jpg"])
    assert in_words(read_images(root)) == "2 cameras, identities unknown"
    write(["0001/x.jpg", "0001/c1/x.jpg", "x.jpg"])
    assert in_words(read_images(root)) == (
        "1 identity (3 images without), 2 cameras (2 images without)"
    )

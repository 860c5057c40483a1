from __future__ import annotations

from pathlib import Path

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.errors import InputError

FILES = {
    **{f"images/{v}_cam{c}.jpg": "" for v in ("car_0001", "truck_0001", "bus_7") for c in (1, 2)},
    "train.txt": "car_0001_cam1.jpg\ncar_0001_cam2.jpg",
    "val.txt": "truck_0001_cam2.jpg\ntruck_0001_cam1.jpg",
}


def test_read(write, known) -> None:
    root = write(FILES)
    assert detect_dataset(root) == "twocam"
    table = known(root)
    assert len(table) == 6
    row = {"identity": "truck_0001", "camera": "cam1", "split": "query", "type": "truck"}
    assert table["images/truck_0001_cam1.jpg"] == row
    assert table["images/truck_0001_cam2.jpg"]["split"] == "gallery"
    assert table["images/car_0001_cam2.jpg"]["split"] == "train"
    assert "split" not in table["images/bus_7_cam1.jpg"]


def test_mistakes_are_named(write) -> None:
    root = write({**FILES, "val.txt": FILES["val.txt"] + "\ncar_0001_cam1.jpg"})
    with pytest.raises(InputError, match=r"val.txt: line 3: 'car_0001_cam1.jpg' is in train.txt"):
        read_images(root)
    write({"val.txt": "car_0002_cam1.jpg"})
    with pytest.raises(InputError, match=r"val.txt: line 1: .*no image 'car_0002_cam1.jpg'"):
        read_images(root)
    write(["images/car-3.jpg"])
    with pytest.raises(InputError, match=r"car-3.jpg: not a name like"):
        read_images(root)


def test_real(real: Path) -> None:
    images = read_images(real / "twocam")
    frame = images.frame
    assert frame["split"].value_counts().to_dict() == {"train": 810, "query": 102, "gallery": 102}
    assert frame["identity"].nunique() == 507
    images.require_files()

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from annotations.datasets import DATASETS, detect_dataset, read_images
from annotations.datasets.veri776 import LISTS, read_names
from annotations.errors import InputError


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def known(root: Path) -> dict[object, dict[str, object]]:
    """What the images table says of each image, empty cells left out."""
    rows = read_images(root).frame.set_index("image").to_dict("index")
    return {
        image: {name: value for name, value in row.items() if pd.notna(value)}
        for image, row in rows.items()
    }


def test_folder_rules(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "train/0001/c1/x.jpg",
        "query/0002/y_C002_7.jpg",
        "gallery/z-cam3.png",
        "car/north/w_c004_.jpg",
        "flat.jpg",
        "traffic12.jpg",
    )
    assert detect_dataset(tmp_path) == "folder"
    assert known(tmp_path) == {
        "train/0001/c1/x.jpg": {"split": "train", "identity": "0001", "camera": "c1"},
        "query/0002/y_C002_7.jpg": {"split": "query", "identity": "0002", "camera": "c002"},
        "gallery/z-cam3.png": {"split": "gallery", "camera": "cam3"},
        "car/north/w_c004_.jpg": {"identity": "car", "camera": "north"},
        "flat.jpg": {},
        "traffic12.jpg": {},
    }


def test_folder_too_deep_or_empty(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image in it"):
        read_images(tmp_path)
    touch(tmp_path, "a/b/c/x.jpg")
    with pytest.raises(InputError, match=r"a/b/c/x.jpg: too deep"):
        read_images(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        read_images(tmp_path / "absent")


def test_table_in_a_folder_or_alone(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "deep/b.jpg")
    path = tmp_path / "images.csv"
    path.write_text("image,identity,camera\na.jpg,007,c1\ndeep/b.jpg,007,c2\n")
    assert detect_dataset(tmp_path) == detect_dataset(path) == "table"
    assert known(tmp_path) == known(path)
    assert known(path)["a.jpg"] == {"identity": "007", "camera": "c1"}
    read_images(tmp_path).write(tmp_path / "images.parquet")
    assert known(tmp_path) == known(path)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(InputError, match="1 of 2 image files are missing"):
        read_images(tmp_path)


def veri(root: Path) -> None:
    names = {
        "train": ["0001_c001_00016450_0.jpg", "0001_c002_00016450_1.jpg"],
        "gallery": ["0002_c002_00030600_0.jpg"],
        "query": ["0002_c002_00030600_0.jpg"],
    }
    for split, (file, folder) in LISTS.items():
        touch(root, *(f"{folder}/{name}" for name in names[split]))
        (root / file).write_text("\r\n".join(names[split]) + "\r\n\r\n")


def test_veri776(tmp_path: Path) -> None:
    veri(tmp_path)
    touch(tmp_path, "image_train/0009_c001_00000001_0.jpg")
    assert detect_dataset(tmp_path) == "veri776"
    table = known(tmp_path)
    assert len(table) == 4
    assert table["image_query/0002_c002_00030600_0.jpg"] == {
        "identity": "0002",
        "camera": "c002",
        "split": "query",
        "time": 30600.0,
    }


def test_veri776_mistakes_name_file_and_line(tmp_path: Path) -> None:
    veri(tmp_path)
    train = tmp_path / "name_train.txt"
    good = train.read_text()
    for extra, message in (
        ("0001_c9.jpg", r"name_train.txt: line 4: '0001_c9.jpg' is not a name like 0002_c002"),
        ("0003_c001_00000001_0.jpg", r"name_train.txt: line 4: .*image_train has no image '0003"),
        ("0001_c001_00016450_0.jpg", r"name_train.txt: line 4: .* is there twice"),
    ):
        train.write_text(good.strip() + "\n\n" + extra)
        with pytest.raises(InputError, match=message):
            read_images(tmp_path)
    train.write_text("\n")
    with pytest.raises(InputError, match=r"name_train.txt: no image name"):
        read_images(tmp_path)
    train.unlink()
    with pytest.raises(InputError, match=r"name_train.txt: no such file"):
        read_images(tmp_path)
    train.write_text(good)
    shutil.rmtree(tmp_path / "image_query")
    with pytest.raises(InputError, match=r"image_query: no such folder"):
        read_images(tmp_path)


def test_veri776_true_lists(real: Path) -> None:
    counts = {}
    for split in ("train", "test", "query"):
        names = read_names(real / "formats" / f"veri776_name_{split}.txt")
        counts[split] = (len(names), names["identity"].nunique())
    assert counts == {"train": (37778, 576), "test": (11579, 200), "query": (1678, 200)}


def twocam(root: Path) -> None:
    touch(
        root,
        *(f"images/{v}_cam{c}.jpg" for v in ("car_0001", "truck_0001", "bus_7") for c in (1, 2)),
    )
    (root / "train.txt").write_text("car_0001_cam1.jpg\ncar_0001_cam2.jpg")
    (root / "val.txt").write_text("truck_0001_cam2.jpg\ntruck_0001_cam1.jpg")


def test_twocam(tmp_path: Path) -> None:
    twocam(tmp_path)
    assert detect_dataset(tmp_path) == "twocam"
    table = known(tmp_path)
    assert len(table) == 6
    row = {"identity": "truck_0001", "camera": "cam1", "split": "query", "type": "truck"}
    assert table["images/truck_0001_cam1.jpg"] == row
    assert table["images/truck_0001_cam2.jpg"]["split"] == "gallery"
    assert table["images/car_0001_cam2.jpg"]["split"] == "train"
    assert "split" not in table["images/bus_7_cam1.jpg"]


def test_twocam_mistakes_are_named(tmp_path: Path) -> None:
    twocam(tmp_path)
    with (tmp_path / "val.txt").open("a") as file:
        file.write("\ncar_0001_cam1.jpg")
    with pytest.raises(InputError, match=r"val.txt: line 3: 'car_0001_cam1.jpg' is in train.txt"):
        read_images(tmp_path)
    (tmp_path / "val.txt").write_text("car_0002_cam1.jpg")
    with pytest.raises(InputError, match=r"val.txt: line 1: .*no image 'car_0002_cam1.jpg'"):
        read_images(tmp_path)
    touch(tmp_path, "images/car-3.jpg")
    with pytest.raises(InputError, match=r"car-3.jpg: not a name like"):
        read_images(tmp_path)


def test_real_twocam(real: Path) -> None:
    images = read_images(real / "twocam")
    frame = images.frame
    assert frame["split"].value_counts().to_dict() == {"train": 810, "query": 102, "gallery": 102}
    assert frame["identity"].nunique() == 507
    images.require_files()


@pytest.mark.parametrize("kind", DATASETS)
def test_wrong_root_is_one_clear_error(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError, match=tmp_path.name):
        read_images(tmp_path, kind)


def test_unknown_kind_suggests(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'veri776'"):
        read_images(tmp_path, "veri")

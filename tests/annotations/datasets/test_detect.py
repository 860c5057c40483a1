from __future__ import annotations

from pathlib import Path

import pytest

from annotations.datasets import DATASETS, detect_dataset, read_images
from annotations.errors import InputError


@pytest.mark.parametrize("kind", DATASETS)
def test_wrong_root_is_one_clear_error(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError, match=tmp_path.name):
        read_images(tmp_path, kind)


def test_unknown_kind_suggests(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'veri776'"):
        read_images(tmp_path, "veri77")


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"name_test.txt": "0609_c001_00014120_0.jpg\n"}, "veri776"),
        ({"name_test.txt": "\n018199.jpg\n"}, "cityflow"),
        ({"train_test_split/test_list_13164.txt": "1 1"}, "vehicleid-13164"),
        (
            {f"train_test_split/test_list_{n}.txt": "1 1" for n in (13164, 2400, 6000)},
            "vehicleid-2400",
        ),
        ({"train_test_split/test_10000_query.txt": "1/1"}, "veriwild-10000"),
        ({"vric_probe.txt": "a 1 1"}, "vric"),
        ({"misc/make_model_name.mat": ""}, "compcars"),
        ({"sv_data/train_surveillance.txt": ""}, "compcars-surveillance"),
        ({"name_test.txt": "018199.jpg", "images.csv": "image\n"}, "table"),
        ({"name_test.jpg": ""}, "folder"),
    ],
)
def test_list_files_tell_a_set(write, files: dict[str, str], kind: str) -> None:
    assert detect_dataset(write(files)) == kind


def test_an_image_is_a_data_set_of_one(write, known) -> None:
    root = write({"0002_c002_1.JPG": "", "other.jpg": "", "images.csv": "image\nother.jpg\n"})
    path = root / "0002_c002_1.JPG"
    assert detect_dataset(path) == "image"
    assert known(path) == known(path, "image") == {path.name: {}}
    images = read_images(path)
    assert images.root == root and images.source == str(path)
    with pytest.raises(InputError, match=r"images.csv: is no image file; those end in .bmp"):
        read_images(root / "images.csv", "image")

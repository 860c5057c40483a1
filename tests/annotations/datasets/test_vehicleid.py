from __future__ import annotations

from pathlib import Path

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.datasets.listed import read_columns
from annotations.errors import InputError

TRAIN, TEST = "train_test_split/train_list.txt", "train_test_split/test_list_800.txt"
FILES = {
    **{f"image/000000{n}.jpg": "" for n in range(1, 8)},
    TRAIN: "0000001 12\n0000002 12\n",
    "train_test_split/test_list_1600.txt": "0000003 7\n0000004 7\n0000005 9\n",
    TEST: "0000003 7\n0000004 7\n",
    "attribute/img2vid.txt": "0000006 30\n0000001 12\n0000099 31\n",
    "attribute/model_attr.txt": "12 2\n7 237\n",
    "attribute/color_attr.txt": "12 4\n",
}


def test_the_chosen_list_is_the_test_pool_and_every_known_image_a_row(write, known) -> None:
    root = write(FILES)
    assert detect_dataset(root) == "vehicleid-800"
    table = known(root, "vehicleid-1600")
    assert table == {
        "image/0000001.jpg": {"identity": "12", "split": "train", "model": "2", "colour": "silver"},
        "image/0000002.jpg": {"identity": "12", "split": "train", "model": "2", "colour": "silver"},
        "image/0000003.jpg": {"identity": "7", "split": "test", "model": "237"},
        "image/0000004.jpg": {"identity": "7", "split": "test", "model": "237"},
        "image/0000005.jpg": {"identity": "9", "split": "test"},
        "image/0000006.jpg": {"identity": "30"},
    }
    assert "split" not in known(root, "vehicleid-800")["image/0000005.jpg"]


def test_model_names_in_chinese(write, known) -> None:
    root = write({**FILES, "attribute/model_names.txt": "奥迪 A6L 2\n".encode("gbk")})
    table = known(root)
    assert table["image/0000001.jpg"]["model"] == "奥迪 A6L"
    assert table["image/0000003.jpg"]["model"] == "237"


def test_without_attributes(write) -> None:
    root = write({name: text for name, text in FILES.items() if "attribute" not in name})
    assert set(read_images(root).frame) == {"image", "identity", "camera", "split"}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (TRAIN, "0000001 12\n0000008 12", "line 2: .*'0000008.jpg'.*pkuml"),
        (TEST, "0000003 7\n\n0000004\n", "line 3: '0000004' is not an"),
        (TEST, "0000003 7\n0000002 12", "line 2: .* in train_list.txt"),
        (TEST, "0000003 7\n0000003 8", "line 2: .* is there twice"),
        ("attribute/model_attr.txt", "12 2\n12 3", "line 2: '12' is there twice, with different"),
        ("attribute/color_attr.txt", "12\n", "line 1: '12' is not a vehicle and its colour"),
        ("attribute/model_names.txt", "Audi\n", "line 1: 'Audi' is not a name and its number"),
    ],
)
def test_mistakes_name_file_and_line(write, file: str, text: str, message: str) -> None:
    root = write({**FILES, file: text})
    with pytest.raises(InputError, match=f"{file}: {message}"):
        read_images(root)


def test_a_bare_name_lists_the_sizes(write) -> None:
    with pytest.raises(
        InputError, match=r"vehicleid-\d+'.*vehicleid-13164, vehicleid-1600, .*-800"
    ):
        read_images(write(FILES), "vehicleid")
    with pytest.raises(InputError, match=r"test_list_6000.txt: no such file; .*pkuml"):
        read_images(write(FILES), "vehicleid-6000")


def test_true_lists(real: Path, write, known) -> None:
    formats = real / "formats"
    rows = read_columns(formats / "vehicleid_img2vid_head.txt", ("image", "vehicle"), "")
    models = (formats / "vehicleid_model_attr_head.txt").read_text()
    vehicle, model = models.split()[:2]
    root = write(
        {
            **{f"image/{name}.jpg": "" for name in rows["image"]},
            "image/0000001.jpg": "",
            "train_test_split/train_list.txt": f"0000001 {vehicle}",
            "train_test_split/test_list_800.txt": " ".join(rows.iloc[0]),
            "attribute/img2vid.txt": (formats / "vehicleid_img2vid_head.txt").read_text(),
            "attribute/model_attr.txt": models,
        }
    )
    table = known(root)
    assert len(table) == 201
    assert table["image/0000001.jpg"]["model"] == model
    assert table["image/0287057.jpg"] == {"identity": "24405", "split": "test"}
    assert table["image/0269688.jpg"] == {"identity": "22935"}

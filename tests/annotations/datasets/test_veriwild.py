from __future__ import annotations

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.errors import InputError

SPLITS = "train_test_split/"
INFO = (
    "id/image;Camera ID;Time;Model;Type;Color\n"
    "00001/000001;12;2018-03-11 07:42:32;Audi A4;sedan;White\n"
    "00001/000002;13;2018-03-11 07:42:33;Audi A4;sedan;White\n"
    "00002/000003;14;;;SUV;Black\n"
    "00002/000004;15;1970-01-02 00:00:00;;SUV;Black;\n"
    "00003/000005;16;1970/01/01 00:00:01;;SUV;Black\n"
)
FILES = {
    **{f"images/0000{v}/00000{n}.jpg": "" for v, n in ((1, 1), (1, 2), (2, 3), (2, 4), (3, 5))},
    "images/00003/000006.jpg": "",
    SPLITS + "train_list.txt": "00001/000001\n00001/000002\n",
    SPLITS + "test_5000.txt": "00002/000003\n",
    SPLITS + "test_5000_query.txt": "00002/000004.jpg\n",
    SPLITS + "vehicle_info.txt": INFO,
}


def test_read(write, known) -> None:
    root = write(FILES)
    assert detect_dataset(root) == "veriwild-5000"
    assert known(root) == {
        "images/00001/000001.jpg": {
            "identity": "00001", "camera": "12", "split": "train", "time": 1520754152.0,
            "model": "Audi A4", "type": "sedan", "colour": "White",
        },
        "images/00001/000002.jpg": {
            "identity": "00001", "camera": "13", "split": "train", "time": 1520754153.0,
            "model": "Audi A4", "type": "sedan", "colour": "White",
        },
        "images/00002/000003.jpg": {
            "identity": "00002", "camera": "14", "split": "gallery", "type": "SUV",
            "colour": "Black",
        },
        "images/00002/000004.jpg": {
            "identity": "00002", "camera": "15", "split": "query", "time": 86400.0, "type": "SUV",
            "colour": "Black",
        },
        "images/00003/000005.jpg": {
            "identity": "00003", "camera": "16", "time": 1.0, "type": "SUV", "colour": "Black",
        },
    }  # fmt: skip


def test_the_smallest_set_and_any_header(write, known) -> None:
    root = write(FILES)
    write(
        {
            SPLITS + "test_3000.txt": "00002/000004\n",
            SPLITS + "test_3000_query.txt": "00002/000003\n",
        }
    )
    assert detect_dataset(root) == "veriwild-3000"
    table = known(root)
    for text in (INFO.partition("\n")[2], INFO.replace("id/image", "\ufeffVehicle / Image")):
        write({SPLITS + "vehicle_info.txt": text})
        assert known(root) == table
    assert table["images/00002/000003.jpg"]["split"] == "query"
    assert known(root, "veriwild-5000")["images/00002/000003.jpg"]["split"] == "gallery"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("train_list.txt", "00001/000001\n00001/000009\n", "line 2: .*'00001/000009'.*VERI-Wild"),
        ("train_list.txt", "00001/000001\n000002\n", "line 2: '000002' is not like 00001/000001"),
        ("test_5000_query.txt", "00002/000003\n", "line 1: '00002/000003' is in test_5000.txt"),
        ("test_5000.txt", "00001/000002\n", "line 1: '00001/000002' is in train_list.txt"),
        ("vehicle_info.txt", INFO + "00009/000009;3;2018", "line 7: '00009/000009;3;2018' is not"),
        ("vehicle_info.txt", INFO.replace("1970-01-02", "1970-13-02"), "line 5: '1970-13-02 00"),
        ("vehicle_info.txt", INFO.replace("000004;", "000003;"), "line 5: .*/000003' is there tw"),
    ],
)
def test_mistakes_name_file_and_line(write, file: str, text: str, message: str) -> None:
    root = write({**FILES, SPLITS + file: text})
    with pytest.raises(InputError, match=f"{file}: {message}"):
        read_images(root)


def test_cameras_are_asked_for(write) -> None:
    root = write({name: text for name, text in FILES.items() if "info" not in name})
    with pytest.raises(InputError, match=r"vehicle_info.txt: no such file; .*VERI-Wild"):
        read_images(root)

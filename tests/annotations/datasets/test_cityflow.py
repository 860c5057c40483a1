from __future__ import annotations

from pathlib import Path

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.datasets.tracks import read_tracks
from annotations.errors import InputError

LABELS = "train_label.xml"
XML = """<?xml version="1.0" encoding="gb2312" ?>
<TrainingImages Version="1.0">
    <Items number="2">
        <Item imageName="000001.jpg" vehicleID="0347" cameraID="c026" />
        <Item imageName="000002.jpg" vehicleID="0308" cameraID="c033" />
    </Items>
</TrainingImages>
"""
FILES = {
    "train_label.xml": XML,
    "name_test.txt": "000001.jpg\n000002.jpg\n",
    "name_query.txt": "000001.jpg\n",
    "test_track.txt": "000001.jpg \n000002.jpg \n",
    "image_train/000001.jpg": "",
    "image_train/000002.jpg": "",
    "image_test/000001.jpg": "",
    "image_test/000002.jpg": "",
    "image_query/000001.jpg": "",
}


def test_read(write, known) -> None:
    root = write(FILES)
    assert detect_dataset(root) == "cityflow"
    table = known(root)
    assert table == {
        "image_train/000001.jpg": {"identity": "0347", "camera": "c026", "split": "train"},
        "image_train/000002.jpg": {"identity": "0308", "camera": "c033", "split": "train"},
        "image_test/000001.jpg": {"split": "gallery", "track": "test_track-1"},
        "image_test/000002.jpg": {"split": "gallery", "track": "test_track-2"},
        "image_query/000001.jpg": {"split": "query"},
    }
    write({"train_track.txt": "000002.jpg 000001.jpg \n"})
    assert known(root)["image_train/000001.jpg"]["track"] == "train_track-1"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (LABELS, XML[:-60], "line 5: not XML, or cut off there"),
        (LABELS, XML.replace(' cameraID="c033"', ""), "line 5: an <Item> without cameraID"),
        (LABELS, XML.replace("02.jpg", "01.jpg"), "line 5: '000001.jpg' is there twice"),
        (LABELS, XML.replace("02.jpg", "09.jpg"), "line 5: .*no image '000009.jpg'.*aicity"),
        ("name_test.txt", "000001.jpg\n000003.jpg", "line 2: .*image_test has no image '000003"),
        ("test_track.txt", "000001.jpg\n000002.jpg 000001.jpg", "line 2: '000001.jpg' is there"),
    ],
)
def test_mistakes_name_file_and_line(write, file: str, text: str, message: str) -> None:
    root = write({**FILES, file: text})
    with pytest.raises(InputError, match=f"{file}: {message}"):
        read_images(root)


def test_true_head_is_cut_off_until_it_is_closed(real: Path, write, known) -> None:
    text = (real / "formats" / "cityflow_train_label_head.xml").read_text()
    names = [part.split('"')[0] for part in text.split('imageName="')[1:]]
    root = write({**FILES, "train_label.xml": text, **{f"image_train/{n}": "" for n in names}})
    with pytest.raises(InputError, match=r"train_label.xml: line 13: not XML, or cut off there"):
        read_images(root)
    write({"train_label.xml": text + "</Items></TrainingImages>"})
    row = {"identity": "0347", "camera": "c026", "split": "train"}
    assert known(root)["image_train/021284.jpg"] == row


def test_true_tracks(real: Path, tmp_path: Path) -> None:
    text = (real / "formats" / "cityflow_test_track_head.txt").read_text()
    path = tmp_path / "test_track.txt"
    path.write_text(text)  # its first line is cut off within a name
    with pytest.raises(InputError, match=r"test_track.txt: line 1: '01' is not an image's name"):
        read_tracks(path)
    path.write_text(text.partition("\n")[2])
    tracks = read_tracks(path)
    assert tracks["000094.jpg"] == tracks["003275.jpg"] == "test_track-1"
    assert tracks["016408.jpg"] == "test_track-2"
    assert len(tracks) == text.count(".jpg") - text.partition("\n")[0].count(".jpg")

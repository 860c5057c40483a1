from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.datasets.veri776 import VIEWPOINTS, read_names, read_viewpoints
from annotations.errors import InputError
from pipelines.fleet.traffic import VIEWPOINTS as FLEET

QUERY = "0002_c002_00030600_0.jpg"
TRAIN = ("0001_c001_00016450_0.jpg", "0001_c002_00016450_1.jpg")
FILES = {
    "name_train.txt": "\r\n".join(TRAIN) + "\r\n\r\n",
    "name_test.txt": f"{QUERY}\r\n0002_c003_00030700_0.jpg\r\n",
    "name_query.txt": f"{QUERY}\r\n",
    **{f"image_train/{name}": "" for name in TRAIN},
    f"image_test/{QUERY}": "",
    "image_test/0002_c003_00030700_0.jpg": "",
    f"image_query/{QUERY}": "",
}


def label(name: str, colour: str, kind: str) -> str:
    vehicle, camera = name.split("_")[:2]
    return (
        f'    <Item imageName="{name}" vehicleID="{vehicle}" cameraID="{camera}" '
        f'colorID="{colour}" typeID="{kind}" />\r\n'
    )


def xml(*items: str) -> str:
    return (
        '<?xml version="1.0" encoding="gb2312"?>\r\n<TrainingImages Version="1.0">\r\n'
        f'  <Items number="{len(items)}">\r\n{"".join(items)}  </Items>\r\n</TrainingImages>\r\n'
    )


def keypoints(name: str, orientation: object) -> str:
    return f"VeRi/image_test/{name} {'-1 ' * 20}{'12 ' * 20}{orientation}\n"


def test_lists_alone(write, known) -> None:
    root = write(FILES)
    write(["image_train/0009_c001_00000001_0.jpg"])
    assert detect_dataset(root) == "veri776"
    table = known(root)
    assert len(table) == 5
    assert set(read_images(root).frame) == {"image", "identity", "camera", "split", "time"}
    assert table[f"image_query/{QUERY}"] == {
        "identity": "0002",
        "camera": "c002",
        "split": "query",
        "time": 30600.0,
    }


def test_tracks_labels_and_viewpoints(write, known) -> None:
    root = write(
        {
            **FILES,
            "test_track.txt": f"0002_c003_00030700_0.jpg \n{QUERY} 0099_c001_00000001_0.jpg \n",
            "train_label.xml": xml(label(TRAIN[0], "4", "0"), label(TRAIN[1], "4", "2")),
            "test_label.xml": (xml(label(QUERY, "8", "9")) + "<!-- 灰 -->").encode("gb2312"),
            "keypoint_train.txt": keypoints(TRAIN[0], 4) + keypoints(TRAIN[1], -1),
            "keypoint_test.txt": keypoints(QUERY, 0) + keypoints(QUERY, 0),
        }
    )
    table = known(root)
    first, second = (table[f"image_train/{name}"] for name in TRAIN)
    assert (first["colour"], first["viewpoint"]) == ("gray", "rear-left")
    assert "type" not in first  # 0 in older copies
    assert (second["type"], second.get("viewpoint"), second.get("track")) == ("suv", None, None)
    for folder in ("query", "test"):
        shown = table[f"image_{folder}/{QUERY}"]
        assert [shown[c] for c in ("colour", "type", "viewpoint", "track")] == [
            "golden", "estate", "front", "test_track-2",
        ]  # fmt: skip
    write({"list_color.txt": "4 ash\n8 gold\n", "list_type.txt": "2 jeep\n9 wagon\n"})
    assert known(root)[f"image_train/{TRAIN[1]}"]["type"] == "jeep"
    assert known(root)[f"image_test/{QUERY}"]["colour"] == "gold"


def test_named_tracks(write, known) -> None:
    root = write({**FILES, "test_track.txt": f"0002_c002_t1 {QUERY}\n"})
    assert known(root)[f"image_test/{QUERY}"]["track"] == "0002_c002_t1"


def test_mistakes_in_lists_name_file_and_line(write) -> None:
    root = write(FILES)
    good = FILES["name_train.txt"].strip()
    for extra, message in (
        ("0001_c9.jpg", r"name_train.txt: line 4: '0001_c9.jpg' is not a name like 0002_c002"),
        ("0003_c001_00000001_0.jpg", r"name_train.txt: line 4: .*image_train has no image '0003"),
        (TRAIN[0], r"name_train.txt: line 4: .* is there twice"),
    ):
        write({"name_train.txt": good + "\n\n" + extra})
        with pytest.raises(InputError, match=message):
            read_images(root)
    write({"name_train.txt": "\n"})
    with pytest.raises(InputError, match=r"name_train.txt: nothing in it"):
        read_images(root)
    (root / "name_train.txt").unlink()
    with pytest.raises(InputError, match=r"name_train.txt: no such file; .*VeRidataset"):
        read_images(root)
    write(FILES)
    shutil.rmtree(root / "image_query")
    with pytest.raises(InputError, match=r"image_query: no such folder; .*VeRidataset"):
        read_images(root)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("train_label.xml", xml(label(TRAIN[0], "4", "1"))[:-40], r"line 4: not XML, or cut off"),
        ("train_label.xml", xml(label(TRAIN[0], "4", "12")), r"line 4: typeID is '12'; known: 1,"),
        ("test_label.xml", xml("<Item colorID='1' />"), r"line 4: an <Item> without imageName"),
        ("test_label.xml", xml(), r"no <Item> in it"),
        ("test_label.xml", b"<Items>\xff</Items>", r"neither UTF-8 nor GB2312"),
        ("keypoint_test.txt", keypoints(QUERY, 8), r"line 1: 'VeRi.*' is not an image, 40"),
        ("keypoint_test.txt", keypoints(QUERY, 1)[:-12], r"line 1: .* is not an image, 40"),
        (
            "keypoint_train.txt",
            keypoints(QUERY, 1) + "\n" + keypoints(QUERY, 2),
            rf"line 3: '{QUERY}' is there twice, with different",
        ),
        ("test_track.txt", f"{QUERY} \n{QUERY} \n", rf"line 2: '{QUERY}' is there twice"),
        ("list_color.txt", "1 yellow\norange\n", r"line 2: 'orange' is not a number and a name"),
    ],
)
def test_mistakes_in_optional_files_name_file_and_line(
    write, file: str, text: str | bytes, message: str
) -> None:
    root = write({**FILES, "train_label.xml": xml(label(TRAIN[0], "1", "1")), file: text})
    with pytest.raises(InputError, match=f"{file}: {message}"):
        read_images(root)


def test_true_lists(real: Path) -> None:
    counts = {}
    for split in ("train", "test", "query"):
        names = read_names(real / "formats" / f"veri776_name_{split}.txt")
        counts[split] = (len(names), names["identity"].nunique())
    assert counts == {"train": (37778, 576), "test": (11579, 200), "query": (1678, 200)}


def test_whole_set_of_true_names(real: Path, write, known, caplog) -> None:
    files: dict[str, str] = {}
    for split, folder in (("train", "train"), ("test", "test"), ("query", "query")):
        text = (real / "formats" / f"veri776_name_{split}.txt").read_text()
        files[f"name_{split}.txt"] = text
        if split == "query":
            files |= {f"image_{folder}/{name}": "" for name in text.split()}
        else:
            files[f"image_{folder}/{text.split()[0]}"] = ""
            files[f"name_{split}.txt"] = text.split()[0]
    root = write(files)
    write({"keypoint_test.txt": (real / "formats/veri776_keypoint_test_head.txt").read_text()})
    frame = read_images(root).frame
    assert (frame["split"] == "query").sum() == 1678
    assert [record.message.partition(";")[0] for record in caplog.records] == [
        "veri776: 1 of the 37,778 published training images",
        "veri776: 1 of the 576 published training vehicles",
        "veri776: 1 of the 11,579 published gallery images",
        "veri776: 1 of the 200 published gallery vehicles",
    ]
    assert frame["viewpoint"].notna().sum() > 10


def test_true_keypoints(real: Path) -> None:
    viewpoints = read_viewpoints(real / "formats" / "veri776_keypoint_test_head.txt")
    assert viewpoints["0030_c008_00049745_0.jpg"] == "front-left"
    assert len(viewpoints) == 400
    assert Counter(viewpoints)["rear-left"] == 109
    assert set(viewpoints) == set(VIEWPOINTS.values()) == set(FLEET)

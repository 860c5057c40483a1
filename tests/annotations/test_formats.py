from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO

from annotations.boxes import CORNERS, Boxes
from annotations.errors import InputError
from annotations.formats import FORMATS, ForeignLabels, detect_format
from annotations.images import Images
from annotations.labels import LabelledSet
from annotations.vocabulary import load_vocabulary

PLACES = {
    "coco": "labels.json",
    "csv": "labels.csv",
    "cvat": "labels.xml",
    "labelstudio": "tasks.json",
    "voc": "voc",
    "yolo": "yolo",
}
ROUNDING = 1e-6
"""Pixels by which a format's corners may differ after writing and reading."""


def written(labels: LabelledSet, format: str, folder: Path) -> tuple[Path, ForeignLabels]:
    path = folder / PLACES[format]
    FORMATS[format].write(labels, path)
    root = None if format == "yolo" else labels.images.root
    return path, FORMATS[format].read(path, root)


def assert_same(foreign: ForeignLabels, labels: LabelledSet, within: float) -> None:
    assert sorted(foreign.images["image"]) == sorted(labels.images.frame["image"])
    keys = ["image", "name"]
    ours = labels.boxes.frame.rename(columns={"part": "name"})
    sizes = foreign.images.set_index("image").loc[ours["image"], ["width", "height"]]
    ours[CORNERS] = ours[CORNERS].to_numpy() * np.tile(sizes.to_numpy(np.float64), 2)
    ours = ours.sort_values([*keys, *CORNERS]).reset_index(drop=True)
    theirs = foreign.boxes.sort_values([*keys, *CORNERS]).reset_index(drop=True)
    pd.testing.assert_frame_equal(theirs[keys], ours[keys])
    np.testing.assert_allclose(theirs[CORNERS], ours[CORNERS], rtol=0, atol=within)


@pytest.mark.parametrize("format", FORMATS)
def test_written_labels_read_back_the_same(
    labels: LabelledSet, format: str, tmp_path: Path
) -> None:
    path, foreign = written(labels, format, tmp_path)
    assert detect_format(path) == format
    assert_same(foreign, labels, ROUNDING)
    sizes = foreign.images.set_index("image")
    assert sizes.loc["left/b.png"].tolist() == [100, 50]
    assert all((foreign.root / image).is_file() for image in foreign.images["image"])


def test_pycocotools_reads_what_we_write(labels: LabelledSet, tmp_path: Path) -> None:
    path, foreign = written(labels, "coco", tmp_path)
    theirs = COCO(str(path))
    categories = [category["name"] for category in theirs.loadCats(theirs.getCatIds())]
    assert categories == ["plate", "wheel"]
    names = {image["id"]: image["file_name"] for image in theirs.loadImgs(theirs.getImgIds())}
    assert set(names.values()) == set(labels.images.frame["image"])
    boxes = [(names[a["image_id"]], *a["bbox"]) for a in theirs.loadAnns(theirs.getAnnIds())]
    assert ("a.jpg", 10.0, 10.0, 10.0, 5.0) in boxes
    assert len(boxes) == len(foreign.boxes)


def test_real_coco_file_reads_as_pycocotools_reads_it(real: Path) -> None:
    path = real / "carparts" / "annotations.json"
    foreign = FORMATS["coco"].read(path)
    theirs = COCO(str(path))
    assert foreign.root == path.parent / "images"
    assert len(foreign.boxes) == len(theirs.getAnnIds()) == 3073
    by_name = foreign.boxes["name"].value_counts()
    for category in theirs.loadCats(theirs.getCatIds()):
        count = len(theirs.getAnnIds(catIds=[category["id"]]))
        assert by_name.get(category["name"], 0) == count
    xywh = np.array([a["bbox"] for a in theirs.loadAnns(theirs.getAnnIds())])
    corners = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
    np.testing.assert_allclose(np.sort(foreign.boxes[CORNERS].to_numpy(), 0), np.sort(corners, 0))


def test_real_csv_is_taken_as_pixels(real: Path) -> None:
    foreign = FORMATS["csv"].read(real / "plates" / "boxes.csv")
    assert foreign.boxes.loc[0, CORNERS].tolist() == [278.3, 186.6, 311.0, 194.8]
    assert len(foreign.images) == 427


@pytest.mark.parametrize(
    ("rows", "x2"),
    [
        (["0,0,30,10", "0,0,0.5,0.5"], [30, 0.5]),
        (["0,0,0.5,0.5", "0,0,0.2,0.4", "0,0,7,1"], [20, 8, 280]),
    ],
    ids=["pixels with a speck", "fractions with a slip"],
)
def test_csv_unit_is_that_of_most_boxes(
    rows: list[str], x2: list[float], tmp_path: Path, draw: Callable[..., Path]
) -> None:
    draw(tmp_path / "a.jpg", 40, 20)
    lines = ["image,part,x1,y1,x2,y2", *(f"a.jpg,plate,{row}" for row in rows)]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    assert FORMATS["csv"].read(tmp_path / "x.csv").boxes["x2"].tolist() == x2


def test_crowds_are_left_out_and_polygons_become_pieces(tmp_path: Path) -> None:
    square, speck = [0, 0, 4, 0, 4, 4, 0, 4], [10, 10, 12, 10, 12, 13]
    common = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 12, 13]}
    masks: list[object] = [[square, speck], [square], {"counts": "x", "size": [20, 20]}]
    annotations = [{"id": i, "segmentation": s, **common} for i, s in enumerate(masks)]
    annotations.append({"id": 9, "iscrowd": 1, **common})
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 20}],
        "categories": [{"id": 1, "name": "wheel"}],
        "annotations": annotations,
    }
    (tmp_path / "x.json").write_text(json.dumps(content))
    pieces = FORMATS["coco"].read(tmp_path / "x.json").boxes["pieces"]
    assert pieces[0] == [(0, 0, 4, 4), (10, 10, 12, 13)]
    assert pieces[1:].isna().tolist() == [True, True]


YOLO_IMAGE = {
    "images and labels": ("images/sub/a.jpg", "labels/sub/a.txt"),
    "by split": ("train/images/a.jpg", "train/labels/a.txt"),
    "side by side": ("a.jpg", "a.txt"),
}


@pytest.mark.parametrize("layout", YOLO_IMAGE)
@pytest.mark.parametrize("names", ["{1: door, 0: wheel}", "[wheel, door]"])
def test_yolo_layouts(layout: str, names: str, tmp_path: Path, draw: Callable[..., Path]) -> None:
    image, file = YOLO_IMAGE[layout]
    draw(tmp_path / image, 40, 20)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("1 0.5 0.5 0.5 0.2\n\n0 0 0 0.5 0 0.25 1\n")
    (tmp_path / "data.yaml").write_text(f"names: {names}")
    foreign = FORMATS["yolo"].read(tmp_path)
    assert foreign.boxes["name"].tolist() == ["door", "wheel"]
    np.testing.assert_allclose(foreign.boxes[CORNERS], [[10, 8, 30, 12], [0, 0, 20, 20]])
    assert foreign.boxes["where"][1] == f"{file}: line 3"


def test_voc_counts_from_one_and_looks_up_missing_sizes(
    tmp_path: Path, draw: Callable[..., Path]
) -> None:
    draw(tmp_path / "JPEGImages" / "a.jpg", 40, 20)
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations" / "a.xml").write_text(
        "<annotation><filename>a.jpg</filename><object><name>wheel</name><bndbox>"
        "<xmin>1</xmin><ymin>3</ymin><xmax>40</xmax><ymax>20</ymax></bndbox></object></annotation>"
    )
    foreign = FORMATS["voc"].read(tmp_path)
    assert foreign.boxes.loc[0, CORNERS].tolist() == [0, 2, 40, 20]
    assert foreign.images.loc[0].tolist() == ["a.jpg", 40, 20]


def test_images_that_share_a_label_file_are_refused(
    tmp_path: Path, draw: Callable[..., Path]
) -> None:
    rows = [{"image": draw(tmp_path / "root" / name).name} for name in ("a.jpg", "a.png")]
    images = Images.from_rows(rows, tmp_path / "root", "root")
    labels = LabelledSet(images, Boxes.none(), load_vocabulary("prn"), frozenset({"light"}))
    for format in ("voc", "yolo"):
        with pytest.raises(InputError, match="2 images would share"):
            FORMATS[format].write(labels, tmp_path / "out")


@pytest.mark.parametrize("format", ["voc", "yolo"])
def test_writers_never_replace_a_folder_that_is_not_theirs(
    labels: LabelledSet, format: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="the images are in it"):
        FORMATS[format].write(labels, labels.images.root)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").touch()
    with pytest.raises(InputError, match="holds something else"):
        FORMATS[format].write(labels, tmp_path / "mine")
    labels.images.require_files()


BAD = {
    "x.json": [
        ("{", "not COCO labels"),
        ('{"images": [], "categories": []}', "annotations: Field required"),
        ('{"images": [], "categories": [], "annotations": []}', "no image in it"),
        (
            '{"images": [], "categories": [], "annotations": '
            '[{"id": 7, "image_id": 3, "category_id": 1, "bbox": [0, 0, 1, 1]}]}',
            "annotation 7: no image has id 3",
        ),
    ],
    "x.csv": [
        ("image,x1,y1,x2,y2\n", "column 'part' is missing"),
        ("image,part,x1,y1,x2,y2\na.jpg,light,1,2,3,\n", "row 2 .*must be all there"),
        ("image,part,x1,y1,x2,y2\na.jpg,light,1,2,3,x\n", "row 2 .*'y2' is not a number"),
    ],
    "f/data.yaml": [
        ("names: 3", "'names' must list"),
        ("nc: [", "not YAML"),
        ("names: [a]", "no image in it"),
    ],
    "f/a.xml": [
        ("<annotation>", "not XML"),
        ("<annotation/>", "no <filename>"),
        (
            "<annotation><filename>a.jpg</filename><object><name>n</name></object></annotation>",
            "object 1: xmin: 'None' is not a number",
        ),
    ],
}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [(file, *case) for file, cases in BAD.items() for case in cases],
)
def test_malformed_labels_are_named(tmp_path: Path, file: str, content: str, message: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    given = path if path.parent == tmp_path else path.parent
    with pytest.raises(InputError, match=message) as caught:
        FORMATS[detect_format(given)].read(given)
    assert str(given) in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.5 0.5 0.1", "line 1: 3 numbers"),
        ("2 0.5 0.5 0.1 0.1", "line 1: class 2 is not 0 to 1"),
        ("0 0.5 0.5 0.1 big", "line 1: 'big' is not a number"),
    ],
)
def test_malformed_yolo_lines_are_named(
    tmp_path: Path, draw: Callable[..., Path], line: str, message: str
) -> None:
    draw(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_text(line)
    (tmp_path / "classes.txt").write_text("wheel\ndoor\n")
    with pytest.raises(InputError, match=f"a.txt: {message}"):
        FORMATS["yolo"].read(tmp_path)


def test_unknown_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        detect_format(tmp_path / "absent")
    with pytest.raises(InputError, match="not labels in a known format"):
        detect_format(tmp_path)

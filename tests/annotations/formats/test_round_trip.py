from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from annotations.boxes import CORNERS, DETECTOR, IDENTITY_MEAN, LABEL, SOURCES, Boxes
from annotations.formats import FORMATS, detect_format
from annotations.images import Images
from annotations.importing import import_labels
from annotations.labels import LabelledSet
from annotations.mapping import Mapping
from annotations.vocabulary import load_vocabulary

PLACES = {"coco": "l.json", "csv": "l.csv", "cvat": "l.xml", "labelstudio": "l.json"}
SCORED = ["coco", "csv", "cvat", "labelstudio"]
PARTS = ["plate", "car light", "wheel"]
IDENTITY = Mapping(vocabulary="eia", classes={part: part for part in PARTS})  # type: ignore[arg-type]

Image_ = tuple[str, int, int]
Row = tuple[int, str, float, float, float, float, float, str]

name = st.text("aZ09 -_%+&#äß車é()'=", min_size=1, max_size=6).map(lambda word: f"i{word}i")
image = st.builds(
    lambda folders, stem, width, height: ("/".join([*folders, f"{stem}.png"]), width, height),
    st.lists(name, max_size=2),
    name,
    st.integers(8, 3000),
    st.integers(8, 40),
)
side = st.tuples(st.floats(0, 0.999), st.floats(1e-3, 1)).map(
    lambda pair: (pair[0], min(1.0, pair[0] + pair[1]))
)
box = st.builds(
    lambda which, part, across, down, score, source: (
        *(which, part, across[0], down[0], across[1], down[1]),
        *((1.0, LABEL) if source == LABEL else (score, source)),
    ),
    st.integers(0, 3),
    st.sampled_from(PARTS),
    side,
    side,
    st.floats(0, 1),
    st.sampled_from(SOURCES),
)


def labelled(root: Path, images: list[Image_], boxes: list[Row]) -> LabelledSet:
    for image, width, height in images:
        (root / image).parent.mkdir(parents=True, exist_ok=True)
        Image.new("1", (width, height)).save(root / image)
    rows = [(images[which % len(images)][0], *rest) for which, *rest in boxes]
    frame = pd.DataFrame(rows, columns=["image", "part", *CORNERS, "score", "source"])
    table = Images.from_rows([{"image": image} for image, *_ in images], root, "root")
    return LabelledSet(table, Boxes(frame), load_vocabulary("eia"), frozenset(PARTS))


def there_and_back(labels: LabelledSet, format: str, folder: Path) -> LabelledSet:
    path = folder / PLACES.get(format, format)
    FORMATS[format].write(labels, path)
    assert detect_format(path) == format
    root = None if format == "yolo" else labels.images.root
    return import_labels(path, mapping=IDENTITY, images_root=root)


@settings(max_examples=6, deadline=None)
@given(
    images=st.lists(image, min_size=1, max_size=4, unique_by=lambda one: one[0].lower()),
    boxes=st.lists(box, max_size=8, unique_by=lambda one: one[:6]),
)
@pytest.mark.parametrize("format", FORMATS)
def test_a_set_comes_back_as_it_was(format: str, images: list[Image_], boxes: list[Row]) -> None:
    if format not in SCORED:
        boxes = [(*row[:6], 1.0, LABEL) for row in boxes]
    with TemporaryDirectory() as folder:
        ours = labelled(Path(folder) / "root", images, boxes)
        again = there_and_back(ours, format, Path(folder))
        assert set(again.images.frame["image"]) == {one for one, *_ in images}
    assert again.labelled == ours.labelled
    assert len(again.boxes) == len(ours.boxes)
    # The nearest of the same kind is found for each, whatever order near ones come in.
    for keys, mine in ours.boxes.frame.groupby(["image", "part", "source"]):
        theirs = again.boxes.frame.set_index(["image", "part", "source"]).loc[[keys]]
        values = [*CORNERS, "score"]
        apart = np.abs(mine[values].to_numpy()[:, None] - theirs[values].to_numpy()[None]).max(2)
        assert len(mine) == len(theirs)
        assert apart.min(axis=1).max() <= 1e-6
        assert apart.min(axis=0).max() <= 1e-6


@pytest.fixture
def mixed(tmp_path: Path) -> LabelledSet:
    """One image drawn by hand, one looked through by half, one left to the detector, one bare."""
    images = [(f"{stem}.png", 40, 20) for stem in ("hand", "half", "left", "bare")]
    rows: list[Row] = [
        (0, "plate", 0.25, 0.5, 0.5, 0.75, 1.0, LABEL),
        (1, "plate", 0.25, 0.5, 0.5, 0.75, 1.0, LABEL),
        (1, "wheel", 0.1, 0.1, 0.4, 0.9, 0.75, DETECTOR),
        (2, "wheel", 0.1, 0.1, 0.4, 0.9, 0.5, DETECTOR),
        (2, "wheel", 0.6, 0.1, 0.7, 0.9, 0.25, DETECTOR),
        (2, "plate", 0.6, 0.1, 0.7, 0.9, 0.375, IDENTITY_MEAN),
    ]
    return labelled(tmp_path / "root", images, rows)


@pytest.mark.parametrize("format", FORMATS)
def test_scores_and_sources_are_kept_where_the_format_can(
    mixed: LabelledSet, format: str, tmp_path: Path
) -> None:
    again = there_and_back(mixed, format, tmp_path)
    columns = ["image", "part", "source", "score"]
    ours, theirs = (one.boxes.frame[columns] for one in (mixed, again))
    if format not in SCORED:
        ours = ours.assign(score=1.0, source=LABEL)
    ours, theirs = (one.sort_values(columns, ignore_index=True) for one in (ours, theirs))
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


def test_what_says_nothing_is_not_written(labels: LabelledSet, tmp_path: Path) -> None:
    for format in SCORED:
        FORMATS[format].write(labels, tmp_path / f"{format}-{PLACES[format]}")
    with (tmp_path / "csv-l.csv").open() as file:
        assert next(csv.reader(file)) == ["image", "part", *CORNERS]
    coco = json.loads((tmp_path / "coco-l.json").read_text())
    assert not {"score", "source"} & set().union(*coco["annotations"])
    assert not ElementTree.parse(tmp_path / "cvat-l.xml").findall("image/box/attribute")
    tasks = json.loads((tmp_path / "labelstudio-l.json").read_text())
    assert all(set(task) == {"data", "annotations"} for task in tasks)
    results = [each for task in tasks for each in task["annotations"][0]["result"]]
    assert len(results) == 4 and not any("score" in each for each in results)


def test_voc_writes_whole_pixels_whole_and_others_with_decimals(tmp_path: Path) -> None:
    rows: list[Row] = [
        (0, "plate", 0.25, 0.5, 0.5, 0.75, 1.0, LABEL),
        (0, "wheel", 0.1 * 3, 0.125, 0.4, 0.9125, 1.0, LABEL),
    ]
    FORMATS["voc"].write(labelled(tmp_path / "root", [("a.png", 40, 20)], rows), tmp_path / "voc")
    tree = ElementTree.parse(tmp_path / "voc" / "Annotations" / "a.xml")
    written = [[edge.text for edge in box] for box in tree.iter("bndbox")]
    assert written == [["11", "11", "20", "15"], ["13", "3.5", "16", "18.25"]]


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        ("score", "1.5", "row 2 .*'score' is above 1"),
        ("score", "sure", "row 2 .*'score' is not a number"),
        ("source", "detecter", "did you mean 'detector'"),
    ],
)
def test_scores_and_sources_of_a_table_are_checked(
    tmp_path: Path, header: str, cells: str, message: str
) -> None:
    (tmp_path / "x.csv").write_text(f"image,part,x1,y1,x2,y2,{header}\na.jpg,p,0,0,1,1,{cells}\n")
    with pytest.raises(ValueError, match=message):
        FORMATS["csv"].read(tmp_path / "x.csv")


def test_a_table_may_leave_scores_and_sources_empty(tmp_path: Path) -> None:
    lines = ["image,part,x1,y1,x2,y2,source,score", "a.jpg,p,0,0,9,9,,", "a.jpg,p,0,0,8,8,,0.5"]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    boxes = FORMATS["csv"].read(tmp_path / "x.csv").boxes
    assert boxes[["score", "source"]].values.tolist() == [[1.0, LABEL], [0.5, LABEL]]


@pytest.mark.parametrize(("score", "ok"), [(0.5, True), (None, True), (7, False), ("x", False)])
def test_scores_of_coco_are_checked(tmp_path: Path, score: object, ok: bool) -> None:
    annotation = {"id": 7, "image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4]}
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 20}],
        "categories": [{"id": 1, "name": "wheel"}],
        "annotations": [{**annotation, "score": score, "source": {"of": "another tool"}}],
    }
    (tmp_path / "x.json").write_text(json.dumps(content))
    if ok:
        boxes = FORMATS["coco"].read(tmp_path / "x.json").boxes
        assert boxes[["score", "source"]].values.tolist() == [[score or 1.0, LABEL]]
    else:
        with pytest.raises(ValueError, match="annotation 7: "):
            FORMATS["coco"].read(tmp_path / "x.json")

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotations.boxes import CORNERS
from annotations.errors import InputError
from annotations.formats import FORMATS, ForeignLabels
from annotations.importing import import_labels, map_labels
from annotations.labels import LabelledSet
from annotations.mapping import Mapping

EIA = Mapping.model_validate({"vocabulary": "eia", "classes": {"plate": "plate", "wheel": "wheel"}})

PLACES = {"coco": "x.json", "csv": "x.csv", "cvat": "x.xml", "labelstudio": "x.json"}


def table(folder: Path, *rows: str) -> Path:
    path = folder / "boxes.csv"
    path.write_text("\n".join(["image,part,x1,y1,x2,y2", *rows]))
    return path


@pytest.mark.parametrize("format", FORMATS)
def test_a_set_goes_through_any_format(labels: LabelledSet, format: str, tmp_path: Path) -> None:
    path = tmp_path / PLACES.get(format, "folder")
    FORMATS[format].write(labels, path)
    root = None if format == "yolo" else labels.images.root
    again = import_labels(path, mapping=EIA, images_root=root)
    assert again.labelled == labels.labelled
    assert set(again.images.frame["image"]) == set(labels.images.frame["image"])
    keys = ["image", "part", "x1"]
    ours, theirs = (part.boxes.frame.sort_values(keys) for part in (labels, again))
    np.testing.assert_allclose(ours[CORNERS], theirs[CORNERS], rtol=0, atol=1e-6)
    assert set(again.boxes.frame["source"]) == {"label"}


def test_slight_overhang_is_clipped(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "a.jpg", 400, 50)
    path = table(tmp_path, "a.jpg,plate,-4,-1,404,51")
    boxes = import_labels(path, mapping="plates-eia").boxes.frame
    assert boxes.loc[0, CORNERS].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.jpg,plate,0,0,405,20", "reaches out of its image"),
        ("a.jpg,plate,0,-1.1,40,20", "reaches out of its image"),
        ("a.jpg,plate,300,0,200,20", "the wrong way round"),
    ],
)
def test_wrong_corners_name_the_row(
    tmp_path: Path, draw: Callable[..., Path], row: str, message: str
) -> None:
    draw(tmp_path / "a.jpg", 400, 50)
    path = table(tmp_path, "a.jpg,plate,0,0,9,9", row, row)
    with pytest.raises(
        InputError, match=r"boxes.csv: row 3 \('plate' in image 'a.jpg'\)"
    ) as caught:
        import_labels(path, mapping="plates-eia")
    assert message in str(caught.value)
    assert "1 more" in str(caught.value)


def test_boxes_without_area_are_counted(
    tmp_path: Path, draw: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    draw(tmp_path / "a.jpg", 40, 20)
    rows = ["a.jpg,plate,5,5,5,9", "a.jpg,plate,40,5,41,9", "a.jpg,plate,1,1,9,9"]
    assert len(import_labels(table(tmp_path, *rows), mapping="plates-eia").boxes) == 1
    assert "2 boxes without an area left out; the first is row 2" in caplog.text


def test_missing_images_are_an_error_and_unreadable_ones_are_not(
    tmp_path: Path, draw: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    draw(tmp_path / "a.jpg")
    path = table(tmp_path, "a.jpg,plate,1,1,9,9", "bad.jpg,plate,1,1,9,9")
    with pytest.raises(InputError, match="1 of 2 image files are missing"):
        import_labels(path, mapping="plates-eia")
    (tmp_path / "bad.jpg").write_text("text")
    assert len(import_labels(path, mapping="plates-eia")) == 1
    assert "1 unreadable images left out; the first is 'bad.jpg'" in caplog.text


def test_pieces_become_boxes_where_the_mapping_says_so(
    tmp_path: Path, draw: Callable[..., Path]
) -> None:
    draw(tmp_path / "a.jpg", 100, 100)
    pieces = [(10.0, 60.0, 30.0, 80.0), (60.0, 60.0, 80.0, 80.0), (50.0, 50.0, 51.0, 51.0)]
    rows = [
        ("a.jpg", name, 10.0, 50.0, 80.0, 80.0, list(pieces), "annotation 1")
        for name in ("wheels", "glass")
    ]
    foreign = ForeignLabels.from_rows([("a.jpg", 100, 100)], rows, tmp_path, "x")
    mapping = Mapping.model_validate(
        {
            "vocabulary": "eia",
            "classes": {"wheels": {"part": "wheel", "split": True}, "glass": "wind glass"},
        }
    )
    boxes = map_labels(foreign, mapping).boxes.frame
    assert boxes[["part", *CORNERS]].values.tolist() == [
        ["wheel", 0.1, 0.6, 0.3, 0.8],
        ["wheel", 0.6, 0.6, 0.8, 0.8],
        ["wind glass", 0.1, 0.5, 0.8, 0.8],
    ]


def test_bottom_comes_from_dropped_classes_too(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "a.jpg", 100, 100)
    path = table(
        tmp_path,
        "a.jpg,front_left_light,10,40,30,50",
        "a.jpg,front_right_light,70,40,90,50",
        "a.jpg,wheel,10,60,20,95",
    )
    boxes = import_labels(path, mapping="carparts-prn").boxes.frame.set_index("part")
    assert boxes["y2"].tolist() == [0.95, 0.95, 0.95]
    assert boxes.loc["brand", ["x1", "x2"]].tolist() == [0.3, 0.7]


@pytest.mark.parametrize("mapping", ["carparts-prn", "carparts-eia", "plates-eia"])
def test_images_without_any_box_make_a_set(
    tmp_path: Path, draw: Callable[..., Path], mapping: str
) -> None:
    draw(tmp_path / "a.jpg")
    labels = import_labels(table(tmp_path, "a.jpg,,,,,"), mapping=mapping)
    assert (len(labels), len(labels.boxes)) == (1, 0)


def test_unknown_format_suggests(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'coco'"):
        import_labels(tmp_path, format="cocoa", mapping="plates-eia")


def test_car_parts_become_prn_parts(real: Path) -> None:
    labels = import_labels(real / "carparts" / "annotations.json", mapping="carparts-prn")
    boxes = labels.boxes.frame
    assert len(labels) == 400
    assert boxes["part"].value_counts().to_dict() == {"light": 715, "window": 330, "brand": 218}
    lowest = boxes[boxes["part"] == "light"].groupby("image")["y2"].nunique()
    assert (lowest == 1).all()
    eia = import_labels(real / "carparts" / "annotations.json", mapping="carparts-eia")
    assert eia.labelled == {"wind glass", "car light", "back mirror", "wheel"}
    wheels = eia.boxes.frame[eia.boxes.frame["part"] == "wheel"]
    # 393 annotations hold 172 x 2, 7 x 3 and 7 x 4 polygons, of which two are specks.
    assert len(wheels) == 207 + 172 * 2 + 7 * 3 + 7 * 4 - 2

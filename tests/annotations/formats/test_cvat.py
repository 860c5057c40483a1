from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from annotations.boxes import CORNERS, DETECTOR, LABEL
from annotations.errors import InputError
from annotations.formats import FORMATS, ForeignLabels, detect_format
from annotations.labels import LabelledSet

BOX = '<box label="wheel" occluded="0" source="manual" xtl="4" ytl="2" xbr="20.5" ybr="10" />'


def image(*shapes: str, name: str = "a.jpg", size: str = 'width="40" height="20"') -> str:
    return f'<image id="0" name="{name}" {size}>{"".join(shapes)}</image>'


def export(folder: Path, *images: str, head: str = "") -> Path:
    file = folder / "annotations.xml"
    text = f"{head}<annotations><version>1.1</version>{''.join(images)}</annotations>"
    file.write_text(text, "utf-8")
    return file


def read(folder: Path, *images: str, head: str = "") -> ForeignLabels:
    return FORMATS["cvat"].read(export(folder, *images, head=head))


def test_an_unpacked_export_is_recognised_and_its_images_found(
    tmp_path: Path, draw: Callable[..., Path]
) -> None:
    draw(tmp_path / "images" / "left" / "a b.jpg")
    export(tmp_path, image(BOX, name="left/a b.jpg"))
    assert detect_format(tmp_path) == detect_format(tmp_path / "annotations.xml") == "cvat"
    foreign = FORMATS["cvat"].read(tmp_path)
    assert foreign.root == tmp_path / "images"
    assert foreign.images.loc[0].tolist() == ["left/a b.jpg", 40, 20]
    assert foreign.boxes.loc[0, ["image", "name", *CORNERS]].tolist() == [
        *("left/a b.jpg", "wheel", 4, 2, 20.5, 10)
    ]


def test_polygons_and_masks_become_boxes(tmp_path: Path) -> None:
    outline = '<polygon label="{}" points="1.5,2;9,2.25;3,8" group_id="{}"/>'
    square = '<polygon label="wheel" points="20,4;24,4;24,8;20,8" group_id="3"/>'
    foreign = read(
        tmp_path,
        image(
            outline.format("wheel", 3),
            BOX.replace("label", 'group_id="3" label'),
            square,
            outline.format("door", 3),
            outline.format("wheel", 0),
            '<mask label="door" left="5" top="6" width="7" height="8" rle="1"/>',
            '<tag label="night"/>',
        ),
    )
    corners = foreign.boxes[CORNERS].values.tolist()
    assert corners == [
        [1.5, 2, 24, 8],
        [4, 2, 20.5, 10],
        [1.5, 2, 9, 8],
        [1.5, 2, 9, 8],
        [5, 6, 12, 14],
    ]
    assert foreign.boxes["name"].tolist() == ["wheel", "wheel", "door", "wheel", "door"]
    assert foreign.boxes["pieces"][0] == [(1.5, 2, 9, 8), (20, 4, 24, 8)]
    assert foreign.boxes["pieces"][1:].isna().all()


def test_a_turned_box_becomes_the_box_around_it(tmp_path: Path) -> None:
    turned = BOX.replace("label", 'rotation="30" label')
    half = BOX.replace("label", 'rotation="180" label')
    boxes = read(tmp_path, image(turned, half)).boxes
    # A rectangle of 16.5 x 8 about its middle (12.25, 6).
    angle = math.radians(30)
    wide = 16.5 * math.cos(angle) + 8 * math.sin(angle)
    high = 16.5 * math.sin(angle) + 8 * math.cos(angle)
    expected = [12.25 - wide / 2, 6 - high / 2, 12.25 + wide / 2, 6 + high / 2]
    np.testing.assert_allclose(boxes.loc[0, CORNERS].tolist(), expected)
    np.testing.assert_allclose(boxes.loc[1, CORNERS].tolist(), [4, 2, 20.5, 10])


@pytest.mark.parametrize(
    ("marked", "score", "source", "expected"),
    [
        ("manual", None, None, (1.0, LABEL)),
        ("auto", None, None, (1.0, DETECTOR)),
        ("auto", "0.25", None, (0.25, DETECTOR)),
        ("file", "0.25", "identity-mean", (0.25, "identity-mean")),
        ("semi-auto", "0.25", "detector", (1.0, LABEL)),
        ("manual", "0.25", "label", (0.25, LABEL)),
        ("auto", None, "a camera", (1.0, DETECTOR)),
    ],
)
def test_who_drew_a_box(
    tmp_path: Path,
    marked: str,
    score: str | None,
    source: str | None,
    expected: tuple[float, str],
) -> None:
    shape = ElementTree.fromstring(BOX)
    shape.set("source", marked)
    for name, value in (("score", score), ("source", source)):
        if value is not None:
            ElementTree.SubElement(shape, "attribute", {"name": name}).text = value
    boxes = read(tmp_path, image(ElementTree.tostring(shape, "unicode"))).boxes
    assert tuple(boxes.loc[0, ["score", "source"]]) == expected


def test_a_missing_size_is_looked_up(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "a.jpg", 60, 30)
    assert read(tmp_path, image(BOX, size="")).images.loc[0].tolist() == ["a.jpg", 60, 30]


def test_an_absolute_name_inside_the_folder_is_taken(
    tmp_path: Path, draw: Callable[..., Path]
) -> None:
    given = draw(tmp_path / "images" / "a.jpg")
    file = export(tmp_path, image(BOX, name=str(given)))
    foreign = FORMATS["cvat"].read(file, tmp_path / "images")
    assert foreign.images["image"].tolist() == ["a.jpg"]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([image(BOX), "<image"], "not XML: .*line 1, column"),
        ([image(BOX.replace('xtl="4"', ""))], r"image 1 \('a.jpg'\): box 1: xtl: 'None' is not"),
        ([image(BOX.replace('"4"', '"4,5"'))], "box 1: xtl: '4,5' is not a number"),
        ([image(BOX.replace('"4"', '"nan"'))], "box 1: xtl: 'nan' is not a number"),
        ([image(BOX, BOX.replace("wheel", ""))], "box 2: no label"),
        ([image('<polygon label="w" points="1;2"/>')], "polygon 1: points must be"),
        ([image(BOX), image(BOX)], "image 'a.jpg' twice"),
        ([image(BOX, name="")], "image 1: the image has no name"),
        ([image(BOX, name="a/../../b.jpg")], "image 1: .*goes up with"),
        ([image(BOX, name=r"..\b.jpg")], "image 1: .*goes up with"),
        ([image(BOX, name="/etc/b.jpg")], "is not in the images' folder"),
        ([image(BOX, name=r"C:\b.jpg")], "is not in the images' folder"),
        ([image(BOX, size='width="x"')], "'x' is not a number"),
        (
            [image(BOX, "<points/>", "<polyline/>"), image("<points/>", name="b.jpg")],
            r"not box, polygon, mask: points \(2\), polyline \(1\)",
        ),
        (['<track id="0" label="wheel"/>'], "CVAT for images 1.1"),
        ([], "no image in it"),
        (
            [image(BOX.replace(" />", '><attribute name="score">2</attribute></box>'))],
            "box 1: attribute score: 2 is not a score",
        ),
    ],
)
def test_damage_is_named(tmp_path: Path, images: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, *images)
    assert "annotations.xml" in str(caught.value)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a [<!ENTITY l "ha"><!ENTITY e "&l;&l;&l;&l;">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
    ids=["file", "laughs", "network"],
)
@pytest.mark.parametrize("format", ["cvat", "voc"])
def test_entities_are_refused(tmp_path: Path, head: str, format: str) -> None:
    file = export(tmp_path, image(BOX), head=head)
    with pytest.raises(InputError, match="DOCTYPE"):
        FORMATS[format].read(file if format == "cvat" else tmp_path)


def test_a_single_file_of_another_tool_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<annotation><filename>a.jpg</filename></annotation>")
    with pytest.raises(InputError, match="give the folder of a Pascal VOC file"):
        FORMATS[detect_format(tmp_path / "a.xml")].read(tmp_path / "a.xml")
    with pytest.raises(InputError, match="cannot be read"):
        FORMATS["cvat"].read(tmp_path)


def test_what_is_written_has_what_cvat_asks_for(labels: LabelledSet, tmp_path: Path) -> None:
    FORMATS["cvat"].write(labels, tmp_path / "x.xml")
    tree = ElementTree.parse(tmp_path / "x.xml").getroot()
    assert [each.text for each in tree.findall("meta/task/labels/label/name")] == ["plate", "wheel"]
    names = [(each.get("id"), each.get("name")) for each in tree.findall("image")]
    assert names == [("0", "a.jpg"), ("1", "left/b.png"), ("2", "bare.jpg")]
    box = tree.find("image/box")
    assert box is not None
    assert box.attrib == {
        **{"label": "plate", "source": "manual", "occluded": "0", "z_order": "0"},
        **{"xtl": "10", "ytl": "10", "xbr": "20", "ybr": "15"},
    }

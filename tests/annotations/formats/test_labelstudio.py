from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotations.boxes import CORNERS, DETECTOR, LABEL
from annotations.errors import InputError
from annotations.formats import FORMATS, ForeignLabels, detect_format

Json = dict[str, Any]


def region(x: Any = 10, width: Any = 25, *, label: str = "wheel", **more: Any) -> Json:
    value = {"x": x, "y": 50, "width": width, "height": 25, "rotation": 0}
    return {
        **{"type": "rectanglelabels", "original_width": 40, "original_height": 20},
        "value": {**value, "rectanglelabels": [label]},
        **more,
    }


def task(*regions: Json, image: str = "a.jpg", **more: Any) -> Json:
    return {"data": {"image": image}, "annotations": [{"result": list(regions)}], **more}


def read(folder: Path, *tasks: Json, root: Path | None = None) -> ForeignLabels:
    (folder / "x.json").write_text(json.dumps(tasks))
    return FORMATS["labelstudio"].read(folder / "x.json", root)


def test_percents_become_pixels(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(f"\n {json.dumps([task(region())])}")
    assert detect_format(tmp_path / "x.json") == "labelstudio"
    foreign = FORMATS["labelstudio"].read(tmp_path / "x.json")
    assert foreign.images.loc[0].tolist() == ["a.jpg", 40, 20]
    assert foreign.boxes.loc[0, ["name", *CORNERS]].tolist() == ["wheel", 4, 10, 14, 15]


def test_what_is_no_shape_is_passed_over_and_polygons_are_read(tmp_path: Path) -> None:
    polygon = region(type="polygonlabels")
    polygon["value"] = {"points": [[10, 20], [30, 25], [20, 80]], "polygonlabels": ["door"]}
    choice = {"type": "choices", "value": {"choices": ["night"]}}
    foreign = read(tmp_path, task(choice, polygon, {"type": "relation", "from_id": "a"}))
    assert foreign.boxes[["name", *CORNERS]].values.tolist() == [["door", 4, 4, 12, 16]]


def test_a_turned_rectangle_becomes_the_box_around_it(tmp_path: Path) -> None:
    turned = region()
    turned["value"]["rotation"] = 30
    boxes = read(tmp_path, task(turned)).boxes
    # 10 x 5 pixels, turned clockwise about the top left corner (4, 10).
    sine, cosine = math.sin(math.radians(30)), math.cos(math.radians(30))
    expected = [4 - 5 * sine, 10, 4 + 10 * cosine, 10 + 10 * sine + 5 * cosine]
    np.testing.assert_allclose(boxes.loc[0, CORNERS].tolist(), expected)


LS = {"completed_by": 1, "created_at": "2024-01-01T00:00:00Z"}
GUESS = {"model_version": "v1", "score": 0.25, "result": [region(label="guess")]}
OURS = {"model_version": "detector", "score": 0.5, "result": [region(label="ours", score=0.75)]}


def drawn(label: str, **more: Any) -> Json:
    return {"result": [region(label=label, score=0.5)], **more}


@pytest.mark.parametrize(
    ("annotations", "predictions", "expected"),
    [
        ([], [GUESS], [("guess", 0.25, DETECTOR)]),
        ([], [OURS], [("ours", 0.75, DETECTOR)]),
        ([], [GUESS, {**GUESS, "result": [region(label="last")]}], [("guess", 0.25, DETECTOR)]),
        (
            [],
            [GUESS, {**GUESS, "created_at": "2", "result": [region(label="late")]}],
            [("late", 0.25, DETECTOR)],
        ),
        ([drawn("hand")], [OURS], [("hand", 0.5, LABEL), ("ours", 0.75, DETECTOR)]),
        ([drawn("hand", **LS)], [GUESS, OURS], [("hand", 1.0, LABEL)]),
        ([drawn("hand", **LS, was_cancelled=True)], [OURS], [("ours", 0.75, DETECTOR)]),
        (
            [drawn("late", **{**LS, "updated_at": "2025"}), drawn("early", **LS)],
            [],
            [("late", 1.0, LABEL)],
        ),
        (
            [drawn("late", **{**LS, "updated_at": "2025"}), drawn("true", ground_truth=True, **LS)],
            [],
            [("true", 1.0, LABEL)],
        ),
    ],
    ids=[
        *("model", "ours", "two of no date", "latest model", "half looked through"),
        *("looked through", "skipped", "two people", "ground truth"),
    ],
)
def test_what_counts_of_a_task(
    tmp_path: Path,
    annotations: list[Json],
    predictions: list[Json],
    expected: list[tuple[str, float, str]],
) -> None:
    given = {"annotations": annotations, "predictions": predictions}
    boxes = read(tmp_path, {"data": {"image": "a.jpg"}, **given}).boxes
    columns = ["name", "score", "source"]
    assert [tuple(row) for row in boxes[columns].values.tolist()] == expected


def test_tasks_that_nobody_labelled_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    skipped = {"result": [], "was_cancelled": True, **LS}
    bare = [
        {"data": {"image": "b.jpg"}},
        {"data": {"image": "c.jpg"}, "annotations": [skipped]},
    ]
    foreign = read(tmp_path, *bare, task(image="d.jpg"), task(region()))
    assert foreign.images["image"].tolist() == ["d.jpg", "a.jpg"]
    assert "2 tasks that nobody has labelled left out" in caplog.text
    with pytest.raises(InputError, match="none of its 2 tasks"):
        read(tmp_path, *bare)


@pytest.mark.parametrize(
    ("given", "file"),
    [
        ("left/a b.jpg", "left/a b.jpg"),
        ("/data/local-files/?d=left/a%20b.jpg", "left/a b.jpg"),
        ("http://localhost:8080/data/local-files/?d=mine/photos/left/a%20b.jpg", "left/a b.jpg"),
        ("/data/local-files/?d=mine/photos/ü%2B1.jpg", "ü+1.jpg"),
        ("/data/upload/7/0a1b2c3d-%C3%BC%2B1.jpg", "ü+1.jpg"),
        ("data/upload/0a1b2c3d-ü+1.jpg", "ü+1.jpg"),
        ("/data/upload/7/deadbeef-kept.jpg", "deadbeef-kept.jpg"),
        ("file://{root}/left/a%20b.jpg", "left/a b.jpg"),
        ("file://localhost{root}/left/a%20b.jpg", "left/a b.jpg"),
        ("{root}/left/a b.jpg", "left/a b.jpg"),
    ],
)
def test_images_are_found_however_they_are_named(
    tmp_path: Path, draw: Callable[..., Path], given: str, file: str
) -> None:
    root = tmp_path / "photos"
    for name in ("left/a b.jpg", "ü+1.jpg", "deadbeef-kept.jpg"):
        draw(root / name)
    foreign = read(tmp_path, task(region(), image=given.format(root=root)), root=root)
    assert foreign.images["image"].tolist() == [file]
    assert foreign.root == root


def test_the_folder_of_images_is_found_beside_the_file(
    tmp_path: Path, draw: Callable[..., Path]
) -> None:
    draw(tmp_path / "images" / "a.jpg", 60, 30)
    foreign = read(tmp_path, task(image="/data/upload/7/0a1b2c3d-a.jpg"))
    assert foreign.root == tmp_path / "images"
    assert foreign.images.loc[0].tolist() == ["a.jpg", 60, 30]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("../a.jpg", "goes up with"),
        ("/data/local-files/?d=..%2F..%2Fetc/passwd", "goes up with"),
        ("/data/upload/../a.jpg", "goes up with"),
        ("file:///etc/passwd", "is not in the images' folder"),
        ("/etc/passwd", "is not in the images' folder"),
        ("https://example.com/a.jpg", "is on the network"),
        ("s3://bucket/a.jpg", "is on the network"),
        ("file://server/share/a.jpg", "is on the network"),
        ("/data/local-files/?d=", "has no name"),
        (" ", "has no 'image'"),
    ],
)
def test_images_elsewhere_are_refused(tmp_path: Path, image: str, message: str) -> None:
    with pytest.raises(InputError, match=f"x.json: task 2: .*{message}"):
        read(tmp_path, task(region()), task(region(), image=image))


def test_written_names_stay_under_the_document_root(tmp_path: Path) -> None:
    from annotations.formats.labelstudio.images import find_image, name_image, possible_names

    name = "left & right/50%/a+b ü#?.jpg"
    address = name_image(name)
    assert address.startswith("/data/local-files/?d=left%20%26%20right/50%25/a%2Bb")
    assert find_image(possible_names({"image": address}, "here"), tmp_path, "here") == name


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([task(region(x=101.5))], r"result 1: x is 101.5, not 0 to 100"),
        ([task(region(x=-2))], "x is -2, not 0 to 100"),
        ([task(region(), region(width=350))], "result 2: width is 350"),
        ([task(region(x=90))], r"x \+ width is 115"),
        ([task(region(x="left"))], "result 1: x: Input should be a valid number"),
        ([task(region(x=None), id=17)], r"task 1 \(id 17\): annotation 1: result 1: x: "),
        ([task({**region(), "value": {}})], "x: Field required"),
        ([task(region(image_rotation=90))], "turned by 90 degrees"),
        ([task({**region(), "value": {**region()["value"], "rectanglelabels": []}})], "no label"),
        ([task(region(score=3))], "result 1: 3.0 is not a score"),
        ([task(region()), task(region())], "image 'a.jpg' twice"),
        (
            [task(region(), region(type="ellipselabels")), task(region(type="rectangle"))],
            r"ellipselabels \(1\), rectangle \(1\)",
        ),
        ([{"data": {"photo": "a.jpg"}, "annotations": [{"result": []}]}], "keys there: photo"),
        ([{"annotations": []}], r"0.data: Field required"),
        ([{"data": {}, "annotations": [{"result": [7]}]}], "0.annotations.0.result.0"),
    ],
)
def test_damage_is_named(tmp_path: Path, tasks: list[Json], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, *tasks)
    assert str(tmp_path / "x.json") in str(caught.value)


def test_a_file_cut_off_is_named_with_the_place(tmp_path: Path) -> None:
    whole = json.dumps([task(region())], indent=1)
    (tmp_path / "x.json").write_text(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"x.json: not tasks of Label Studio: .* line \d+ column"):
        FORMATS[detect_format(tmp_path / "x.json")].read(tmp_path / "x.json")
    with pytest.raises(InputError, match="no such file"):
        FORMATS["labelstudio"].read(tmp_path / "y.json")

"""COCO: one JSON file with lists of images, categories and annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from annotations.boxes import LABEL, SOURCES
from annotations.errors import InputError
from annotations.files import write_text
from annotations.formats.foreign import Corners, ForeignBox, ForeignLabels, image_folder, share
from annotations.formats.writing import DIGITS, drawn_by_hand, labelled_names, pixel_boxes
from annotations.labels import LabelledSet


class _Image(BaseModel):
    id: int
    file_name: str
    width: int
    height: int


class _Category(BaseModel):
    id: int
    name: str


class _Annotation(BaseModel):
    id: int
    image_id: int
    category_id: int
    bbox: Corners
    # A dictionary is a run-length mask, whose pieces this toolkit does not need.
    segmentation: list[list[float]] | dict[str, Any] = []
    iscrowd: int = 0
    score: Any = None
    source: Any = None


class _File(BaseModel):
    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation]


def _pieces(annotation: _Annotation) -> list[Corners] | None:
    if isinstance(annotation.segmentation, dict):
        return None
    pieces = [
        (min(polygon[0::2]), min(polygon[1::2]), max(polygon[0::2]), max(polygon[1::2]))
        for polygon in annotation.segmentation
        if len(polygon) >= 6
    ]
    return pieces if len(pieces) > 1 else None


def read(path: Path, images_root: Path | None = None) -> ForeignLabels:
    """Read a COCO file of boxes or polygons.

    An annotation may have a ``score``, as COCO's detections do, and, as this toolkit writes
    it, a ``source``; what another tool keeps under that key is not asked.

    Args:
        path: the JSON file; images are taken by their ``file_name``.
        images_root: the folder that the file names start from; looked for beside the
            file where None.

    Returns:
        Its labels; annotations marked ``iscrowd`` cover many objects and are left out.

    Raises:
        InputError: the file is missing or not COCO, or an annotation has an unknown
            image or category, or a score that is none.
    """
    try:
        content = _File.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: not COCO labels: {place}: {first['msg']}") from None
    files = {image.id: image.file_name for image in content.images}
    names = {category.id: category.name for category in content.categories}
    boxes = []
    for annotation in content.annotations:
        where = f"annotation {annotation.id}"
        if annotation.image_id not in files:
            raise InputError(f"{path}: {where}: no image has id {annotation.image_id}")
        if annotation.category_id not in names:
            raise InputError(f"{path}: {where}: no category has id {annotation.category_id}")
        if annotation.iscrowd:
            continue
        file, name = files[annotation.image_id], names[annotation.category_id]
        x, y, width, height = annotation.bbox
        corners = (x, y, x + width, y + height)
        score = share(annotation.score, f"{path}: {where}")
        source = annotation.source if annotation.source in SOURCES else LABEL
        boxes.append(ForeignBox(file, name, *corners, _pieces(annotation), where, score, source))
    images = [(image.file_name, image.width, image.height) for image in content.images]
    root = image_folder(images_root, path.parent, images[0][0] if images else "")
    return ForeignLabels.from_rows(images, boxes, root, str(path))


def write(labels: LabelledSet, path: Path) -> None:
    """Write a COCO file whose categories are the parts that the set labels, numbered from 1.

    A box that no person drew, or that has a score below 1, has the keys ``score`` and
    ``source``.

    Args:
        labels: the set; its images stay where they are and are named under their root.
        path: the JSON file.

    Raises:
        ImageError: an image's size cannot be read.
    """
    frame = pixel_boxes(labels)
    sizes = frame.drop_duplicates("image")
    numbers = {image: number for number, image in enumerate(sizes["image"], 1)}
    classes = {name: number for number, name in enumerate(labelled_names(labels), 1)}
    images = [
        {"id": numbers[image], "file_name": image, "width": width, "height": height}
        for image, width, height in sizes[["image", "width", "height"]].values.tolist()
    ]
    drawn = frame.dropna(subset="part")
    columns = ["image", "part", "x1", "y1", "x2", "y2", "score", "source"]
    rows = drawn[columns].values.tolist()
    annotations = [
        {
            "id": number,
            "image_id": numbers[image],
            "category_id": classes[part],
            "bbox": [round(value, DIGITS) for value in (x1, y1, x2 - x1, y2 - y1)],
            "area": round((x2 - x1) * (y2 - y1), DIGITS),
            "segmentation": [],
            "iscrowd": 0,
            **({} if drawn_by_hand(score, source) else {"score": score, "source": source}),
        }
        for number, (image, part, x1, y1, x2, y2, score, source) in enumerate(rows, 1)
    ]
    categories = [{"id": number, "name": name} for name, number in classes.items()]
    content = {"images": images, "categories": categories, "annotations": annotations}
    write_text(path, json.dumps(content, indent=1))

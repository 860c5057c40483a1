"""Writing a file that CVAT takes."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

import pandas as pd

from annotations.boxes import CORNERS, LABEL
from annotations.files import write_text
from annotations.formats.cvat.shapes import CARRIED
from annotations.formats.markup import add, xml_text
from annotations.formats.writing import drawn_by_hand, labelled_names, pixel_boxes, plain
from annotations.labels import LabelledSet


def write(labels: LabelledSet, path: Path) -> None:
    """Write a file that CVAT takes as 'CVAT 1.1' for a task with the same images.

    Boxes that no person drew are marked ``auto``; they, and boxes with a score below 1, have
    the attributes ``score`` and ``source``, which CVAT keeps if the task's labels have
    attributes of these names.

    Args:
        labels: the set; its images stay where they are and are named under their root.
        path: the XML file.

    Raises:
        ImageError: an image's size cannot be read.
    """
    frame = pixel_boxes(labels)
    tree = Element("annotations")
    add(tree, "version", "1.1")
    kinds = add(add(add(tree, "meta"), "task"), "labels")
    for name in labelled_names(labels):
        kind = add(kinds, "label")
        add(kind, "name", name)
        attributes = add(kind, "attributes")
        for carried in CARRIED:
            attribute = add(attributes, "attribute")
            add(attribute, "name", carried)
            add(attribute, "mutable", "False")
            add(attribute, "input_type", "text")
    for place, (image, rows) in enumerate(frame.groupby("image", sort=False)):
        size = {side: str(rows[side].iloc[0]) for side in ("width", "height")}
        _add_boxes(add(tree, "image", id=str(place), name=str(image), **size), rows)
    write_text(path, xml_text(tree))


def _add_boxes(image: Element, rows: pd.DataFrame) -> None:
    drawn = rows.dropna(subset="part")[["part", *CORNERS, "score", "source"]]
    for part, x1, y1, x2, y2, score, source in drawn.values.tolist():
        box = add(
            image,
            "box",
            label=part,
            source="manual" if source == LABEL else "auto",
            occluded="0",
            xtl=plain(x1),
            ytl=plain(y1),
            xbr=plain(x2),
            ybr=plain(y2),
            z_order="0",
        )
        if not drawn_by_hand(score, source):
            for name, value in zip(CARRIED, (score, source), strict=True):
                add(box, "attribute", value, name=name)

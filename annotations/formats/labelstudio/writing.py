"""Writing tasks for Label Studio, with pre-annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from annotations.boxes import LABEL
from annotations.files import write_text
from annotations.formats.labelstudio.images import name_image
from annotations.formats.labelstudio.regions import RECTANGLE
from annotations.formats.writing import drawn_by_hand, pixel_boxes
from annotations.labels import LabelledSet

_DIGITS = 9
"""Decimals of a percent: with those of a corner and a side, far below a millionth of an image."""


def write(labels: LabelledSet, path: Path) -> None:
    """Write tasks to import into Label Studio, with pre-annotations to look through.

    Boxes that a person drew are an annotation; the others are a prediction for each source,
    whose ``model_version`` is the source and whose score is that of its least sure box, so that
    Label Studio can show such images first. An image without a box has an empty annotation: it
    was looked at. The project needs ``<Image name="image" value="$image"/>`` and
    ``<RectangleLabels name="label" toName="image">`` with the parts.

    Args:
        labels: the set; its images stay where they are and are named for Label Studio's local
            storage, whose document root must be the set's folder of images.
        path: the JSON file.

    Raises:
        ImageError: an image's size cannot be read.
    """
    groups = pixel_boxes(labels).groupby("image", sort=False)
    tasks = [_task(place, str(image), rows) for place, (image, rows) in enumerate(groups, 1)]
    write_text(path, json.dumps(tasks, indent=1, ensure_ascii=False))


def _task(place: int, image: str, rows: pd.DataFrame) -> dict[str, Any]:
    drawn = rows.dropna(subset="part")
    task: dict[str, Any] = {"data": {"image": name_image(image)}}
    hand = drawn[drawn["source"] == LABEL]
    if len(hand) or drawn.empty:
        task["annotations"] = [{"result": _regions(hand, f"{place}-{LABEL}")}]
    guesses = drawn[drawn["source"] != LABEL]
    if len(guesses):
        task["predictions"] = [
            {
                "model_version": source,
                "score": float(of_it["score"].min()),
                "result": _regions(of_it, f"{place}-{source}"),
            }
            for source, of_it in guesses.groupby("source")
        ]
    return task


def _regions(rows: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    # No two regions of a file may have the same id.
    records = rows.to_dict("records")
    return [_region(row, f"{name}-{number}") for number, row in enumerate(records, 1)]


def _region(row: dict[Any, Any], name: str) -> dict[str, Any]:
    x1, x2 = (100 * row[edge] / row["width"] for edge in ("x1", "x2"))
    y1, y2 = (100 * row[edge] / row["height"] for edge in ("y1", "y2"))
    by_hand = drawn_by_hand(row["score"], row["source"])
    return {
        "id": name,
        "type": RECTANGLE,
        "from_name": "label",
        "to_name": "image",
        "original_width": row["width"],
        "original_height": row["height"],
        "image_rotation": 0,
        "value": {
            "x": round(x1, _DIGITS),
            "y": round(y1, _DIGITS),
            "width": round(x2 - x1, _DIGITS),
            "height": round(y2 - y1, _DIGITS),
            "rotation": 0,
            RECTANGLE: [row["part"]],
        },
        **({} if by_hand else {"score": row["score"]}),
    }

"""Importing: foreign labels and a mapping become a labelled set."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.boxes import CORNERS, Boxes
from annotations.errors import InputError, suggest
from annotations.formats import FORMATS, ForeignLabels, detect_format
from annotations.geometry import prn_parts, vehicle_bottom
from annotations.images import Images
from annotations.labels import LabelledSet
from annotations.mapping import Mapping, load_mapping

log = logging.getLogger(__name__)

SLACK_PIXELS, SLACK_SHARE = 1.0, 0.01
"""How far a box may reach out of its image and still be clipped: the larger of the two, the
second as a share of the image's side. Tools round and count from 0 or 1; more is a mistake."""

MIN_PIECE = 0.01
"""Smallest piece that a split annotation keeps, as a share of its largest piece's area: a
polygon of a pixel or two is a slip of the hand."""


def _sides(boxes: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Look up each box's image size: columns ``width``, ``height`` (float64), indexed as boxes."""
    sides = images.set_index("image")[["width", "height"]].astype("float64")
    return sides.reindex(boxes["image"]).set_axis(boxes.index)


def overhang(boxes: pd.DataFrame, images: pd.DataFrame) -> pd.Series[bool]:
    """Mark the boxes that reach out of their image by more than may be clipped.

    Args:
        boxes: columns ``image`` and ``x1 y1 x2 y2`` (pixels).
        images: columns ``image``, ``width`` and ``height`` (pixels).

    Returns:
        Boolean, indexed as ``boxes``; false where the image's size is unknown.
    """
    sides = _sides(boxes, images)
    out = pd.Series(False, index=boxes.index)
    for low, high, side in (("x1", "x2", "width"), ("y1", "y2", "height")):
        length = sides[side]
        slack = (SLACK_SHARE * length).clip(lower=SLACK_PIXELS)
        out |= (boxes[[low, high]].min(axis=1) < -slack) | (
            boxes[[low, high]].max(axis=1) > length + slack
        )
    return out


def _split(boxes: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    splits = {name for name, rule in mapping.rules.items() if rule.split}
    several = boxes["name"].isin(splits) & boxes["pieces"].notna()
    pieces = boxes[several].explode("pieces")
    pieces[CORNERS] = np.array(pieces["pieces"].tolist(), np.float64).reshape(-1, 4)
    area = (pieces["x2"] - pieces["x1"]) * (pieces["y2"] - pieces["y1"])
    pieces = pieces[area >= MIN_PIECE * area.groupby(level=0).transform("max")]
    return pd.concat([boxes[~several], pieces]).sort_index(kind="stable").reset_index(drop=True)


def _fractions(foreign: ForeignLabels, boxes: pd.DataFrame) -> pd.DataFrame:
    """Clip the boxes to their images, scale them to fractions, drop those left empty."""
    turned = (boxes["x1"] > boxes["x2"]) | (boxes["y1"] > boxes["y2"])
    for bad, words in (
        (turned, "its corners are the wrong way round"),
        (overhang(boxes, foreign.images), "it reaches out of its image"),
    ):
        if bad.any():
            first = boxes[bad].iloc[0]
            others = f"; {int(bad.sum()) - 1} more do so" if bad.sum() > 1 else ""
            raise InputError(
                f"{foreign.source}: {first['where']} ('{first['name']}' in image "
                f"'{first['image']}'): {words}{others}; 'partreid parts check' lists them all"
            )
    sides = _sides(boxes, foreign.images)
    scaled = boxes.copy()
    for corner in CORNERS:
        side = sides["width" if corner[0] == "x" else "height"]
        scaled[corner] = (boxes[corner] / side).clip(0.0, 1.0)
    empty = (scaled["x1"] >= scaled["x2"]) | (scaled["y1"] >= scaled["y2"])
    if empty.any():
        first = boxes[empty].iloc[0]
        log.warning(
            "%s: %d boxes without an area left out; the first is %s (image '%s')",
            *(foreign.source, int(empty.sum()), first["where"], first["image"]),
        )
    return scaled[~empty]


def map_labels(foreign: ForeignLabels, mapping: Mapping) -> LabelledSet:
    """Turn foreign labels into a labelled set.

    Boxes that reach out of their image by at most `SLACK_PIXELS` or `SLACK_SHARE` are
    clipped. Boxes without an area, and images that cannot be read so that their size is
    unknown, are left out with a warning in the log. Scores and sources stay as they are.

    Args:
        foreign: what a format's reader returned.
        mapping: how its classes become parts.

    Raises:
        InputError: a class is unknown, an image file is missing, or a box reaches further
            out of its image or has its corners swapped; names the row.
    """
    vocabulary = mapping.load_vocabulary()
    mapping.require_known(list(foreign.boxes["name"].unique()), foreign.source)
    Images(foreign.images[["image"]], foreign.root, foreign.source).require_files()
    sized = foreign.images["width"].gt(0) & foreign.images["height"].gt(0)
    readable = foreign.images[sized.fillna(False)]
    if len(readable) < len(foreign.images):
        unreadable = foreign.images["image"][~foreign.images["image"].isin(readable["image"])]
        log.warning(
            "%s: %d unreadable images left out; the first is '%s'",
            *(foreign.source, len(unreadable), unreadable.iloc[0]),
        )
    images = Images(readable[["image"]], foreign.root, foreign.source)
    every = foreign.boxes[foreign.boxes["image"].isin(readable["image"])]
    ours = _split(every[every["name"].isin(mapping.rules)], mapping)
    boxes = _fractions(foreign, ours)
    boxes["part"] = [mapping.rules[name].part for name in boxes["name"]]
    boxes["end"] = [mapping.rules[name].end for name in boxes["name"]]
    if mapping.derive == "prn":
        heights = readable.set_index("image")["height"].astype("float64")
        lowest = vehicle_bottom(every, mapping.vehicle)
        boxes = prn_parts(boxes, (lowest / heights).dropna().clip(upper=1.0))
    table = boxes[["image", "part", *CORNERS, "score", "source"]]
    return LabelledSet(images, Boxes(table, {}, foreign.source), vocabulary, mapping.labelled)


def read_foreign(
    path: Path, format: str | None = None, images_root: Path | None = None
) -> ForeignLabels:
    """Read labels in any known format.

    Args:
        path: the file or folder.
        format: a key of `annotations.formats.FORMATS`; recognised where None.
        images_root: the folder of the images; looked for where None.

    Raises:
        InputError: the format is unknown, or the labels cannot be read.
    """
    chosen = format or detect_format(path)
    if chosen not in FORMATS:
        raise InputError(f"no label format '{chosen}'; {suggest(chosen, FORMATS)}")
    return FORMATS[chosen].read(path, images_root)


def import_labels(
    path: Path,
    *,
    format: str | None = None,
    mapping: str | Mapping,
    images_root: Path | None = None,
) -> LabelledSet:
    """Read foreign labels and turn them into a labelled set; see `map_labels`.

    Args:
        path: the file or folder.
        format: a key of `annotations.formats.FORMATS`; recognised where None.
        mapping: a mapping, its name, or the path of its YAML file.
        images_root: the folder of the images; looked for where None.
    """
    mapping = load_mapping(mapping) if isinstance(mapping, str) else mapping
    return map_labels(read_foreign(path, format, images_root), mapping)

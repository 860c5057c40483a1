"""A sheet of images with their part boxes drawn, to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from annotations.boxes import CORNERS, IDENTITY_MEAN, Boxes
from annotations.datasets import read_images
from annotations.files import whole_file
from annotations.images import Images
from annotations.pixels import ImageError, read_image
from annotations.vocabulary import Vocabulary
from pipelines.jobs.detector import boxes_at, vocabulary_of
from pipelines.tables import written

_TILE = 180
_CAPTION = 14
_COLUMNS = 8


def _tile(path: Path, name: str, boxes: Boxes, vocabulary: Vocabulary) -> Image.Image:
    tile = Image.new("RGB", (_TILE, _TILE + _CAPTION), "white")
    pen = ImageDraw.Draw(tile)
    pen.text((2, _TILE + 1), path.name[-28:], fill="black")
    try:
        photograph = Image.fromarray(read_image(path))
    except ImageError:
        pen.text((2, 2), "unreadable", fill="red")
        return tile
    scale = _TILE / max(photograph.size)
    size = (round(photograph.width * scale), round(photograph.height * scale))
    tile.paste(photograph.resize(size), (0, 0))
    mine = boxes.frame[boxes.frame["image"] == name]
    for part, source, corners in zip(
        mine["part"], mine["source"], mine[CORNERS].to_numpy(), strict=True
    ):
        corners = corners * np.array([*size, *size])
        # A filled box is drawn thin, since nothing was seen there.
        width = 1 if source == IDENTITY_MEAN else 2
        pen.rectangle(corners.tolist(), outline=vocabulary[part].colour, width=width)
    return tile


def make_sheet(images: Images, boxes: Boxes, vocabulary: Vocabulary) -> Image.Image:
    """Draw every image with its boxes, eight a row, and a legend of the parts."""
    rows = -(-len(images) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _TILE, rows * (_TILE + _CAPTION) + 20), "white")
    for place, (name, path) in enumerate(zip(images.frame["image"], images.paths, strict=True)):
        row, column = divmod(place, _COLUMNS)
        tile = _tile(path, name, boxes, vocabulary)
        sheet.paste(tile, (column * _TILE, row * (_TILE + _CAPTION)))
    pen = ImageDraw.Draw(sheet)
    left = 4
    for part in vocabulary.parts:
        pen.rectangle((left, sheet.height - 16, left + 10, sheet.height - 6), fill=part.colour)
        pen.text((left + 14, sheet.height - 17), part.name, fill="black")
        left += 24 + round(pen.textlength(part.name))
    return sheet


def draw_sheet(
    boxes: Path, data: Path, dataset: str | None, out: Path, count: int, seed: int
) -> None:
    """Draw the boxes of ``count`` images chosen at random, and write a PNG."""
    images = read_images(data, dataset)
    found = boxes_at(boxes).of(images)
    chosen = images.frame["image"].sample(min(count, len(images)), random_state=seed)
    images = images.where(images.frame["image"].isin(chosen))
    sheet = make_sheet(images, found, vocabulary_of(found))
    with whole_file(out) as aside:
        sheet.save(aside)
    written(out, f"{len(images)} images:")

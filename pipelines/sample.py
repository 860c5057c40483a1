"""The built-in sample: drawn vehicles seen by two cameras, with true part boxes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.files import whole_folder
from annotations.images import Images
from annotations.labels import LabelledSet, label_rows
from annotations.vocabulary import load_vocabulary

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

SIZE = 160
"""Pixels a side of a written image; it is drawn at twice that."""
_CANVAS = 2 * SIZE
_PAINTS: tuple[Colour, ...] = (
    (232, 232, 228), (40, 42, 46), (150, 154, 160), (150, 30, 34), (34, 62, 130),
    (60, 92, 66), (196, 150, 60), (110, 78, 56),
)  # fmt: skip


@dataclass(frozen=True)
class Vehicle:
    """What is the same on every image of one identity.

    Attributes:
        paint: body colour.
        roof: width of the roof as a share of the body's.
        waist: height of the window's lower edge, a share of the vehicle.
        lamp: 0 round, 1 slim, 2 tall.
        grille: bars in the grille.
        badge: corners of the brand's badge, 0 a disc.
        stickers: (across, up, colour) of each sticker, shares of the window.
        ornament: colour of what hangs in the window, or None.
    """

    paint: Colour
    roof: float
    waist: float
    lamp: int
    grille: int
    badge: int
    stickers: tuple[tuple[float, float, Colour], ...]
    ornament: Colour | None


def make_vehicle(random: np.random.Generator) -> Vehicle:
    """Draw an identity: a model (shape, lamps, grille, badge), a paint and its own marks."""
    model = np.random.default_rng(int(random.integers(6)))
    bright = [(250, 220, 60), (230, 70, 60), (80, 190, 240), (90, 210, 110), (240, 240, 240)]
    stickers = tuple(
        (float(random.uniform(0.05, 0.8)), float(random.uniform(0.1, 0.6)),
         bright[int(random.integers(len(bright)))])
        for _ in range(int(random.integers(1, 4)))
    )  # fmt: skip
    return Vehicle(
        paint=_PAINTS[int(random.integers(len(_PAINTS)))],
        roof=float(model.uniform(0.62, 0.82)),
        waist=float(model.uniform(0.42, 0.5)),
        lamp=int(model.integers(3)),
        grille=int(model.integers(2, 7)),
        badge=int(model.choice([0, 3, 4, 6])),
        stickers=stickers,
        ornament=bright[int(random.integers(len(bright)))] if random.random() < 0.5 else None,
    )


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (int(np.clip(channel * factor, 0, 255)) for channel in colour)
    return red, green, blue


def _fill(canvas: Pixels, points: list[tuple[float, float]], colour: Colour) -> None:
    corners = np.round(np.array(points) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [corners], colour, lineType=cv2.LINE_AA, shift=4)


def _window(canvas: Pixels, vehicle: Vehicle, box: tuple[float, float, float, float]) -> None:
    x1, y1, x2, y2 = box
    inset = (x2 - x1) * (1 - vehicle.roof) / 2
    shape = [(x1 + inset, y1), (x2 - inset, y1), (x2, y2), (x1, y2)]
    _fill(canvas, shape, (58, 70, 84))
    _fill(canvas, [(x1 + inset, y1), ((x1 + x2) / 2, y1), (x1 + inset * 2, y2), (x1, y2)],
          (82, 96, 112))  # fmt: skip
    left, width, height = x1 + inset, x2 - x1 - 2 * inset, y2 - y1
    for across, down, colour in vehicle.stickers:
        x, y = left + across * width, y1 + down * height
        side = 0.16 * height
        _fill(canvas, [(x, y), (x + 1.5 * side, y), (x + 1.5 * side, y + side), (x, y + side)],
              colour)  # fmt: skip
    if vehicle.ornament is not None:
        x = left + width / 2
        cv2.line(canvas, (int(x), int(y1)), (int(x), int(y1 + 0.4 * height)), (20, 20, 20), 2)
        cv2.circle(canvas, (int(x), int(y1 + 0.45 * height)), 6, vehicle.ornament, -1, cv2.LINE_AA)


def _lamp(canvas: Pixels, kind: int, centre: tuple[float, float], front: bool) -> list[float]:
    wide, high = ((17, 17), (30, 9), (13, 25))[kind]
    colour = (250, 246, 222) if front else (190, 24, 30)
    x, y = int(centre[0]), int(centre[1])
    cv2.ellipse(canvas, (x, y), (wide, high), 0, 0, 360, (30, 30, 30), -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (x, y), (wide - 3, high - 3), 0, 0, 360, colour, -1, cv2.LINE_AA)
    return [x - wide, y - high, x + wide, y + high]


def draw(vehicle: Vehicle, front: bool) -> tuple[Pixels, dict[str, list[list[float]]]]:
    """Draw a vehicle from the front or the rear.

    Returns:
        RGBA-less pixels on black, (2 SIZE, 2 SIZE, 3) uint8, and its part boxes in those
        pixels after PRN's definitions.
    """
    canvas = np.zeros((_CANVAS, _CANVAS, 3), np.uint8)
    x1, x2, top, bottom = 30.0, 290.0, 40.0, 290.0
    waist = top + vehicle.waist * (bottom - top)
    body, dark = vehicle.paint, _shade(vehicle.paint, 0.62)
    inset = (x2 - x1) * (1 - vehicle.roof) / 2
    for x in (x1 + 14, x2 - 54):
        cv2.rectangle(canvas, (int(x), 250), (int(x + 40), 296), (24, 24, 24), -1)
    _fill(canvas, [(x1 + inset, top), (x2 - inset, top), (x2 - 8, waist), (x1 + 8, waist)], body)
    _fill(canvas, [(x1 + 8, waist), (x2 - 8, waist), (x2, waist + 30), (x2, bottom - 14),
                   (x1, bottom - 14), (x1, waist + 30)], body)  # fmt: skip
    _fill(canvas, [(x1, bottom - 46), (x2, bottom - 46), (x2, bottom - 8), (x1, bottom - 8)], dark)
    glass = (x1 + 24.0, top + 12.0, x2 - 24.0, waist - 6.0)
    _window(canvas, vehicle, glass)
    level = waist + 46
    lamps = [_lamp(canvas, vehicle.lamp, (x, level), front) for x in (x1 + 36, x2 - 36)]
    inner1, inner2 = lamps[0][2] + 8, lamps[1][0] - 8
    for bar in range(vehicle.grille if front else 1):
        y = int(level - 16 + 34 * (bar + 0.5) / (vehicle.grille if front else 1))
        cv2.line(canvas, (int(inner1), y), (int(inner2), y), _shade(dark, 0.5), 4)
    middle = np.array([(x1 + x2) / 2, level])
    if vehicle.badge:
        turns = np.arange(vehicle.badge) * 2 * np.pi / vehicle.badge - np.pi / 2
        ring = middle + 13 * np.stack([np.cos(turns), np.sin(turns)], 1)
        _fill(canvas, [(float(x), float(y)) for x, y in ring], (226, 228, 232))
    else:
        cv2.circle(canvas, (int(middle[0]), int(level)), 12, (226, 228, 232), -1, cv2.LINE_AA)
    brand_top = min(lamp[1] for lamp in lamps)
    return canvas, {
        "window": [list(glass)],
        "light": [[lamp[0], lamp[1], lamp[2], bottom] for lamp in lamps],
        "brand": [[lamps[0][2], brand_top, lamps[1][0], bottom]],
    }


def photograph(
    vehicle: Vehicle, front: bool, camera: int, random: np.random.Generator
) -> tuple[Pixels, dict[str, list[list[float]]]]:
    """See a vehicle through a camera: placed, squeezed, lit, blurred and noisy.

    Returns:
        (SIZE, SIZE, 3) uint8 RGB, and its part boxes as fractions of the image.
    """
    drawn, parts = draw(vehicle, front)
    zoom = random.uniform(0.84, 1.02) / 2
    squeeze = zoom * random.uniform(0.9, 1.0)
    shift = random.uniform(-6, 6, 2) + SIZE / 2
    matrix = np.array(
        [
            [squeeze, 0.0, shift[0] - squeeze * _CANVAS / 2],
            [0.0, zoom, shift[1] - zoom * _CANVAS / 2],
        ]
    )
    ground = random.integers(90, 150) + random.normal(0, 5, (SIZE // 8, SIZE // 8, 1))
    tint = np.array([[1.0, 1.0, 1.0], [0.94, 1.0, 1.06]])[camera % 2]
    scene = cv2.resize(np.repeat(ground, 3, 2), (SIZE, SIZE)) * tint
    size = (SIZE, SIZE)
    painted = cv2.warpAffine(drawn, matrix, size, flags=cv2.INTER_AREA).astype(np.float64)
    solid = (drawn.sum(2, keepdims=True) > 0).astype(np.float64)
    cover = cv2.warpAffine(solid, matrix, size, flags=cv2.INTER_LINEAR)[..., None]
    exposure = random.uniform(0.85, 1.1) if camera % 2 == 0 else random.uniform(0.7, 0.95)
    seen = (scene * (1 - cover) + painted * tint * cover) * exposure
    seen = cv2.GaussianBlur(seen, (0, 0), 0.4 + 0.5 * (camera % 2))
    seen = np.clip(seen + random.normal(0, 3, seen.shape), 0, 255).astype(np.uint8)
    boxes: dict[str, list[list[float]]] = {}
    for part, corners in parts.items():
        placed = np.array(corners).reshape(-1, 2) @ matrix[:, :2].T + matrix[:, 2]
        boxes[part] = np.clip(placed.reshape(-1, 4) / SIZE, 0, 1).tolist()
    return seen, boxes


def write_sample(out: Path, *, train: int = 80, test: int = 24, seed: int = 0) -> Images:
    """Write the sample data set.

    Args:
        out: a folder that is not there yet or holds a sample; gets ``images/``,
            ``images.parquet`` and ``labels/``, a labelled set of half the training images.
        train: training identities.
        test: test identities; camera 1 is query, camera 2 gallery.
        seed: the same seed writes the same vehicles.

    Raises:
        InputError: ``out`` holds something else.
    """
    if out.exists() and not (out / "images.parquet").is_file():
        raise InputError(f"{out}: holds something else than a sample; choose another folder")
    random = np.random.default_rng(seed)
    rows: list[dict[str, str]] = []
    labels: list[tuple[str, str, float, float, float, float]] = []
    with whole_folder(out) as aside:
        (aside / "images").mkdir()
        for number in range(train + test):
            vehicle = make_vehicle(random)
            for camera in (1, 2):
                for front in (True, False):
                    pixels, parts = photograph(vehicle, front, camera, random)
                    end = "front" if front else "rear"
                    name = f"{number:04d}_c{camera:03d}_{end}.jpg"
                    cv2.imwrite(str(aside / "images" / name), pixels[..., ::-1])
                    split = "train" if number < train else ("query", "gallery")[camera - 1]
                    rows.append(
                        {"image": name, "identity": f"{number:04d}", "camera": f"c{camera:03d}",
                         "split": split, "viewpoint": end}
                    )  # fmt: skip
                    if split == "train" and number % 2 == 0:
                        labels += [
                            (name, part, *map(float, box))  # type: ignore[misc]
                            for part, found in parts.items()
                            for box in found
                        ]
        images = Images(pd.DataFrame(rows), aside / "images", str(out))
        images.write(aside / "images.parquet")
        vocabulary = load_vocabulary("prn")
        looked_at = images.where(images.frame["image"].isin([row[0] for row in labels]))
        LabelledSet(
            looked_at, Boxes(label_rows(labels)), vocabulary, frozenset(vocabulary.names)
        ).write(aside / "labels")
    return Images.read(out / "images.parquet")

"""The data, the steps and the part detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotations.boxes import IDENTITY_MEAN
from annotations.images import SPLITS, Images
from pipelines.report.look_alikes import describe, known_keys, pairs_alike
from pipelines.report.material import Material, Step
from pipelines.report.tiles import Album, Tile

_PAIRS, _ACROSS, _DETECTIONS = 3, 9, 27


@dataclass(frozen=True)
class Bar:
    """A step on the time line, in percent of the whole."""

    step: Step
    start: float
    width: float


def time_line(steps: tuple[Step, ...]) -> list[Bar]:
    """Lay the steps end to end."""
    whole = sum(step.seconds or 0 for step in steps) or 1.0
    bars, start = [], 0.0
    for step in steps:
        width = 100 * (step.seconds or 0) / whole
        bars.append(Bar(step, round(start, 3), round(width, 3)))
        start += width
    return bars


@dataclass(frozen=True)
class Vehicle:
    """A row of the contact sheet: one vehicle as the cameras saw it."""

    title: str
    tiles: list[Tile]


def contact_sheet(images: Images, album: Album, seed: int = 0) -> list[Vehicle]:
    """Show vehicles in pairs that look alike, each over its cameras."""
    random = np.random.default_rng(seed)
    keys = known_keys(images)
    rows = []
    for identity in [name for pair in pairs_alike(images, _PAIRS, random) for name in pair]:
        frame = images.frame[images.frame["identity"] == identity]
        by = [column for column in ("camera", "time", "image") if column in frame]
        frame = frame.sort_values(by, kind="stable")
        places = np.unique(np.linspace(0, len(frame) - 1, _ACROSS).round().astype(int))
        shown = frame.iloc[places]
        album.read(list(shown["image"]))
        tiles = [
            album.tile(str(name), lines=("" if pd.isna(camera) else str(camera),))
            for name, camera in zip(shown["image"], shown["camera"], strict=True)
        ]
        told = describe(album.rows[str(frame["image"].iloc[0])], keys)
        rows.append(Vehicle(f"vehicle {identity}" + (f", {told}" if told else ""), tiles))
    return rows


def split_table(images: Images) -> pd.DataFrame:
    """Return how many images, vehicles, cameras and look-alikes each split has."""
    keys = known_keys(images)
    rows = []
    for split in SPLITS:
        frame = images.frame[images.frame["split"] == split]
        if frame.empty:
            continue
        vehicles = frame.drop_duplicates("identity")
        row = {
            "split": split,
            "images": len(frame),
            "vehicles": len(vehicles),
            "cameras": frame["camera"].nunique(),
        }
        if keys:
            row[f"same {', '.join(keys)} as another"] = int(
                vehicles.duplicated(keys, keep=False).sum()
            )
        rows.append(row)
    return pd.DataFrame(rows)


def coverage(material: Material) -> pd.DataFrame:
    """Return how often each part was found, and how many boxes were filled in for training."""
    readable = material.images.frame["image"]
    readable = readable[~readable.isin(material.problems["image"])]
    found, filled = material.boxes.frame, material.filled.frame
    rows = []
    for part in material.vocabulary.names:
        mine = found[found["part"] == part]
        added = (filled["part"] == part) & (filled["source"] == IDENTITY_MEAN)
        rows.append(
            {
                "part": part,
                "boxes found": len(mine),
                "images that show it": mine["image"].nunique() / len(readable),
                "filled in for training": int(added.sum()),
            }
        )
    return pd.DataFrame(rows)


def detections(material: Material, album: Album, seed: int = 0) -> list[Tile]:
    """Show what the detector finds on query images drawn by chance."""
    queries = material.images.split("query").frame["image"]
    shown = queries.sample(min(_DETECTIONS, len(queries)), random_state=seed)
    album.read(list(shown))
    return [album.tile(str(name), outlines=album.outlines(str(name))) for name in shown]

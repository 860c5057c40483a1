"""The tables of a fleet: images, true boxes, labelled sets, vehicles and verification pairs."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.boxes import Boxes
from annotations.files import whole_file
from annotations.images import Images
from annotations.labels import LabelledSet
from annotations.vocabulary import load_vocabulary
from pipelines.fleet.pairs import make_pairs, write_pairs
from pipelines.fleet.presets import Preset
from pipelines.fleet.shoot import World, plan
from pipelines.fleet.truth import Truth, eia_table, prn_table
from pipelines.fleet.vehicle.marks import names_of

LABELLED_FROM = 0.15
"""Visible share from which on a person would draw a part's box."""


def images_frame(world: World) -> pd.DataFrame:
    """Return the images table's rows, in the order of the files' names."""
    rows = []
    for shot in world.shots:
        vehicle = world.vehicles[shot.drive.vehicle]
        rows.append(
            {
                "image": shot.image,
                "identity": vehicle.identity,
                "camera": world.cameras[shot.drive.camera].name,
                "split": shot.split,
                "track": shot.drive.track,
                "time": shot.time,
                "viewpoint": shot.viewpoint,
                "make": vehicle.design.make,
                "model": vehicle.design.model,
                "year": vehicle.design.year,
                "colour": vehicle.paint.name,
                "kind": vehicle.design.body.kind,
                "weather": world.weather(shot).kind,
                "occluded": world.occluded(shot),
            }
        )
    return pd.DataFrame(rows).sort_values("image", ignore_index=True)


def vehicles_frame(world: World) -> pd.DataFrame:
    """Return a row for each vehicle."""
    return pd.DataFrame(
        {
            "identity": vehicle.identity,
            "make": vehicle.design.make,
            "model": vehicle.design.model,
            "year": vehicle.design.year,
            "kind": vehicle.design.body.kind,
            "colour": vehicle.paint.name,
            "marks": ", ".join(names_of(vehicle.marks)),
        }
        for vehicle in world.vehicles
    )


def write_tables(making: Path, preset: Preset, seed: int) -> None:
    """Write every table of a fleet whose photographs are all taken."""
    world = plan(preset, seed)
    frame = images_frame(world)
    images = Images(frame, making / "images", str(making))
    images.write(making / "images.parquet")
    truths: list[tuple[str, Truth]] = []
    for shard in sorted((making / "shards").iterdir()):
        truths += pickle.loads(shard.read_bytes())
    truths.sort(key=lambda item: item[0])
    train = frame.loc[frame["split"] == "train", "image"].to_numpy(dtype=str)
    drawn = np.random.default_rng([seed, 16]).permutation(train)[: preset.labels]
    looked_at = images.where(frame["image"].isin(drawn))
    for name, table, folder in (
        ("prn", prn_table(truths), "labels"),
        ("eia", eia_table(truths), "labels-eia"),
    ):
        vocabulary = load_vocabulary(name)
        Boxes(table, {"fleet": True}).write(making / "boxes" / f"{name}.parquet")
        shown = table[table["image"].isin(drawn) & (table["visible"] >= LABELLED_FROM)]
        LabelledSet(
            looked_at, Boxes(shown.drop(columns="visible")), vocabulary, frozenset(vocabulary.names)
        ).write(making / folder)
    with whole_file(making / "vehicles.csv") as aside:
        vehicles_frame(world).to_csv(aside, index=False)
    test = frame[frame["split"] != "train"]
    write_pairs(make_pairs(test, preset.pairs, seed), making / "pairs")

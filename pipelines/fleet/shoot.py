"""Photographing some of a fleet's vehicles, in one process."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np

from annotations.files import whole_file
from pipelines.fleet.camera.cameras import Camera
from pipelines.fleet.camera.photograph import Photograph, take
from pipelines.fleet.light.climate import weather_at
from pipelines.fleet.light.weather import Weather
from pipelines.fleet.market import make_vehicles
from pipelines.fleet.presets import Preset
from pipelines.fleet.traffic import Shot, make_cameras, make_shots
from pipelines.fleet.truth import Truth
from pipelines.fleet.vehicle.vehicles import Vehicle, assemble


@dataclass(frozen=True)
class World:
    """A fleet that is planned: all that its photographs depend on."""

    preset: Preset
    seed: int
    vehicles: list[Vehicle]
    cameras: list[Camera]
    shots: list[Shot]

    @cached_property
    def of_vehicle(self) -> dict[int, list[Shot]]:
        """The photographs of each vehicle, pass by pass."""
        grouped: dict[int, list[Shot]] = {}
        for shot in self.shots:
            grouped.setdefault(shot.drive.vehicle, []).append(shot)
        return grouped

    def weather(self, shot: Shot) -> Weather:
        """Return the weather when a photograph is taken; it is the same for a whole hour."""
        hour = int(shot.time // 3600)
        return weather_at(hour, self.preset.rain, np.random.default_rng([self.seed, 13, hour]))

    def random(self, shot: Shot) -> np.random.Generator:
        """Return the generator of all that is drawn for a photograph."""
        return np.random.default_rng([self.seed, 14, shot.number])

    def occluded(self, shot: Shot) -> bool:
        """Tell whether something stands before the vehicle."""
        draw = np.random.default_rng([self.seed, 15, shot.number]).random()
        return bool(draw < self.preset.occluded)


@lru_cache(maxsize=2)
def plan(preset: Preset, seed: int) -> World:
    """Plan a fleet."""
    vehicles, cameras = make_vehicles(preset, seed), make_cameras(preset, seed)
    return World(preset, seed, vehicles, cameras, make_shots(preset, vehicles, cameras, seed))


def photographs(world: World, start: int, end: int) -> list[tuple[Shot, Photograph]]:
    """Take every photograph of the vehicles ``start`` to ``end`` - 1."""
    taken = []
    for shot in (shot for vehicle in range(start, end) for shot in world.of_vehicle[vehicle]):
        drive = shot.drive
        model = assemble(world.vehicles[drive.vehicle], drive.belts, drive.clothes)
        taken.append(
            (
                shot,
                take(
                    model, shot.pose, world.cameras[drive.camera], world.weather(shot),
                    world.preset.size, world.occluded(shot), world.random(shot),
                ),
            )
        )  # fmt: skip
    return taken


def shoot(making: Path, preset: Preset, seed: int, start: int, end: int) -> None:
    """Photograph some vehicles into a folder; their truth becomes a shard when all are there."""
    truths: list[tuple[str, Truth]] = []
    for shot, photograph in photographs(plan(preset, seed), start, end):
        (making / "images" / shot.image).write_bytes(photograph.jpeg)
        _, mask = cv2.imencode(".png", photograph.truth.mask, (cv2.IMWRITE_PNG_COMPRESSION, 3))
        (making / "masks" / shot.image).with_suffix(".png").write_bytes(mask.tobytes())
        truths.append((shot.image, photograph.truth.without_mask()))
    with whole_file(making / "shards" / f"{start:06d}.pickle") as aside:
        aside.write_bytes(pickle.dumps(truths))

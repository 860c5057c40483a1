"""Who passes which camera when: every photograph that will be taken, before one is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipelines.fleet.camera.cameras import Camera, Lane, steady
from pipelines.fleet.camera.views import Pose
from pipelines.fleet.presets import Preset
from pipelines.fleet.vehicle.vehicles import Vehicle

VIEWPOINTS = (
    "front",
    "front-left",
    "left",
    "rear-left",
    "rear",
    "rear-right",
    "right",
    "front-right",
)
_LANE = 3.4
_FRAME = (640, 360)
_CLOTHES = (
    (60, 70, 96),
    (150, 40, 44),
    (216, 214, 208),
    (40, 44, 48),
    (84, 120, 92),
    (196, 168, 90),
)


@dataclass(frozen=True)
class Pass:
    """One drive of one vehicle past one camera.

    Attributes:
        track: its name.
        vehicle: number of the vehicle.
        camera: number of the camera.
        belts: whether there is a person in the (left, right) front seat.
        clothes: their colour.
    """

    track: str
    vehicle: int
    camera: int
    belts: tuple[bool, bool]
    clothes: tuple[int, int, int]


@dataclass(frozen=True)
class Shot:
    """One photograph.

    Attributes:
        drive: the pass it belongs to.
        pose: of the vehicle.
        time: seconds since the first midnight.
        viewpoint: one of `VIEWPOINTS`: the side of the vehicle that faces the camera.
        number: among the fleet's photographs, in no order that means anything.
        split: train, query or gallery.
    """

    drive: Pass
    pose: Pose
    time: float
    viewpoint: str
    number: int
    split: Literal["train", "query", "gallery"]

    @property
    def image(self) -> str:
        """The file's name."""
        return f"{self.number:06d}.jpg"


def make_cameras(preset: Preset, seed: int) -> list[Camera]:
    """Place the cameras of a fleet."""
    cameras = []
    for number in range(preset.cameras):
        random = np.random.default_rng([seed, 10, number])
        if preset.views == "front":
            around = float(random.uniform(-40, 40))
        else:
            # All around, evenly, whatever the number of cameras.
            around = 360 * number / preset.cameras + float(random.uniform(-20, 20))
        angle = math.radians(around)
        distance, height = float(random.uniform(11, 18)), float(random.uniform(3.2, 6.5))
        position = (distance * steady(math.cos(angle)), distance * steady(math.sin(angle)), height)
        lanes = [Lane(0.0, 0.0, 0.0, float(random.uniform(2.5, 4.0)))]
        # A second lane, on the side away from the camera; on some roads it leads back.
        side = -1 if angle % (2 * math.pi) < math.pi else 1
        along = preset.views == "front" or random.random() < 0.5
        lanes.append(Lane(0.0, side * _LANE, 0.0 if along else math.pi, lanes[0].reach))
        cameras.append(
            Camera(
                name=f"c{number + 1:03d}",
                position=position,
                target=(0.0, 0.5 * lanes[1].y, 0.6),
                focal=float(random.uniform(31, 40)) * distance,
                size=_FRAME,
                lanes=tuple(lanes),
                background="busy" if (number + 0.5) / preset.cameras < preset.busy else "plain",
                exposure=float(random.uniform(0.82, 1.15)),
                tint=(float(random.uniform(0.95, 1.05)), 1.0, float(random.uniform(0.93, 1.06))),
                blur=float(random.uniform(0.25, 0.75)),
                noise=float(random.uniform(1.0, 5.0)),
                quality=int(random.integers(70, 94)),
                seed=int(random.integers(2**31)),
            )
        )
    return cameras


def _viewpoint(pose: Pose, camera: Camera) -> str:
    """Tell which of eight sides of the vehicle faces the camera."""
    dx, dy = camera.position[0] - pose.x, camera.position[1] - pose.y
    c, s = pose.heading
    ahead, left = dx * c + dy * s, -dx * s + dy * c
    turn = math.degrees(math.atan2(left, ahead))
    return VIEWPOINTS[round(turn / 45) % 8]


def _hour(preset: Preset, random: np.random.Generator) -> float:
    """Draw an hour of the day: by night as often as the preset says, else from 7 to 19."""
    if random.random() < preset.night:
        return float((random.uniform(21, 28)) % 24)
    return float(random.uniform(7, 19))


def make_shots(
    preset: Preset, vehicles: list[Vehicle], cameras: list[Camera], seed: int
) -> list[Shot]:
    """Plan every photograph.

    Passes of one identity are drawn independently of each other: place, time, speed and lane of
    one say nothing of those of another. Photographs are numbered at random.
    """
    drafts: list[tuple[Pass, Pose, float, str, str]] = []
    for number in range(len(vehicles)):
        random = np.random.default_rng([seed, 11, number])
        count = int(random.integers(preset.passes[0], preset.passes[1] + 1))
        for camera_number in sorted(random.permutation(len(cameras))[:count].tolist()):
            camera = cameras[camera_number]
            lane = camera.lanes[int(random.integers(len(camera.lanes)))]
            drive = Pass(
                track=f"{number:05d}-{camera.name}",
                vehicle=number,
                camera=camera_number,
                belts=(True, bool(random.random() < 0.4)),
                clothes=_CLOTHES[int(random.integers(len(_CLOTHES)))],
            )
            start = 86400.0 * int(random.integers(14)) + 3600 * _hour(preset, random)
            speed = float(random.uniform(6, 16))
            heading = lane.heading + float(random.normal(0, 0.03))
            aside = float(random.normal(0, 0.3))
            frames = int(random.integers(preset.frames[0], preset.frames[1] + 1))
            asked = int(random.integers(frames))
            for frame in range(frames):
                share = (frame + float(random.uniform(0.1, 0.9))) / frames
                along = (2 * share - 1) * lane.reach
                c, s = steady(math.cos(heading)), steady(math.sin(heading))
                pose = Pose(lane.x + along * c - aside * s, lane.y + along * s + aside * c, (c, s))
                split = "train" if number < preset.train else "gallery"
                if split == "gallery" and (frame - asked) % frames < preset.queries:
                    split = "query"
                time = round(start + (along + lane.reach) / speed, 2)
                drafts.append((drive, pose, time, _viewpoint(pose, camera), split))
    names = np.random.default_rng([seed, 12]).permutation(len(drafts)).tolist()
    return [
        Shot(drive, pose, time, view, name, split)  # type: ignore[arg-type]
        for (drive, pose, time, view, split), name in zip(drafts, names, strict=True)
    ]

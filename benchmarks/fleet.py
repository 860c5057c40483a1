"""How fast a fleet is made on one core, where the time goes, and against flat triangles.

    python -m benchmarks.fleet [--preset near-duplicate] [--size 128] [--vehicles 24]

The peer is OpenCV filling the same triangles in one colour each, without depth, light, parts or
street: what drawing costs when nothing is known of it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import cv2
import numpy as np

from pipelines.fleet.camera import photograph as studio
from pipelines.fleet.camera.photograph import background_of, frame_vehicle
from pipelines.fleet.market import make_vehicles
from pipelines.fleet.presets import preset_named
from pipelines.fleet.shoot import World, photographs, plan
from pipelines.fleet.vehicle.vehicles import assemble

_STAGES = ("look", "_behind", "light_plate", "_composite", "measure", "photograph")


def flat_triangles(world: World, start: int, end: int) -> float:
    """Return the seconds that OpenCV takes to fill the triangles of the same photographs."""
    spent = 0.0
    for shot in (shot for number in range(start, end) for shot in world.of_vehicle[number]):
        drive = shot.drive
        model = assemble(world.vehicles[drive.vehicle], drive.belts, drive.clothes)
        camera = world.cameras[drive.camera]
        window = frame_vehicle(model, shot.pose, camera, world.preset.size, world.random(shot))
        began = time.process_time()
        pixels, _ = camera.project(shot.pose.place(model.outer.corners))
        corners = np.rint(window.samples(pixels) * 16).astype(np.int32)[model.outer.triangles]
        picture = np.zeros((window.size[1] * 2, window.size[0] * 2, 3), np.uint8)
        for number, triangle in enumerate(corners):
            cv2.fillConvexPoly(picture, triangle, (number % 256, 0, 0), shift=4)
        spent += time.process_time() - began
    return spent


def staged(world: World, start: int, end: int) -> dict[str, float]:
    """Return the seconds that each stage of a photograph takes."""
    spent = dict.fromkeys(_STAGES, 0.0)
    kept = {name: getattr(studio, name) for name in _STAGES}

    def timed(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        def call(*given, **named):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN003, ANN202
            began = time.process_time()
            found = kept[name](*given, **named)
            spent[name] += time.process_time() - began
            return found

        return call

    try:
        for name in _STAGES:
            setattr(studio, name, timed(name))
        photographs(world, start, end)
    finally:
        for name in _STAGES:
            setattr(studio, name, kept[name])
    return spent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="near-duplicate")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--vehicles", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    preset = replace(preset_named(given.preset), size=given.size)
    began = time.process_time()
    make_vehicles(preset, preset.seed)
    world = plan(preset, preset.seed)
    print(f"planning {len(world.shots)} photographs: {time.process_time() - began:.2f} s")
    began = time.process_time()
    for camera in world.cameras:
        background_of(camera)
    painted = (time.process_time() - began) / len(world.cameras)
    print(f"painting a camera's background: {1000 * painted:.0f} ms")
    photographs(world, 0, 4)
    for _ in range(given.rounds):
        began = time.process_time()
        count = len(photographs(world, 4, 4 + given.vehicles))
        each = (time.process_time() - began) / count
        flat = flat_triangles(world, 4, 4 + given.vehicles) / count
        print(
            f"{count} photographs of {given.size} x {given.size} pixels: {1 / each:.0f} a second "
            f"and core, {1000 * each:.1f} ms; flat triangles {1000 * flat:.1f} ms; "
            f"ratio {each / flat:.1f}"
        )
    spent = staged(world, 4, 4 + given.vehicles)
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {name.strip('_'):12} {1000 * seconds / count:5.2f} ms")


if __name__ == "__main__":
    main()

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from pipelines.fleet.presets import PRESETS
from pipelines.fleet.shoot import plan
from pipelines.fleet.traffic import VIEWPOINTS


@pytest.fixture(scope="module")
def world():
    return plan(replace(PRESETS["large"], train=60, test=40), 3)


def test_the_viewpoint_is_the_side_that_faces_the_camera(world):
    for shot in world.shots:
        camera = world.cameras[shot.drive.camera]
        to_camera = complex(camera.position[0] - shot.pose.x, camera.position[1] - shot.pose.y)
        turn = to_camera / complex(*shot.pose.heading)
        sides = {
            "front": turn.real > 0,
            "rear": turn.real < 0,
            "left": turn.imag > 0,
            "right": turn.imag < 0,
        }
        for side in shot.viewpoint.split("-"):
            assert sides[side]
        steep = math.tan(math.radians(22.5))
        lean = min(abs(turn.real), abs(turn.imag)) / max(abs(turn.real), abs(turn.imag))
        assert (lean > steep) == ("-" in shot.viewpoint)
    assert {shot.viewpoint for shot in world.shots} == set(VIEWPOINTS)


def test_numbers_of_images_say_nothing(world):
    numbers = [shot.number for shot in world.shots]
    assert sorted(numbers) == list(range(len(numbers)))
    for key in (
        lambda shot: shot.drive.vehicle,
        lambda shot: shot.drive.camera,
        lambda shot: shot.time,
    ):
        found = spearmanr(numbers, [key(shot) for shot in world.shots]).statistic
        assert abs(found) < 4 / math.sqrt(len(numbers))


def test_one_pass_of_a_vehicle_says_nothing_of_another(world):
    # Of two passes of one vehicle, the hour, lane and people of one do not tell the other's.
    first = {}
    pairs = []
    for shot in world.shots:
        drive = shot.drive
        if drive.vehicle not in first:
            first[drive.vehicle] = shot
        elif first[drive.vehicle].drive.camera != drive.camera:
            pairs.append((first.pop(drive.vehicle), shot))
    hours = np.array([[shot.time % 86400 for shot in pair] for pair in pairs])
    assert abs(spearmanr(*hours.T).statistic) < 4 / math.sqrt(len(pairs))
    belts = np.array([[shot.drive.belts[1] for shot in pair] for pair in pairs])
    assert abs(np.corrcoef(*belts.T)[0, 1]) < 4 / math.sqrt(len(pairs))


def test_types_are_dealt_evenly():
    world = plan(PRESETS["near-duplicate"], 7)
    for start, end in ((0, 300), (300, 640)):
        counts = {}
        for vehicle in world.vehicles[start:end]:
            key = (vehicle.design, vehicle.paint.name)
            counts[key] = counts.get(key, 0) + 1
        assert max(counts.values()) - min(counts.values()) <= 1
        assert len(counts) == 16
    queries = [shot for shot in world.shots if shot.split == "query"]
    assert len(queries) >= 1000
    assert len({shot.drive.vehicle for shot in queries}) >= 300

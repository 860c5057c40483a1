import math

import cv2
import numpy as np
import pytest

from annotations.vocabulary import load_vocabulary
from pipelines.fleet.camera.cameras import Camera, steady
from pipelines.fleet.camera.render import look
from pipelines.fleet.camera.views import Pose, Window
from pipelines.fleet.light.climate import light_of
from pipelines.fleet.light.weather import draw_weather
from pipelines.fleet.truth import measure
from pipelines.fleet.vehicle.bodies import KINDS
from pipelines.fleet.vehicle.designs import make_catalogue
from pipelines.fleet.vehicle.inks import Ink
from pipelines.fleet.vehicle.marks import Marks, Object, Rates, Sticker, draw_marks
from pipelines.fleet.vehicle.shell import profile_of
from pipelines.fleet.vehicle.things import NUMBER, THINGS
from pipelines.fleet.vehicle.vehicles import PAINTS, Vehicle, assemble

CATALOGUE = make_catalogue(3, 7, 2, KINDS, np.random.default_rng(5))
ALL = Rates(*[1.0] * 13)


def see(vehicle, turn, height=5.0, size=200, distance=3.2, side=0.0):
    """Look at a vehicle that is turned by some degrees from facing the camera."""
    model = assemble(vehicle, (True, True), (90, 90, 90))
    long = model.reach[1] - model.reach[0]
    camera = Camera("c", (distance * long, side, height), (0.0, 0.0, 0.7), 900.0, (900, 900), (),
                    "plain", 1.0, (1.0, 1.0, 1.0), 0.0, 0.0, 90, 0)  # fmt: skip
    angle = math.radians(turn)
    pose = Pose(0.0, 0.0, (steady(math.cos(angle)), steady(math.sin(angle))))
    pixels, _ = camera.project(pose.place(model.outer.corners))
    low, high = pixels.min(0) - 3, pixels.max(0) + 3
    zoom = size / float((high - low).max())
    window = Window(*low.tolist(), (zoom, zoom), tuple(np.ceil((high - low) * zoom).astype(int)))
    light = light_of(
        draw_weather(np.random.default_rng(0), ("day",)), 0.0, np.random.default_rng(1)
    )
    return look(model, pose, camera, window, light)


def vehicle_of(kind, marks=None, number=0):
    design = next(years[0] for years in CATALOGUE if years[0].body.kind == kind)
    if marks is None:
        profile = profile_of(design.body)
        start, end = profile.stretch("windscreen")
        marks = draw_marks(np.random.default_rng(number), ALL, profile.half_at(start), end - start)
    return Vehicle(f"{kind}-{number}", design, PAINTS[0], marks)


@pytest.mark.parametrize("kind", KINDS)
def test_a_vehicle_shows_the_parts_of_the_side_that_is_seen(kind):
    vehicle = vehicle_of(kind)
    parts = {}
    for turn in (0, 90, 180, 270):
        seen = see(vehicle, turn)
        parts[turn] = {row[0] for row in measure(seen.outer, seen.inner, seen.whole).eia}
    for part in ("frontal", "plate", "wind glass", "car light", "logo", "back mirror", "anu sign"):
        assert part in parts[0]
    assert {"plate", "car light"} <= parts[180]
    assert "wind glass" not in parts[180]
    assert "frontal" not in parts[180]
    assert "wheel" in parts[90] & parts[270]


def test_every_part_of_the_vocabulary_is_somewhere():
    found = set()
    for kind in ("sedan", "suv", "van"):
        for turn, height in ((0, 4.0), (20, 9.0), (180, 4.0)):
            seen = see(vehicle_of(kind), turn, height)
            found |= {row[0] for row in measure(seen.outer, seen.inner, seen.whole).eia}
    assert set(load_vocabulary("eia").names) - found <= {"car top window"}
    sunroof = next(years[0] for years in CATALOGUE if years[0].sunroof)
    seen = see(Vehicle("s", sunroof, PAINTS[1], Marks()), 0, height=14.0)
    assert (seen.outer == NUMBER["sunroof"]).any()


@pytest.mark.parametrize("turn", [90, 270])
def test_wheels_are_round_from_the_side(turn):
    seen = see(vehicle_of("sedan"), turn, height=0.4, distance=8.0)
    side = "left" if turn == 270 else "right"
    for axle in (0, 1):
        rows, columns = np.nonzero(seen.outer == NUMBER[f"{side} wheel {axle}"])
        wide, high = np.ptp(columns) + 1, np.ptp(rows) + 1
        assert abs(wide / high - 1) < 0.06
        assert len(rows) / (wide * high) == pytest.approx(math.pi / 4, abs=0.03)


def test_what_is_behind_the_windscreen_moves_against_it():
    # A box on the dashboard stands behind the glass, a permit is on it: seen from both sides the
    # box shifts against the permit, as nothing painted on the glass could.
    box = Object(0.0, 0.35, (0.1, 0.2, 0.12), Ink.RED, Ink.WHITE)
    permit = Sticker(0.15, 0.0, (0.05, 0.1), Ink.BLUE, Ink.WHITE)
    vehicle = vehicle_of("sedan", Marks(paper_box=box, permits=(permit,)))
    places = []
    for turn in (-25, 25):
        seen = see(vehicle, turn, height=2.2)
        glass = np.nonzero(seen.outer == NUMBER["permit 0"])[1]
        found = np.nonzero(seen.inner == NUMBER["paper box"])[1]
        places.append((found.mean() - glass.mean()) / np.ptp(glass))
    assert places[0] < -0.3
    assert places[1] > 0.3


def test_marks_change_only_small_parts():
    plain, marked = vehicle_of("sedan", Marks()), vehicle_of("sedan")
    marks = Marks(inspections=marked.marks.inspections, paper_box=marked.marks.paper_box)
    a, b = see(plain, 10), see(vehicle_of("sedan", marks), 10)
    assert np.array_equal(a.outer > 0, b.outer > 0)
    changed = (a.colour != b.colour).any(-1).sum() / (a.outer > 0).sum()
    assert 0.002 < changed < 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_a_vehicle_has_no_hole(kind):
    # Every sample of a surface is something, and from no side is the inside seen through a gap.
    for turn in (0, 40, 90, 140, 180):
        seen = see(vehicle_of(kind, Marks()), turn)
        assert seen.whole[0] == 0
        vehicle = (seen.outer > 0).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - vehicle, connectivity=4)
        edge = set(labels[0]) | set(labels[-1]) | set(labels[:, 0]) | set(labels[:, -1])
        holes = [stats[i, 4] for i in range(1, len(stats)) if i not in edge]
        # What is left are gaps that are real: under the mirror's arm, between truck and box.
        assert sum(holes) < 0.004 * vehicle.sum()


def test_samples_that_face_the_camera_are_counted_whole():
    seen = see(vehicle_of("suv"), 30)
    for number, thing in enumerate(THINGS[1:], 1):
        plane = seen.inner if thing.inside else seen.outer
        assert (plane == number).sum() <= seen.whole[number]


def test_a_later_year_changes_only_a_light_or_the_grille():
    may = {"year", "running_light", "grille", "bars", "lamp"}
    for years in CATALOGUE:
        first, second = (vars(design) for design in years)
        changed = {key for key in first if first[key] != second[key]}
        assert "year" in changed
        assert len(changed) >= 2
        assert changed <= may

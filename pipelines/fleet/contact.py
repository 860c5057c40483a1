"""A contact sheet: vehicles from eight sides, and near-duplicates side by side."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from annotations.files import whole_file
from pipelines.fleet.camera.cameras import Camera, steady
from pipelines.fleet.camera.render import look
from pipelines.fleet.camera.views import SAMPLES, Pose, Window
from pipelines.fleet.light.climate import light_of
from pipelines.fleet.light.weather import draw_weather
from pipelines.fleet.market import make_vehicles
from pipelines.fleet.presets import Preset
from pipelines.fleet.vehicle.marks import names_of
from pipelines.fleet.vehicle.vehicles import Vehicle, assemble

_TILE, _CAPTION = 200, 16
_GROUND = 158
_ROWS, _SIDES = 6, 8


def portrait(vehicle: Vehicle, turn: float, size: int = _TILE) -> npt.NDArray[np.uint8]:
    """See a vehicle before an even ground.

    Args:
        vehicle: the vehicle.
        turn: degrees by which it is turned away from facing the camera.
        size: pixels a side.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    model = assemble(vehicle, (True, False), (70, 84, 116))
    long = model.reach[1] - model.reach[0]
    camera = Camera(
        "studio", (max(long, 4.6) * 2.6, 0.0, max(long, 4.6) * 0.8), (0.0, 0.0, 0.75), 1000.0,
        (1000, 1000), (), "plain", 1.0, (1.0, 1.0, 1.0), 0.0, 0.0, 95, 0,
    )  # fmt: skip
    angle = math.radians(turn)
    pose = Pose(0.0, 0.0, (steady(math.cos(angle)), steady(math.sin(angle))))
    pixels, _ = camera.project(pose.place(model.outer.corners))
    low, high = pixels.min(0), pixels.max(0)
    side = float((high - low).max()) * 1.06
    left, top = ((low + high) / 2 - side / 2).tolist()
    window = Window(left, top, (size / side, size / side), (size, size))
    random = np.random.default_rng(3)
    seen = look(model, pose, camera, window, light_of(draw_weather(random, ("day",)), 0.0, random))
    shown = np.where(seen.outer[..., None] > 0, seen.colour, np.uint8(_GROUND))
    cells = shown.reshape(size, SAMPLES, size, SAMPLES, 3).mean((1, 3))
    picture: npt.NDArray[np.uint8] = cells.astype(np.uint8)
    return picture


def _duplicates(vehicles: list[Vehicle], count: int) -> list[Vehicle]:
    """Return vehicles of the one model, year and colour that most have in common."""
    groups: dict[tuple[str, int, str], list[Vehicle]] = {}
    for vehicle in vehicles:
        key = (vehicle.design.model, vehicle.design.year, vehicle.paint.name)
        groups.setdefault(key, []).append(vehicle)
    return max(groups.values(), key=len)[:count]


def _different(vehicles: list[Vehicle], count: int) -> list[Vehicle]:
    """Return vehicles of as many kinds as there are."""
    seen: dict[str, list[Vehicle]] = {}
    for vehicle in vehicles:
        seen.setdefault(vehicle.design.body.kind, []).append(vehicle)
    ordered = [group[i] for i in range(count) for group in seen.values() if i < len(group)]
    return ordered[:count]


def make_contact_sheet(preset: Preset, seed: int) -> Image.Image:
    """Draw a fleet's contact sheet: 8 viewpoints of 6 identities, and a row of near-duplicates."""
    vehicles = make_vehicles(preset, seed)
    rows = _different(vehicles, _ROWS)
    twins = _duplicates(vehicles, _SIDES)
    high = _TILE + _CAPTION
    sheet = Image.new("RGB", (_SIDES * _TILE, (len(rows) + 1) * high + _CAPTION), "white")
    pen = ImageDraw.Draw(sheet)
    for row, vehicle in enumerate(rows):
        design = vehicle.design
        kind = design.body.kind
        text = f"{vehicle.identity}: {vehicle.paint.name} {design.model} {design.year}, {kind}"
        own = ", ".join(names_of(vehicle.marks)).replace("_", " ")
        pen.text((4, row * high + 2), f"{text}; its own: {own}", fill="black")
        for column in range(_SIDES):
            tile = Image.fromarray(portrait(vehicle, 45.0 * column))
            sheet.paste(tile, (column * _TILE, row * high + _CAPTION))
    top = len(rows) * high
    design = twins[0].design
    pen.text((4, top + 2), f"near-duplicates: {len(twins)} vehicles, each a {twins[0].paint.name} "
             f"{design.model} {design.year}", fill="black")  # fmt: skip
    for column, vehicle in enumerate(twins):
        sheet.paste(Image.fromarray(portrait(vehicle, 12.0)), (column * _TILE, top + _CAPTION))
        pen.text((column * _TILE + 4, top + high), vehicle.identity, fill="black")
    return sheet


def write_contact_sheet(preset: Preset, seed: int, path: Path) -> None:
    """Write a fleet's contact sheet as a PNG."""
    sheet = make_contact_sheet(preset, seed)
    with whole_file(path) as aside:
        sheet.save(aside)

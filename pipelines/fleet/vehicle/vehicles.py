"""A whole vehicle, ready to be seen: meshes, packed sheet and palette."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipelines.fleet.vehicle.attachments import carrier, mirrors, wheels
from pipelines.fleet.vehicle.cabin import cabin
from pipelines.fleet.vehicle.designs import Design
from pipelines.fleet.vehicle.flanks import draw_flanks
from pipelines.fleet.vehicle.front import draw_front
from pipelines.fleet.vehicle.inks import Colour, Ink, Palette, palette
from pipelines.fleet.vehicle.marks import Marks
from pipelines.fleet.vehicle.mesh import Mesh, join
from pipelines.fleet.vehicle.owner import draw_marks_on
from pipelines.fleet.vehicle.rear import draw_rear
from pipelines.fleet.vehicle.sheets import Sheet
from pipelines.fleet.vehicle.shell import make_shell, profile_of


@dataclass(frozen=True)
class Paint:
    """A colour that vehicles are sold in.

    Attributes:
        name: as in the images table.
        colour: display RGB.
        gloss: reflectance seen straight on.
    """

    name: str
    colour: Colour
    gloss: float = 0.06


PAINTS = (
    Paint("white", (244, 245, 245)), Paint("black", (22, 23, 26), 0.07),
    Paint("silver", (158, 162, 166), 0.12), Paint("grey", (92, 96, 102), 0.10),
    Paint("red", (150, 22, 28)), Paint("blue", (28, 62, 136)), Paint("green", (38, 84, 60)),
    Paint("brown", (98, 70, 52), 0.09), Paint("yellow", (206, 160, 40)),
    Paint("orange", (196, 92, 30)), Paint("beige", (190, 178, 150), 0.09),
    Paint("purple", (74, 42, 92), 0.09),
)  # fmt: skip


@dataclass(frozen=True)
class Vehicle:
    """One identity.

    Attributes:
        identity: its name.
        design: model and year.
        paint: colour.
        marks: its own.
        stripe: display colour of its stripe, if it has one.
        cargo: display colour of its cargo box, if it has one.
    """

    identity: str
    design: Design
    paint: Paint
    marks: Marks
    stripe: Colour = (220, 220, 220)
    cargo: Colour = (214, 214, 210)


@dataclass(frozen=True)
class Model3D:
    """What the renderer needs.

    Attributes:
        outer: the vehicle's outside.
        inner: what is behind its windscreen.
        sheet: (H, W) uint32, each texel's ink, thing and the two slopes of its relief, one byte
            each from the lowest; slopes are 128 for none, in 1/64.
        mirrored: the row from which on a sheet's columns run against the surface's left.
        upright: the row from which on a sheet's rows run down a side.
        palette: of its inks.
        reach: x of the body's rear and front end, metres.
        width: of the body without mirrors, metres.
        height: of the body without what stands on its roof, metres.
    """

    outer: Mesh
    inner: Mesh
    sheet: npt.NDArray[np.uint32]
    upright: int
    mirrored: int
    palette: Palette
    reach: tuple[float, float]
    width: float
    height: float


@dataclass(frozen=True)
class _Common:
    """What all vehicles of a design share."""

    sheet: Sheet
    packed: npt.NDArray[np.uint32]
    outer: Mesh


@lru_cache(maxsize=48)
def _common(design: Design) -> _Common:
    profile = profile_of(design.body)
    sheet = Sheet.blank(design.body, float(profile.along[-1]))
    draw_flanks(sheet, design, profile)
    draw_front(sheet, design, profile)
    draw_rear(sheet, design, profile)
    outer = join([make_shell(sheet), *mirrors(sheet), *wheels(sheet)])
    return _Common(sheet, _pack(sheet), outer)


def _pack(sheet: Sheet) -> npt.NDArray[np.uint32]:
    height = sheet.height.astype(np.int16)
    # One millimetre over two texels, in 1/64.
    factor = np.float32(0.064 * sheet.scale / 2)
    slopes = []
    for axis in (1, 0):
        ahead = np.roll(height, -1, axis) - np.roll(height, 1, axis)
        slopes.append(np.clip(128 - np.rint(ahead * factor), 0, 255).astype(np.uint8))
    planes: npt.NDArray[np.uint8] = np.stack([sheet.ink, sheet.thing, *slopes], -1)
    return planes.view("<u4")[..., 0]


def _repack(sheet: Sheet, common: _Common) -> npt.NDArray[np.uint32]:
    """Pack a sheet of which few rows differ from its design's."""
    base = common.sheet
    changed = (sheet.ink != base.ink).any(1) | (sheet.thing != base.thing).any(1)
    rows = np.flatnonzero(changed | (sheet.height != base.height).any(1))
    packed = common.packed.copy()
    gaps = np.flatnonzero(np.diff(rows) > 8)
    for run in np.split(rows, gaps + 1) if len(rows) else ():
        # A slope looks one row ahead and one back.
        first, last = max(int(run[0]) - 2, 0), min(int(run[-1]) + 3, len(packed))
        part = replace(sheet, ink=sheet.ink[first:last], thing=sheet.thing[first:last],
                       height=sheet.height[first:last])  # fmt: skip
        packed[first + 1 : last - 1] = _pack(part)[1:-1]
    return packed


@lru_cache(maxsize=4)
def _own(vehicle: Vehicle) -> tuple[Sheet, npt.NDArray[np.uint32], Mesh]:
    """Return a vehicle's sheet, packed, and its outside."""
    common = _common(vehicle.design)
    sheet, profile = common.sheet.copy(), profile_of(vehicle.design.body)
    draw_marks_on(sheet, vehicle.design, vehicle.marks, profile)
    extra = carrier(sheet, vehicle.marks, profile)
    # Every swatch that a cabin may need, so that the sheet is the same whoever sits in it.
    cabin(sheet, vehicle.marks, profile, (True, True))
    return sheet, _repack(sheet, common), join([common.outer, *extra]) if extra else common.outer


@lru_cache(maxsize=8)
def _cabin(vehicle: Vehicle, belts: tuple[bool, bool]) -> Mesh:
    return join(cabin(_own(vehicle)[0], vehicle.marks, profile_of(vehicle.design.body), belts))


def assemble(vehicle: Vehicle, belts: tuple[bool, bool], clothes: Colour) -> Model3D:
    """Build a vehicle with the people who are in it on one drive.

    Args:
        vehicle: the identity.
        belts: whether there is a person in the (left, right) front seat.
        clothes: display colour of what they wear.
    """
    design = vehicle.design
    sheet, packed, outer = _own(vehicle)
    colours = {
        Ink.PAINT: vehicle.paint.colour, Ink.SECOND: vehicle.cargo, Ink.STRIPE: vehicle.stripe,
        Ink.DRIVER: clothes, Ink.BADGE: design.badge_colour,
    }  # fmt: skip
    left = sheet.on_side(1, [(0.0, design.body.top)])[0, 1] - 2
    right = sheet.on_side(-1, [(0.0, design.body.top)])[0, 1] - 2
    return Model3D(
        outer, _cabin(vehicle, belts), packed, round(left), round(right),
        palette(colours, vehicle.paint.gloss), (design.body.tail, design.body.nose),
        design.body.width, design.body.top,
    )  # fmt: skip

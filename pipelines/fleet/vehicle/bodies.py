"""The bodies of seven kinds of vehicle: a profile from nose to tail, and widths along it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

Kind = Literal["sedan", "hatchback", "suv", "pickup", "van", "bus", "truck"]
Region = Literal[
    "bumper", "face", "bonnet", "windscreen", "roof", "rear glass", "boot", "tail", "rear bumper",
    "bed", "wall",
]  # fmt: skip
KINDS: tuple[Kind, ...] = ("sedan", "hatchback", "suv", "pickup", "van", "bus", "truck")


class Knot(NamedTuple):
    """A point of the profile in the vehicle's middle plane.

    Attributes:
        x: metres ahead of the vehicle's middle.
        z: metres above the ground.
        round: metres by which the surface has fallen back at the vehicle's edge.
        region: what lies between this point and the next.
    """

    x: float
    z: float
    round: float
    region: Region


@dataclass(frozen=True)
class Body:
    """A body; lengths in metres.

    Attributes:
        kind: of vehicle.
        knots: the profile from the front's lower edge over the roof to the rear's lower edge.
        width: at the widest.
        belt: height of the windows' lower edge.
        tumble: narrowing, per side, from the belt to the roof.
        taper: share of the width lost at (nose, tail).
        sill: height of the sides' lower edge.
        wheels: (x, radius) of each axle.
        windows: side windows as (x front bottom, x front top, x rear top, x rear bottom).
        pillars: x of the posts between them.
        doors: x of the doors' seams.
        cargo: x behind which the sides have no tumble (a box or a bed), or None.
    """

    kind: Kind
    knots: tuple[Knot, ...]
    width: float
    belt: float
    tumble: float
    taper: tuple[float, float]
    sill: float
    wheels: tuple[tuple[float, float], ...]
    windows: tuple[float, float, float, float]
    pillars: tuple[float, ...]
    doors: tuple[float, ...]
    cargo: float | None = None

    @property
    def nose(self) -> float:
        """The foremost x."""
        return max(knot.x for knot in self.knots)

    @property
    def tail(self) -> float:
        """The rearmost x."""
        return min(knot.x for knot in self.knots)

    @property
    def top(self) -> float:
        """The highest z of the profile."""
        return max(knot.z for knot in self.knots)

    @property
    def roof(self) -> float:
        """The height of the roof above the side windows."""
        return max(knot.z for knot in self.knots if knot.region == "roof")

    def half(self, x: float, z: float) -> float:
        """Return half the width at a point of the side, metres."""
        end, share = (self.nose, self.taper[0]) if x > 0 else (self.tail, self.taper[1])
        toward = max(0.0, x / end - 0.55) / 0.45
        width = self.width / 2 * (1 - share * toward * toward)
        if self.cargo is not None and x < self.cargo:
            return width
        lean = self.tumble * max(0.0, z - self.belt) / max(self.roof - self.belt, 0.01)
        middle = (self.belt + self.sill) / 2
        bulge = (min(z, self.belt) - middle) / (self.belt - middle)
        return width - lean - 0.035 * bulge * bulge


def _sedan() -> Body:
    return Body(
        "sedan",
        (
            Knot(2.20, 0.20, 0.16, "bumper"), Knot(2.30, 0.38, 0.20, "bumper"),
            Knot(2.29, 0.52, 0.20, "face"), Knot(2.20, 0.73, 0.20, "bonnet"),
            Knot(2.02, 0.80, 0.15, "bonnet"), Knot(1.00, 0.95, 0.04, "windscreen"),
            Knot(0.18, 1.40, 0.07, "roof"), Knot(-0.45, 1.45, 0.06, "roof"),
            Knot(-1.05, 1.39, 0.06, "rear glass"), Knot(-1.72, 1.06, 0.05, "boot"),
            Knot(-2.20, 1.02, 0.10, "tail"), Knot(-2.32, 0.62, 0.16, "rear bumper"),
            Knot(-2.34, 0.45, 0.16, "rear bumper"), Knot(-2.24, 0.22, 0.12, "rear bumper"),
        ),
        1.80, 0.93, 0.20, (0.10, 0.08), 0.20, ((1.38, 0.32), (-1.35, 0.32)),
        (0.90, 0.22, -1.05, -1.62), (-0.15, -1.12), (0.98, -0.15, -1.15),
    )  # fmt: skip


def _hatchback() -> Body:
    return Body(
        "hatchback",
        (
            Knot(1.88, 0.20, 0.16, "bumper"), Knot(1.98, 0.40, 0.20, "bumper"),
            Knot(1.96, 0.54, 0.20, "face"), Knot(1.84, 0.78, 0.20, "bonnet"),
            Knot(1.68, 0.85, 0.14, "bonnet"), Knot(0.98, 1.00, 0.04, "windscreen"),
            Knot(0.20, 1.46, 0.07, "roof"), Knot(-0.50, 1.52, 0.06, "roof"),
            Knot(-1.45, 1.46, 0.06, "rear glass"), Knot(-1.82, 1.06, 0.07, "tail"),
            Knot(-1.95, 0.70, 0.14, "rear bumper"), Knot(-1.97, 0.45, 0.14, "rear bumper"),
            Knot(-1.88, 0.22, 0.10, "rear bumper"),
        ),
        1.72, 0.97, 0.18, (0.10, 0.07), 0.20, ((1.22, 0.31), (-1.28, 0.31)),
        (0.88, 0.24, -1.35, -1.55), (-0.10, -0.98), (0.92, -0.10, -1.0),
    )  # fmt: skip


def _suv() -> Body:
    return Body(
        "suv",
        (
            Knot(2.18, 0.30, 0.16, "bumper"), Knot(2.30, 0.50, 0.20, "bumper"),
            Knot(2.30, 0.68, 0.20, "face"), Knot(2.22, 0.98, 0.18, "bonnet"),
            Knot(2.05, 1.05, 0.12, "bonnet"), Knot(1.05, 1.16, 0.04, "windscreen"),
            Knot(0.42, 1.66, 0.06, "roof"), Knot(-0.40, 1.72, 0.05, "roof"),
            Knot(-1.75, 1.66, 0.05, "rear glass"), Knot(-2.12, 1.22, 0.07, "tail"),
            Knot(-2.25, 0.76, 0.14, "rear bumper"), Knot(-2.28, 0.55, 0.14, "rear bumper"),
            Knot(-2.18, 0.32, 0.10, "rear bumper"),
        ),
        1.88, 1.12, 0.15, (0.08, 0.06), 0.30, ((1.42, 0.37), (-1.38, 0.37)),
        (0.95, 0.45, -1.72, -1.92), (-0.10, -1.08), (1.0, -0.10, -1.12),
    )  # fmt: skip


def _pickup() -> Body:
    return Body(
        "pickup",
        (
            Knot(2.50, 0.34, 0.14, "bumper"), Knot(2.62, 0.52, 0.18, "bumper"),
            Knot(2.62, 0.70, 0.18, "face"), Knot(2.56, 1.02, 0.16, "bonnet"),
            Knot(2.38, 1.08, 0.10, "bonnet"), Knot(1.35, 1.16, 0.04, "windscreen"),
            Knot(0.78, 1.68, 0.06, "roof"), Knot(0.20, 1.74, 0.05, "roof"),
            Knot(-0.52, 1.70, 0.05, "rear glass"), Knot(-0.70, 1.16, 0.02, "bed"),
            Knot(-2.58, 1.12, 0.02, "tail"), Knot(-2.64, 0.66, 0.06, "rear bumper"),
            Knot(-2.68, 0.52, 0.06, "rear bumper"), Knot(-2.58, 0.36, 0.06, "rear bumper"),
        ),
        1.90, 1.12, 0.14, (0.07, 0.02), 0.32, ((1.68, 0.39), (-1.62, 0.39)),
        (1.24, 0.82, -0.42, -0.58), (0.32,), (1.28, 0.32, -0.62), cargo=-0.75,
    )  # fmt: skip


def _van() -> Body:
    return Body(
        "van",
        (
            Knot(2.42, 0.28, 0.14, "bumper"), Knot(2.50, 0.48, 0.18, "bumper"),
            Knot(2.48, 0.66, 0.18, "face"), Knot(2.34, 0.98, 0.16, "bonnet"),
            Knot(2.10, 1.10, 0.10, "bonnet"), Knot(1.75, 1.20, 0.05, "windscreen"),
            Knot(1.02, 1.86, 0.07, "roof"), Knot(0.30, 1.96, 0.06, "roof"),
            Knot(-2.30, 1.94, 0.06, "rear glass"), Knot(-2.46, 1.30, 0.05, "tail"),
            Knot(-2.52, 0.62, 0.06, "rear bumper"), Knot(-2.52, 0.45, 0.06, "rear bumper"),
            Knot(-2.44, 0.30, 0.06, "rear bumper"),
        ),
        1.92, 1.18, 0.13, (0.09, 0.03), 0.28, ((1.62, 0.34), (-1.55, 0.34)),
        (1.62, 1.06, -2.12, -2.22), (0.52, -0.72), (1.62, 0.52, -0.72),
    )  # fmt: skip


def _bus() -> Body:
    return Body(
        "bus",
        (
            Knot(4.92, 0.34, 0.14, "bumper"), Knot(5.02, 0.55, 0.18, "bumper"),
            Knot(5.02, 0.70, 0.18, "face"), Knot(5.00, 1.22, 0.18, "windscreen"),
            Knot(4.86, 2.38, 0.16, "wall"), Knot(4.72, 2.86, 0.12, "roof"),
            Knot(4.20, 2.98, 0.08, "roof"), Knot(-4.55, 2.98, 0.08, "wall"),
            Knot(-4.85, 2.62, 0.08, "rear glass"), Knot(-4.95, 1.72, 0.08, "tail"),
            Knot(-5.00, 0.72, 0.08, "rear bumper"), Knot(-4.98, 0.50, 0.08, "rear bumper"),
            Knot(-4.92, 0.36, 0.08, "rear bumper"),
        ),
        2.46, 1.25, 0.08, (0.04, 0.02), 0.34, ((3.0, 0.48), (-2.6, 0.48)),
        (4.72, 4.60, -4.55, -4.62), (3.4, 2.2, 1.0, -0.2, -1.4, -2.6, -3.6),
        (4.6, 3.45, -0.25, -1.4),
    )  # fmt: skip


def _truck() -> Body:
    return Body(
        "truck",
        (
            Knot(3.62, 0.38, 0.12, "bumper"), Knot(3.72, 0.58, 0.16, "bumper"),
            Knot(3.72, 0.76, 0.16, "face"), Knot(3.68, 1.26, 0.14, "windscreen"),
            Knot(3.46, 2.04, 0.14, "wall"), Knot(3.30, 2.28, 0.10, "roof"),
            Knot(3.00, 2.34, 0.06, "roof"), Knot(2.12, 2.30, 0.05, "wall"),
            Knot(2.02, 0.96, 0.02, "bed"), Knot(1.86, 0.96, 0.02, "wall"),
            Knot(1.85, 3.08, 0.02, "bed"), Knot(-3.45, 3.08, 0.02, "wall"),
            Knot(-3.47, 1.02, 0.02, "tail"), Knot(-3.44, 0.62, 0.03, "rear bumper"),
            Knot(-3.38, 0.46, 0.03, "rear bumper"),
        ),
        2.26, 1.30, 0.10, (0.03, 0.0), 0.42, ((2.62, 0.45), (-1.55, 0.45), (-2.55, 0.45)),
        (3.46, 3.26, 2.45, 2.45), (), (3.46, 2.38), cargo=1.95,
    )  # fmt: skip


_MAKE = {
    "sedan": _sedan, "hatchback": _hatchback, "suv": _suv, "pickup": _pickup, "van": _van,
    "bus": _bus, "truck": _truck,
}  # fmt: skip


def make_body(kind: Kind, length: float = 1.0, width: float = 1.0, height: float = 1.0) -> Body:
    """Make a body of a kind, scaled along each axis; wheels keep their shape."""
    body = _MAKE[kind]()
    knots = tuple(knot._replace(x=knot.x * length, z=knot.z * height) for knot in body.knots)
    front, front_top, rear_top, rear = (x * length for x in body.windows)
    return replace(
        body,
        knots=knots,
        width=body.width * width,
        belt=body.belt * height,
        sill=body.sill * height,
        wheels=tuple((x * length, radius) for x, radius in body.wheels),
        windows=(front, front_top, rear_top, rear),
        pillars=tuple(x * length for x in body.pillars),
        doors=tuple(x * length for x in body.doors),
        cargo=None if body.cargo is None else body.cargo * length,
    )

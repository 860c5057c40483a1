"""What lies along a road: parking, kerb, pavement, verge, and where things stand on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.fleet.street.painting import Colour, vary
from pipelines.fleet.street.roads import Road


@dataclass(frozen=True)
class Surface:
    """What a strip of ground is made of: its colour and its grain, 128 for a factor of 1."""

    colour: Colour
    grain: int


def _surface(kind: str, random: np.random.Generator) -> Surface:
    colour, spread, grain = _SURFACES[kind]
    return Surface(vary(colour, random, spread, 7 if "grass" in kind else 2), grain)


_SURFACES: dict[str, tuple[Colour, int, int]] = {
    "asphalt": ((112, 112, 114), 22, 100),
    "concrete": ((156, 152, 143), 12, 70),
    "grass": ((92, 102, 64), 10, 200),
    "dry grass": ((136, 130, 96), 12, 190),
    "gravel": ((140, 132, 118), 16, 190),
    "paving": ((146, 142, 136), 16, 70),
    "kerb": ((168, 166, 160), 12, 60),
}


@dataclass(frozen=True)
class Side:
    """One side of a road, outwards from the outermost lane.

    Attributes:
        sign: +1 for the left, -1 for the right.
        edge: t of the outermost lane's edge.
        parking: metres of asphalt beyond that.
        pavement: metres of pavement behind the kerb; 0 for none.
        flags: metres a side of its paving stones; 0 for none.
        paved: the pavement's surface.
        beyond: the surface behind it.
    """

    sign: int
    edge: float
    parking: float
    pavement: float
    flags: float
    paved: Surface
    beyond: Surface

    def out(self, metres: float) -> float:
        """Return t, metres outwards from the asphalt's end."""
        return self.edge + self.sign * (self.parking + metres)

    @property
    def front(self) -> float:
        """Metres from the asphalt's end to the back of the pavement."""
        return 0.25 + self.pavement


@dataclass(frozen=True)
class Street:
    """All roads of a plate and their sides.

    Attributes:
        roads: the first is the one that the plate's details follow.
        sides: (right, left) of each road.
        asphalt: of all roads.
        kerb: likewise.
    """

    roads: list[Road]
    sides: list[tuple[Side, Side]]
    asphalt: Surface
    kerb: Surface


def plan_street(roads: list[Road], busy: bool, random: np.random.Generator) -> Street:
    """Draw what lies along the roads."""
    town = busy and random.random() < 0.85
    beyond = _surface(str(random.choice(["grass", "grass", "dry grass", "gravel"])), random)
    paved = _surface(str(random.choice(["paving", "concrete", "asphalt"])), random)
    if town:
        beyond = _surface(str(random.choice(["grass", "paving", "concrete", "gravel"])), random)
    flags = float(random.choice([0.0, 0.6, 0.9]))
    sides = []
    for road in roads:
        pair = []
        for sign, edge in ((-1, road.right), (1, road.left)):
            parking = float(random.choice([0.3, 0.5, 2.4 if busy else 1.2]))
            pavement = float(random.uniform(1.6, 4.5)) if town or random.random() < 0.4 else 0.0
            pair.append(Side(sign, edge, parking, pavement, flags, paved, beyond))
        sides.append((pair[0], pair[1]))
    asphalt = _surface("concrete" if random.random() < 0.12 else "asphalt", random)
    return Street(roads, sides, asphalt, _surface("kerb", random))

"""The catalogue: makes, their models, and what a released year changes about a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from pipelines.fleet.vehicle.bodies import Body, Kind, make_body

Lamp = Literal["round", "slim", "swept", "square", "tall", "split"]
RunningLight = Literal["none", "top", "bottom", "hook", "dots"]
Grille = Literal["bars", "upright", "mesh", "single", "twin", "closed"]
Badge = Literal["disc", "ring", "diamond", "shield", "triangle", "wings", "square", "cross"]
TailLamp = Literal["block", "band", "upright", "rounds", "corner"]
Rim = Literal["five", "seven", "ten", "star", "steel"]

MAKES = ("Alder", "Birch", "Cedar", "Damson", "Elder", "Fir", "Gorse", "Hazel", "Iris", "Juniper",
         "Kelp", "Larch", "Maple", "Nettle", "Oak", "Pine", "Quince", "Rowan", "Sorrel", "Thyme",
         "Umbel", "Vetch", "Willow", "Yew")  # fmt: skip
FIRST_YEAR = 2010


@dataclass(frozen=True)
class Design:
    """A released year of a model: all that vehicles of that model and year share.

    Attributes:
        make: who builds it.
        model: make and number, unique in the catalogue.
        year: released.
        body: its shape.
        lamp: shape of the headlights, ``lamp_size`` (width, height) metres.
        running_light: the strip of light in the headlights.
        grille: its pattern, of ``bars`` bars, ``grille_width`` as a share of the space there is.
        chrome: whether a bright frame goes around the grille and the side windows.
        badge: the make's shape and colour (display RGB).
        tail_lamp: its shape, ``tail_size`` (width, height) metres.
        rim: of the wheels.
        intake: width of the bumper's opening as a share of the vehicle's, and its height, metres.
        fog: whether there are fog lamps.
        crease: height of the line along the doors, as a share from sill to belt.
        sunroof: whether there is one.
    """

    make: str
    model: str
    year: int
    body: Body
    lamp: Lamp
    lamp_size: tuple[float, float]
    running_light: RunningLight
    grille: Grille
    bars: int
    grille_width: float
    chrome: bool
    badge: Badge
    badge_colour: tuple[int, int, int]
    tail_lamp: TailLamp
    tail_size: tuple[float, float]
    rim: Rim
    intake: tuple[float, float]
    fog: bool
    crease: float
    sunroof: bool


@dataclass(frozen=True)
class _Make:
    name: str
    badge: Badge
    badge_colour: tuple[int, int, int]
    grille: Grille
    chrome: bool


_BADGE_COLOURS = ((216, 218, 222), (200, 30, 34), (30, 70, 170), (206, 172, 70), (24, 24, 26))


def _pick(options: tuple[str, ...], random: np.random.Generator) -> str:
    return options[int(random.integers(len(options)))]


def _makes(count: int, random: np.random.Generator) -> list[_Make]:
    badges, grilles = get_args(Badge), get_args(Grille)
    first = int(random.integers(len(badges)))
    return [
        _Make(
            MAKES[number % len(MAKES)] + ("" if number < len(MAKES) else f" {number}"),
            badges[(first + number) % len(badges)],
            _BADGE_COLOURS[int(random.integers(len(_BADGE_COLOURS)))],
            grilles[int(random.integers(len(grilles)))],
            bool(random.random() < 0.5),
        )
        for number in range(count)
    ]


def _model(make: _Make, number: int, kind: Kind, random: np.random.Generator) -> Design:
    length, width, height = (float(random.uniform(*span)) for span in
                             ((0.95, 1.06), (0.97, 1.03), (0.96, 1.05)))  # fmt: skip
    big = kind in ("bus", "truck")
    return Design(
        make=make.name,
        model=f"{make.name} {number}",
        year=FIRST_YEAR + int(random.integers(8)),
        body=make_body(kind, length, width, height),
        lamp=_pick(get_args(Lamp), random),  # type: ignore[arg-type]
        lamp_size=(float(random.uniform(0.34, 0.48)), float(random.uniform(0.11, 0.17))),
        running_light=_pick(get_args(RunningLight), random),  # type: ignore[arg-type]
        grille=make.grille,
        bars=int(random.integers(2, 8)),
        grille_width=float(random.uniform(0.6, 1.0)),
        chrome=make.chrome,
        badge=make.badge,
        badge_colour=make.badge_colour,
        tail_lamp=_pick(get_args(TailLamp), random),  # type: ignore[arg-type]
        tail_size=(float(random.uniform(0.24, 0.40)), float(random.uniform(0.14, 0.24))),
        rim="steel" if big else _pick(get_args(Rim), random),  # type: ignore[arg-type]
        intake=(float(random.uniform(0.4, 0.72)), float(random.uniform(0.06, 0.13))),
        fog=bool(random.random() < 0.7),
        crease=float(random.uniform(0.45, 0.85)),
        sunroof=not big and bool(random.random() < 0.4),
    )


def _renewed(design: Design, year: int, random: np.random.Generator) -> Design:
    """Return a later year of a model: only a light or the grille is another."""
    changed = int(random.integers(3))
    if changed == 0:
        others = tuple(kind for kind in get_args(RunningLight) if kind != design.running_light)
        return replace(design, year=year, running_light=_pick(others, random))  # type: ignore[arg-type]
    if changed == 1:
        bars = (design.bars - 2 + int(random.integers(2, 5))) % 6 + 2
        others = tuple(kind for kind in get_args(Grille) if kind != design.grille)
        same = design.grille in ("bars", "upright")
        grille = design.grille if same else _pick(others, random)
        return replace(design, year=year, grille=grille, bars=bars)  # type: ignore[arg-type]
    lights = tuple(kind for kind in get_args(Lamp) if kind != design.lamp)
    return replace(design, year=year, lamp=_pick(lights, random))  # type: ignore[arg-type]


def make_catalogue(
    makes: int, models: int, years: int, kinds: tuple[Kind, ...], random: np.random.Generator
) -> list[list[Design]]:
    """Design a market.

    Args:
        makes: number of makes.
        models: number of models, dealt to makes and kinds in turn.
        years: released years of each model.
        kinds: of vehicle.
        random: the same state designs the same market.

    Returns:
        For each model its years, in order of time.
    """
    houses = _makes(makes, random)
    catalogue = []
    for number in range(models):
        kind = kinds[number % len(kinds)]
        design = _model(houses[number % makes], number // makes + 1, kind, random)
        released = [design]
        for _ in range(years - 1):
            last = released[-1]
            released.append(_renewed(last, last.year + 1 + int(random.integers(3)), random))
        catalogue.append(released)
    return catalogue

"""The outer skin of a body as a mesh: the ribbon from nose to tail, and the two sides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipelines.fleet.vehicle.bodies import Body, Region
from pipelines.fleet.vehicle.mesh import Mesh, join, surface
from pipelines.fleet.vehicle.sheets import Sheet

Floats = npt.NDArray[np.float64]

_STEP = 0.42
"""Longest piece of the profile, metres."""
_ACROSS = np.array([-1.0, -0.95, -0.82, -0.5, 0.0, 0.5, 0.82, 0.95, 1.0])


@dataclass(frozen=True)
class Profile:
    """A body's profile in short pieces.

    Attributes:
        points: (N, 2), x and z in the middle plane, from the nose's lower edge to the tail's.
        edge: (N, 2), where the surface meets the sides.
        half: (N,), half the width there.
        along: (N,), metres from the first point along the profile.
        starts: for each stretch of one region, in order: region, and where it begins and ends.
    """

    points: Floats
    edge: Floats
    half: Floats
    along: Floats
    starts: tuple[tuple[Region, float, float], ...]

    def stretch(self, region: Region) -> tuple[float, float] | None:
        """Return where the region's longest stretch begins and ends along the profile."""
        found = [(b - a, a, b) for name, a, b in self.starts if name == region]
        return max(found)[1:] if found else None

    def half_at(self, along: float) -> float:
        """Return half the width at a place along the profile, metres."""
        return float(np.interp(along, self.along, self.half))

    def height_at(self, along: float) -> float:
        """Return the height in the middle plane, metres."""
        return float(np.interp(along, self.along, self.points[:, 1]))

    def ahead_at(self, along: float) -> float:
        """Return x in the middle plane, metres."""
        return float(np.interp(along, self.along, self.points[:, 0]))

    def at_height(self, region: Region, z: float) -> float:
        """Return the place along a region's stretch at which the profile has height ``z``."""
        start, end = self.stretch(region) or (0.0, 0.0)
        inside = (self.along >= start - 1e-9) & (self.along <= end + 1e-9)
        heights, places = self.points[inside, 1], self.along[inside]
        order = np.argsort(heights, kind="stable")
        return float(np.interp(z, heights[order], places[order]))

    def roof_edge(self, x: float) -> float:
        """Return the height of the sides' upper edge at x, metres, over the roof."""
        upper = self.edge[:, 0].argsort(kind="stable")
        return float(np.interp(x, self.edge[upper, 0], self.edge[upper, 1]))


@lru_cache(maxsize=64)
def profile_of(body: Body) -> Profile:
    """Cut a body's profile into short pieces."""
    points: list[tuple[float, float]] = []
    rounds: list[float] = []
    marks: list[int] = []
    for here, there in zip(body.knots[:-1], body.knots[1:], strict=True):
        length = math.sqrt((there.x - here.x) ** 2 + (there.z - here.z) ** 2)
        count = max(1, math.ceil(length / _STEP))
        marks.append(len(points))
        for step in range(count):
            share = step / count
            points.append(
                (here.x + share * (there.x - here.x), here.z + share * (there.z - here.z))
            )
            rounds.append(here.round + share * (there.round - here.round))
    last = body.knots[-1]
    marks.append(len(points))
    points.append((last.x, last.z))
    rounds.append(last.round)
    line, fall = np.array(points), np.array(rounds)
    pieces = np.diff(line, axis=0)
    lengths = np.sqrt((pieces * pieces).sum(1))
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    outward = np.stack([pieces[:, 1], -pieces[:, 0]], 1) / lengths[:, None]
    outward = np.concatenate([outward[:1], outward[1:] + outward[:-1], outward[-1:]])
    outward /= np.sqrt((outward * outward).sum(1, keepdims=True))
    edge = line - outward * fall[:, None]
    half = np.array([body.half(x, z) for x, z in line])
    stretches: list[tuple[Region, float, float]] = []
    for knot, start, end in zip(body.knots, marks[:-1], marks[1:], strict=False):
        region, a, b = knot.region, float(along[start]), float(along[end])
        if stretches and stretches[-1][0] == region:
            stretches[-1] = (region, stretches[-1][1], b)
        else:
            stretches.append((region, a, b))
    return Profile(line, edge, half, along, tuple(stretches))


def _ribbon(sheet: Sheet, profile: Profile) -> Mesh:
    fallen = np.maximum(np.abs(_ACROSS) - 0.45, 0) / 0.55
    fallen = fallen * fallen
    lean = (profile.edge - profile.points)[None] * fallen[:, None, None]
    grid = np.empty((len(_ACROSS), len(profile.points), 3))
    grid[..., 0] = profile.points[:, 0] + lean[..., 0]
    grid[..., 1] = _ACROSS[:, None] * profile.half
    grid[..., 2] = profile.points[:, 1] + lean[..., 1]
    flat = np.stack([np.broadcast_to(profile.along, grid.shape[:2]), grid[..., 1]], -1)
    texels = sheet.on_ribbon(flat.reshape(-1, 2)).reshape(*grid.shape[:2], 2)
    return surface(grid, texels)


def _side(sheet: Sheet, profile: Profile, side: int) -> Mesh:
    body = sheet.body
    rows = 6
    front, rear = body.nose - 0.16, body.tail + 0.14
    axles = [x for x, _ in body.wheels]
    ends = ((profile.edge[0], max(axles)), (profile.edge[-1], min(axles)))

    def lowest(x: float) -> float:
        """Return the height of the lower edge: the bumpers' corners turn up."""
        for end, axle in ends:
            share = (x - axle) / (float(end[0]) - axle)
            if share > 0:
                return body.sill + (float(end[1]) - body.sill) * min(1.0, share)
        return body.sill

    grid = np.empty((rows, len(profile.edge), 3))
    for column, ((x, z), half) in enumerate(zip(profile.edge, profile.half, strict=True)):
        foot = min(max(x, rear), front)
        sill = min(lowest(foot), z)
        if z > body.belt + 0.08:
            levels = [z, (z + body.belt) / 2]
            below = np.linspace(body.belt, sill, rows - 2)
        else:
            levels = []
            below = np.linspace(z, sill, rows)
        for row, level in enumerate([*levels, *below]):
            share = (z - level) / (z - sill) if z - sill > 1e-6 else 0.0
            here = x + share * share * (foot - x)
            grid[row, column] = (here, half if row == 0 else body.half(here, level), level)
    grid[..., 1] *= side
    texels = sheet.on_side(side, grid[..., [0, 2]].reshape(-1, 2)).reshape(*grid.shape[:2], 2)
    # Columns run from nose to tail: to the right as seen from the left side.
    return surface(grid, texels, flip=side < 0)


def make_shell(sheet: Sheet) -> Mesh:
    """Make the outer skin of the sheet's body."""
    profile = profile_of(sheet.body)
    return join([_ribbon(sheet, profile), *(_side(sheet, profile, side) for side in (1, -1))])

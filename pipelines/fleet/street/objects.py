"""Choosing what stands along a road, and painting it from far to near."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from pipelines.fleet.camera.cameras import Camera, Floats
from pipelines.fleet.street.buildings import draw_building, paint_building
from pipelines.fleet.street.clearance import Clearance
from pipelines.fleet.street.furniture import lamp_post, pole, rail, sign_post
from pipelines.fleet.street.painting import Brush, vary
from pipelines.fleet.street.parked import parked, parked_shape
from pipelines.fleet.street.plan import Side, Street
from pipelines.fleet.street.plants import dapple, paint_hedge, paint_tree
from pipelines.fleet.street.roads import Road

Paint = Callable[[Brush], None]


class Scene:
    """Things along the roads, each with its layer, its distance and how it is painted."""

    def __init__(self, camera: Camera, street: Street, clearance: Clearance) -> None:
        self.camera, self.street, self.clearance = camera, street, clearance
        self.things: list[tuple[int, float, Paint]] = []
        self.shadows: list[Paint] = []

    def add(self, layer: int, points: Floats, paint: Paint, shadow: Paint | None = None) -> bool:
        """Add a thing if it stands on no road and hides no place where vehicles pass.

        Args:
            layer: higher ones are painted over lower ones; within one, far before near.
            points: (n, 3) its outermost points, metres.
            paint: paints it.
            shadow: darkens, in a map of light, the ground at it.
        """
        near = self.clearance.nearest(points)
        if near is None:
            return False
        low = points[points[:, 2] < 0.5, :2]
        for road in self.street.roads:
            t = road.coordinates(low)[:, 1]
            if ((t > road.right) & (t < road.left)).any():
                return False
        self.things.append((layer, -near, paint))
        if shadow is not None:
            self.shadows.append(shadow)
        return True

    def paint(self, picture: Brush) -> None:
        """Paint everything."""
        for _, _, paint in sorted(self.things, key=lambda thing: thing[:2]):
            paint(picture)


def _own(random: np.random.Generator) -> np.random.Generator:
    # Things are painted later, from far to near; each keeps its own order of draws.
    return np.random.default_rng(int(random.integers(1 << 62)))


def _buildings(scene: Scene, road: Road, side: Side, random: np.random.Generator) -> None:
    front = side.out(side.front + float(random.choice([0.2, 1.0, 2.5, 6.0])))
    s = float(random.uniform(-60, -40))
    while s < 150:
        width = float(random.uniform(8, 26))
        if random.random() < 0.88:
            house = draw_building(road, side.sign, (s, s + width), front, random)
            # Points all along it: a long wall must not bridge a side road.
            along = np.linspace(s - 1, s + width + 1, 8)
            walls = (front, front + side.sign * house.depth)
            floor = np.concatenate([road.place(along, t) for t in walls])
            points = np.concatenate([floor, floor + np.array([0, 0, house.height])])
            scene.add(0, points, partial(paint_building, building=house, random=_own(random)))
        s += width + (0.0 if random.random() < 0.5 else float(random.uniform(1.5, 8)))


def _tree(
    scene: Scene, road: Road, place: tuple[float, float], random: np.random.Generator
) -> None:
    height, (s, t) = float(random.uniform(5, 10)), place
    radius = float(random.uniform(0.28, 0.4)) * height
    ring = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]]) * radius
    crown = road.place(s + ring[:, 0], t + ring[:, 1], height - radius)
    lift = np.array([[0, 0, radius], [0, 0, -radius]])
    points = np.concatenate([crown, crown[:1] + lift, road.place(s, t)[None]])
    paint = partial(paint_tree, road=road, place=place, height=height, radius=radius,
                    random=_own(random))  # fmt: skip
    shadow = partial(dapple, road=road, place=place, radius=radius, random=_own(random))
    scene.add(2, points, paint, shadow)


def _trees(scene: Scene, road: Road, side: Side, built: bool, random: np.random.Generator) -> None:
    if side.pavement and random.random() < 0.7:
        gap, start = float(random.uniform(7, 14)), float(random.uniform(-30, -20))
        t = side.out(min(1.2, side.front / 2))
        for index in range(8):
            _tree(scene, road, (start + gap * index, t), random)
    if not built:
        for _ in range(int(random.integers(3, 12))):
            t = side.out(side.front + float(random.uniform(3, 20)))
            _tree(scene, road, (float(random.uniform(-20, 90)), t), random)


def _post(
    scene: Scene, road: Road, place: tuple[float, float], height: float, paint: Paint
) -> None:
    points = road.place(*place, np.array([0.0, height]))
    wide = scene.camera.axes[0] * 0.5
    scene.add(2, np.concatenate([points - wide, points + wide]), paint)


def _posts(scene: Scene, road: Road, side: Side, random: np.random.Generator) -> None:
    t = side.out(0.5)
    gap, start = float(random.uniform(22, 34)), float(random.uniform(-30, 0))
    for index in range(6):
        place = (start + gap * index, t)
        paint = partial(lamp_post, road=road, place=place, sign=side.sign, random=_own(random))
        _post(scene, road, place, 8.0, paint)
    for _ in range(int(random.integers(1, 5))):
        place = (float(random.uniform(-15, 60)), t)
        _post(scene, road, place, 2.9,
              partial(sign_post, road=road, place=place, random=_own(random)))  # fmt: skip
    if random.random() < 0.5:
        start = float(random.uniform(-20, 20))
        for index in range(int(random.integers(4, 10))):
            place = (start + 1.6 * index, t)
            bollard = partial(pole, road=road, place=place, height=0.9, thick=0.13,
                              colour=(90, 88, 86))  # fmt: skip
            _post(scene, road, place, 0.9, bollard)


def _parked(scene: Scene, road: Road, side: Side, random: np.random.Generator) -> None:
    t, s = side.out(-1.15), float(random.uniform(-30, -20))
    way = road.lanes[-1][1] if side.sign > 0 else road.lanes[0][1]
    while s < 70:
        if random.random() < 0.6:
            kind = str(random.choice(["saloon", "hatch", "hatch", "van"]))
            points = np.concatenate(parked_shape(road, (s, t), kind, way))
            paint = partial(parked, road=road, place=(s, t), kind=kind, way=way,
                            random=_own(random))  # fmt: skip
            under = road.rectangles(np.array([[s - 2.4, s + 2.4, t - 1.05, t + 1.05]]))
            scene.add(2, points, paint, partial(_darken, shapes=under))
        s += float(random.uniform(5.4, 7.5))


def _darken(shadow: Brush, shapes: Floats) -> None:
    shadow.fill(shapes, 60)


def _hedge(scene: Scene, road: Road, side: Side, random: np.random.Generator) -> None:
    """Plant a hedge in lengths, so that one hidden place does not take all of it away."""
    t, height = side.out(side.front + 0.6), float(random.uniform(0.9, 1.8))
    s, green = float(random.uniform(-40, -20)), vary((64, 84, 48), random, 10)
    while s < 90:
        span = (s, s + 6.0)
        corners = road.rectangles(np.array([[*span, t - 0.5, t + 0.5]]))[0]
        points = np.concatenate([corners, corners + np.array([0, 0, height])])
        paint = partial(paint_hedge, road=road, span=span, t=t, height=height, green=green,
                        random=_own(random))  # fmt: skip
        scene.add(1, points, paint)
        s += 6.0 if random.random() < 0.9 else 14.0


def _rail(scene: Scene, road: Road, side: Side, random: np.random.Generator) -> None:
    t, steel = side.out(0.4), vary((158, 162, 164), random)
    for s in np.arange(-40.0, 100.0, 8.0):
        span = (float(s), float(s) + 8.0)
        points = road.place(np.array([*span, *span]), t, np.array([0.4, 0.4, 0.8, 0.8]))
        scene.add(1, points, partial(rail, road=road, span=span, t=t, steel=steel))


def place_objects(camera: Camera, street: Street, busy: bool, random: np.random.Generator) -> Scene:
    """Choose what stands along the first road; along one that is not busy, at most a rail."""
    scene = Scene(camera, street, Clearance(camera, street.roads))
    road = street.roads[0]
    for side in street.sides[0]:
        if not busy:
            if not side.pavement and random.random() < 0.4:
                _rail(scene, road, side, random)
            continue
        built = side.pavement > 0 and random.random() < 0.85
        if built:
            _buildings(scene, road, side, random)
        if not built or random.random() < 0.25:
            _hedge(scene, road, side, random)
        if not side.pavement:
            _rail(scene, road, side, random)
        _trees(scene, road, side, built, random)
        if side.parking > 2:
            _parked(scene, road, side, random)
        _posts(scene, road, side, random)
    return scene

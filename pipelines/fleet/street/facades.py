"""What is on a building's wall: windows in rows, doors, shop fronts."""

from __future__ import annotations

import numpy as np

from pipelines.fleet.camera.cameras import Floats
from pipelines.fleet.street.painting import Brush, Colour, shade, vary

_SIGNS: tuple[Colour, ...] = (
    (40, 74, 130), (150, 40, 42), (44, 96, 62), (190, 150, 60), (70, 64, 66), (196, 192, 186),
)  # fmt: skip


def on_wall(face: Floats, spans: Floats) -> Floats:
    """Return corners (n, 4, 3) of rectangles (n, 4) on a wall: across from, to, up from, to.

    All are shares of the wall.
    """
    origin, across, up = face[0], face[1] - face[0], face[3] - face[0]
    u = spans[:, [0, 1, 1, 0]][..., None]
    v = spans[:, [2, 2, 3, 3]][..., None]
    return np.asarray(origin + u * across + v * up)


def length_of(vector: Floats) -> float:
    """Return the length of a vector (3,)."""
    return float(np.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2]))


def window_grid(
    width: float, height: float, bay: float, fill: tuple[float, float], low: int
) -> Floats:
    """Return windows' rectangles (n, 4) as shares of a wall, from storey `low` up."""
    bays, storeys = max(1, int(width / bay)), int(height / 3.1)
    across, up = fill
    spans = [
        [(i + 0.5 - across / 2) / bays, (i + 0.5 + across / 2) / bays,
         (3.1 * j + 0.9) / height, (3.1 * j + 0.9 + 3.1 * up) / height]
        for j in range(low, storeys) for i in range(bays)
    ]  # fmt: skip
    return np.array(spans).reshape(-1, 4)


def paint_windows(
    brush: Brush, face: Floats, spans: Floats, wall: Colour, random: np.random.Generator,
    reveal: float,
) -> None:  # fmt: skip
    """Paint windows at shares (n, 4) of a wall (4, 3): frames, and glass in a few tones.

    `reveal` is how far the frame reaches over the wall, 0 for not at all.
    """
    if not len(spans):
        return
    glass = vary((62, 72, 84), random, 14)
    tones = [shade(glass, factor) for factor in (0.75, 1.0, 1.25, 1.7)]
    chosen = random.integers(0, 4, len(spans)).tolist()
    depth = float(brush.camera.see((face[0] + face[1]) / 2)[2])
    if brush.camera.focal < 5 * depth:
        # A metre there is less than five pixels: frames and bars would not be seen.
        brush.fill(on_wall(face, spans), *(tones[i] for i in chosen))
        return
    frame = shade(wall, 1.22) if random.random() < 0.6 else shade(wall, 0.7)
    width, height = spans[0, 1] - spans[0, 0], spans[0, 3] - spans[0, 2]
    grow = np.array([-0.1 * width, 0.1 * width, -0.12 * height, 0.06 * height])
    # The upper part lies in the shade of the lintel and mirrors less sky.
    upper = spans.copy()
    upper[:, 2] = upper[:, 3] - 0.22 * height
    bars = spans.copy()
    middle = spans[:, :2].sum(1) / 2
    bars[:, 0], bars[:, 1] = middle - 0.04 * width, middle + 0.04 * width
    darker = [shade(tone, 0.7) for tone in tones]
    parts = np.concatenate([spans + reveal * grow, spans, upper, bars])
    colours = [[frame] * len(spans), [tones[i] for i in chosen], [darker[i] for i in chosen],
               [frame] * len(spans)]  # fmt: skip
    brush.fill(on_wall(face, parts), *(colour for group in colours for colour in group))


def paint_front(
    brush: Brush, face: Floats, style: str, wall: Colour, random: np.random.Generator
) -> None:
    """Paint what a building of a style shows towards the road on a wall (4, 3)."""
    width, height = length_of(face[1] - face[0]), length_of(face[3] - face[0])
    if style == "office":
        rows = window_grid(width, height, width, (0.98, 0.5), 0)
        brush.fill(on_wall(face, rows), shade(vary((74, 88, 102), random), 1.0))
        paint_windows(
            brush, face, window_grid(width, height, 1.6, (0.86, 0.46), 0), wall, random, 0.0
        )
        return
    if style == "warehouse":
        ribs = np.arange(0, 1, 0.7 / width)
        spans = np.stack([ribs, ribs + 0.2 / width, 0 * ribs, 0 * ribs + 1], -1)
        brush.fill(on_wall(face, spans), shade(wall, 0.93))
        doors = np.arange(0.1, 0.85, 6.5 / width)
        spans = np.stack([doors, doors + 3.6 / width, 0 * doors, 0 * doors + 3.2 / height], -1)
        brush.fill(on_wall(face, spans), vary((120, 124, 128), random, 24))
        for line in np.arange(0.3, 3.2, 0.4):
            thin = spans.copy()
            thin[:, 2], thin[:, 3] = line / height, (line + 0.06) / height
            brush.fill(on_wall(face, thin), (92, 94, 98))
        return
    shops = style == "shops"
    bay, size = float(random.uniform(2.2, 3.4)), (float(random.uniform(0.36, 0.55)), 0.48)
    spans = window_grid(width, height, bay, size, 1 if shops else 0)
    paint_windows(brush, face, spans, wall, random, 1.0)
    floors = np.arange(1, int(height / 3.1) + 1) * 3.1 + 0.05
    bands = np.stack([0 * floors, 0 * floors + 1, floors / height, (floors + 0.16) / height], -1)
    brush.fill(on_wall(face, bands), shade(wall, 1.1))
    if shops:
        _shops(brush, face, width, height, random)
    else:
        door = float(random.uniform(0.1, 0.8))
        spans = np.array([[door, door + 1.1 / width, 0, 2.2 / height]])
        brush.fill(on_wall(face, spans), vary((82, 62, 50), random, 24))


def _shops(brush: Brush, face: Floats, width: float, height: float,
           random: np.random.Generator) -> None:  # fmt: skip
    count = max(1, int(width / 5))
    for index in range(count):
        left, right = (index + 0.04) / count, (index + 0.96) / count
        glass = vary((58, 62, 68), random, 18)
        brush.fill(on_wall(face, np.array([[left, right, 0, 2.5 / height]])), shade(glass, 0.6))
        panes = np.linspace(left, right, 5)
        spans = np.stack([panes[:-1] + 0.004, panes[1:] - 0.004, 0 * panes[1:] + 0.4 / height,
                          0 * panes[1:] + 2.4 / height], -1)  # fmt: skip
        brush.fill(on_wall(face, spans), glass)
        goods = spans[:, :].copy()
        goods[:, 3] = goods[:, 2] + random.uniform(0.3, 1.2, len(goods)) / height
        brush.fill(on_wall(face, goods), vary((120, 104, 92), random, 36))
        sign = vary(_SIGNS[int(random.integers(len(_SIGNS)))], random, 12)
        brush.fill(on_wall(face, np.array([[left, right, 2.5 / height, 3.25 / height]])), sign)
        # Lettering, too far away to read.
        start = left + float(random.uniform(0.1, 0.3)) / count
        letters = start + np.arange(int(random.integers(4, 9))) * 0.32 / width
        spans = np.stack([letters, letters + 0.2 / width, 0 * letters + 2.68 / height,
                          0 * letters + 3.05 / height], -1)  # fmt: skip
        brush.fill(on_wall(face, spans[spans[:, 1] < right]), shade((230, 228, 220), 0.95))

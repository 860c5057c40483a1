"""Trees and hedges, from clumps of leaves."""

from __future__ import annotations

import cv2
import numpy as np

from pipelines.fleet.blending import multiply, paste, three
from pipelines.fleet.camera.cameras import Floats
from pipelines.fleet.street.painting import Brush, Colour, shade, vary
from pipelines.fleet.street.roads import Road
from pipelines.fleet.street.wear import disc
from pipelines.fleet.textures import Pixels, blurred, noise, window

_GREENS: tuple[Colour, ...] = ((68, 84, 48), (82, 96, 56), (58, 76, 50), (96, 100, 60))


def draw_leaves(
    shape: tuple[int, int], clumps: Floats, green: Colour, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """Draw clumps of leaves, lit from above.

    Args:
        shape: (height, width) of the drawing, pixels.
        clumps: (n, 4): x, y, radius in pixels and light, 1 for the colour as it is; later ones
            lie over earlier ones.
        green: colour of the leaves.
        random: draws the leaves' pattern.

    Returns:
        (height, width, 3) uint8 colours and (height, width) uint8 cover.
    """
    drawn = np.empty((*shape, 4), np.uint8)
    drawn[:] = (*shade(green, 0.6), 0)
    fixed = np.floor(clumps[:, :3] * 16).astype(np.int64)
    for (x, y, radius), light in zip(fixed.tolist(), clumps[:, 3].tolist(), strict=True):
        cv2.circle(drawn, (x, y), radius, (*shade(green, light), 255), -1, cv2.LINE_8, 4)
    colour, solid = drawn[..., :3].copy(), drawn[..., 3].copy()
    # Leaves are much smaller than a clump, and let through light and gaps where it ends.
    middle = float(np.sort(clumps[:, 2])[len(clumps) // 2])
    blob = 1 if middle < 9 else 2 if middle < 20 else 4
    leaves = window(noise(blob, 7), shape, random)
    larger = window(noise(4 * blob, 7), shape, random)
    light = (leaves // 3) + (larger // 5) + np.uint8(60)
    inner = blurred(solid, min(3.0, 1.0 + 0.2 * middle))
    cover = np.where(inner > leaves // 16 * 13, solid, np.uint8(0))
    colour = multiply(colour, three(light))
    return colour, blurred(cover, 0.55)


def crown(across: float, high: float, random: np.random.Generator, count: int) -> Floats:
    """Draw the clumps (count, 4) of a crown that fills about `across` x `high` pixels.

    Boughs lie around the crown's middle, and clumps around each bough.
    """
    boughs = random.uniform(-0.6, 0.6, (int(random.integers(7, 13)), 2))
    bough = boughs[random.integers(0, len(boughs), count)]
    spread = random.uniform(-0.3, 0.3, (count, 2)) + random.uniform(-0.1, 0.1, (count, 2))
    radius = random.uniform(0.06, 0.14, count) * min(across, high)
    inside = bough + spread
    x, y = across * (0.5 + 0.36 * inside[:, 0]), high * (0.5 + 0.36 * inside[:, 1])
    # A bough is lit from above, and so is the whole crown.
    light = 0.95 - 0.5 * spread[:, 1] - 0.3 * inside[:, 1] + random.uniform(-0.15, 0.15, count)
    clumps = np.stack([x, y, radius, light], -1)
    return np.asarray(clumps[np.argsort(light + 0.5 * random.random(count), kind="stable")])


def paint_clumps(brush: Brush, clumps: Floats, green: Colour, random: np.random.Generator) -> None:
    """Paint clumps (n, 4) of leaves, in frame pixels, as far as they lie in the frame."""
    reach = clumps[:, 2:3] + 2
    low = np.floor(np.maximum(0, (clumps[:, :2] - reach).min(0)))
    high = np.minimum(brush.camera.size, (clumps[:, :2] + reach).max(0))
    width, height = (int(size) for size in high - low)
    if width < 2 or height < 2:
        return
    inside = clumps.copy()
    inside[:, :2] -= low
    colour, cover = draw_leaves((height, width), inside, green, random)
    paste(brush.picture, colour, cover, int(low[0]), int(low[1]))


def paint_tree(
    brush: Brush, road: Road, place: tuple[float, float], height: float, radius: float,
    random: np.random.Generator,
) -> None:  # fmt: skip
    """Paint a tree at (s, t): a trunk, then its crown `radius` metres around its middle."""
    s, t = place
    thick = 0.03 * height
    trunk = vary((92, 80, 68), random)
    camera = brush.camera
    foot, top = road.place(s, t), road.place(s, t, height - radius)
    right = camera.axes[0] * thick
    halves = [[foot - right, foot, top, top - 0.6 * right],
              [foot, foot + right, top + 0.6 * right, top]]  # fmt: skip
    brush.fill(np.array(halves), trunk, shade(trunk, 0.75))
    pixels, depth = camera.project(road.place(s, t, height - radius)[None])
    if depth[0] < 2:
        return
    across = 2.4 * radius * camera.focal / float(depth[0])
    high = float(random.uniform(0.85, 1.25)) * across
    clumps = crown(across, high, random, int(min(160, 50 + across)))
    clumps[:, :2] += pixels[0] - np.array([across / 2, high / 2])
    green = vary(_GREENS[int(random.integers(len(_GREENS)))], random)
    paint_clumps(brush, clumps, green, random)


def paint_hedge(
    brush: Brush, road: Road, span: tuple[float, float], t: float, height: float, green: Colour,
    random: np.random.Generator,
) -> None:  # fmt: skip
    """Paint a hedge along the road, from far to near."""
    camera = brush.camera
    s = np.arange(span[0], span[1], 0.45)
    points = road.place(s, t, 0.45 * height)
    pixels, depth = camera.project(points)
    seen = (depth > 3) & (np.abs(pixels[:, 0]) < 3000)
    if seen.sum() < 3:
        return
    pixels, depth = pixels[seen], depth[seen]
    order = np.argsort(-depth, kind="stable")
    pixels, depth = pixels[order], depth[order]
    unit = camera.focal * height / depth
    clumps = []
    for rank, light in ((0.2, 0.55), (-0.05, 0.85), (-0.3, 1.15)):
        spread = random.uniform(-0.12, 0.12, (len(unit), 2)) * unit[:, None]
        clumps.append(np.stack([pixels[:, 0] + spread[:, 0],
                                pixels[:, 1] + rank * unit + spread[:, 1],
                                random.uniform(0.24, 0.36, len(unit)) * unit,
                                light + random.uniform(-0.12, 0.12, len(unit))], -1))  # fmt: skip
    # Low clumps first at each place, places from far to near.
    together = np.stack(clumps, 1).reshape(-1, 4)
    paint_clumps(brush, together, green, random)


def dapple(
    shadow: Brush, road: Road, place: tuple[float, float], radius: float,
    random: np.random.Generator,
) -> None:  # fmt: skip
    """Darken, in a map of light, the ground under a tree: spots between which light falls."""
    at = random.uniform(-1.25, 1.25, (90, 2))
    at = at[(at * at).sum(1) < 1.5] * radius
    size = random.uniform(0.12, 0.3, (len(at), 1)) * radius
    outline = disc(road, 0.0, 0.0, 1.0)[0, ::2] - road.place(0.0, 0.0)
    spots = (
        road.place(place[0] + at[:, 0], place[1] + at[:, 1])[:, None] + outline * size[..., None]
    )
    shadow.fill(spots, int(random.integers(84, 108)))

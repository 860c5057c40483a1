import math

import numpy as np
import pytest

from pipelines.fleet.light.shade import SKYLINE, Light, shade
from pipelines.fleet.vehicle.inks import Ink, palette

LIGHT = Light((0.0, 0.6, 0.8), (1.2, 1.1, 1.0), (0.3, 0.35, 0.5), (0.5, 0.5, 0.55), (0.2, 0.2, 0.2),
              np.linspace(0.02, 0.3, SKYLINE).astype(np.float32))  # fmt: skip
PALETTE = palette({Ink.PAINT: (200, 40, 60)})


def slow(ink, normal, ray, behind=None):
    """Colour one sample in plain Python: Lambert under sun and sky, Schlick's mirror."""
    dot = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))  # noqa: E731
    facing = max(-dot(normal, ray), 0.04)
    mirror = [d + 2 * facing * n for d, n in zip(ray, normal, strict=True)]
    gloss = float(PALETTE.gloss[ink])
    shine = gloss + (min(8 * gloss, 1) - gloss) * (1 - facing) ** 5
    angle = mirror[1] / (abs(mirror[0]) + abs(mirror[1]) + 1e-6)
    angle = (2 - angle if mirror[0] < 0 else angle) + 1
    height = LIGHT.skyline[int(angle * SKYLINE / 4) % SKYLINE]
    shown = []
    for i in range(3):
        # In steps of a 128th.
        high = math.floor(min(max(mirror[2], 0) * 2, 1) * 128) / 128
        sky = LIGHT.horizon[i] + high * (LIGHT.zenith[i] - LIGHT.horizon[i])
        if mirror[2] < height:
            sky = 0.28 * LIGHT.horizon[i] + 0.1 * LIGHT.ground[i]
        if mirror[2] < 0:
            sky = 0.6 * LIGHT.ground[i]
        up = (1 + normal[2]) / 2
        diffuse = (LIGHT.zenith[i] + LIGHT.horizon[i]) / 2 * up + LIGHT.ground[i] * (1 - up)
        diffuse += LIGHT.sunlight[i] * max(dot(normal, LIGHT.sun), 0)
        glint = 3 * LIGHT.sunlight[i] * max(dot(mirror, LIGHT.sun), 0) ** 64
        value = float(PALETTE.colour[ink, i]) * (diffuse + float(PALETTE.glow[ink]))
        value += shine * (sky + glint) + (0 if behind is None else (1 - shine) * behind[i])
        shown.append(value)
    return shown


@pytest.mark.parametrize("see_through", [False, True])
def test_light_is_as_a_plain_derivation_has_it(see_through):
    random = np.random.default_rng(2)
    normal, ray = (random.normal(size=(3, 300)) for _ in range(2))
    normal, ray = (v / np.sqrt((v * v).sum(0)) for v in (normal, ray))
    ray = np.where((normal * ray).sum(0) > 0, -ray, ray)
    ink = random.integers(0, max(Ink) + 1, 300).astype(np.uint8)
    behind = random.uniform(size=(3, 300)) if see_through else None
    single = lambda v: tuple(v.astype(np.float32))  # noqa: E731
    found = np.array(
        shade(
            ink,
            single(normal),
            single(ray),
            PALETTE,
            LIGHT,
            None if behind is None else single(behind),
        )
    )
    for i in range(300):
        expected = slow(
            int(ink[i]), normal[:, i], ray[:, i], None if behind is None else behind[:, i]
        )
        assert np.allclose(found[:, i], expected, rtol=2e-3, atol=2e-4)


def test_shine_grows_towards_grazing():
    ink = np.full(2, Ink.GLASS, np.uint8)
    up = tuple(np.array([v, v], np.float32) for v in (0.0, 0.0, 1.0))
    steep, flat = (math.radians(a) for a in (80, 5))
    ray = (np.array([math.cos(steep), math.cos(flat)], np.float32), np.zeros(2, np.float32),
           np.array([-math.sin(steep), -math.sin(flat)], np.float32))  # fmt: skip
    black = tuple(np.zeros(2, np.float32) for _ in range(3))
    seen = shade(ink, up, ray, PALETTE, LIGHT, black)
    own = PALETTE.colour[Ink.GLASS, 0] * 2
    assert seen[0][1] > 2 * (seen[0][0] - own)

"""Who drives around: the vehicles of a fleet, each with its identity."""

from __future__ import annotations

import numpy as np

from pipelines.fleet.presets import Preset
from pipelines.fleet.vehicle.designs import make_catalogue
from pipelines.fleet.vehicle.marks import draw_marks
from pipelines.fleet.vehicle.shell import profile_of
from pipelines.fleet.vehicle.vehicles import PAINTS, Vehicle

_STRIPES = ((224, 224, 224), (24, 24, 26), (196, 30, 34), (40, 90, 190), (232, 196, 40))
_CARGO = ((222, 222, 218), (186, 190, 194), (60, 92, 150), (150, 44, 40))


def make_vehicles(preset: Preset, seed: int) -> list[Vehicle]:
    """Make the identities of a fleet, training identities first.

    Designs and colours are dealt evenly, to training and test alike, so that as many vehicles as
    possible share model, year and colour; or some models to test alone.
    """
    catalogue = make_catalogue(
        preset.makes, preset.models, preset.years, preset.kinds, np.random.default_rng([seed, 1])
    )
    known = catalogue[: len(catalogue) - preset.unseen]
    unseen = catalogue[len(known) :] or known
    vehicles = []
    for count, start, tag, dealt in (
        (preset.train, 0, 2, known), (preset.test, preset.train, 3, unseen),
    ):  # fmt: skip
        types = [
            (design, paint)
            for released in dealt
            for design in released
            for paint in PAINTS[: preset.paints]
        ]
        order = np.random.default_rng([seed, tag]).permutation(len(types))
        for number in range(count):
            design, paint = types[int(order[number % len(types)])]
            identity = start + number
            random = np.random.default_rng([seed, 4, identity])
            profile = profile_of(design.body)
            a, b = profile.stretch("windscreen") or (0.0, 1.0)
            marks = draw_marks(random, preset.rates, profile.half_at(a) - 0.08, b - a)
            vehicles.append(
                Vehicle(
                    f"{identity:05d}", design, paint, marks,
                    _STRIPES[int(random.integers(len(_STRIPES)))],
                    _CARGO[int(random.integers(len(_CARGO)))],
                )
            )  # fmt: skip
    return vehicles

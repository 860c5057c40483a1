"""The worlds that can be asked for by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from annotations.errors import InputError, suggest
from pipelines.fleet.vehicle.bodies import KINDS, Kind
from pipelines.fleet.vehicle.marks import Rates

Views = Literal["all", "front"]


@dataclass(frozen=True)
class Preset:
    """The size and the character of a fleet.

    Attributes:
        summary: one line for people.
        train: training identities.
        test: test identities.
        makes: number of makes.
        models: number of models, of the kinds in turn.
        years: released years of each model.
        kinds: of vehicle.
        paints: number of colours.
        cameras: number of cameras.
        views: from which sides cameras see vehicles: all around, or the front within 40 degrees.
        passes: (fewest, most) cameras that an identity passes.
        frames: (fewest, most) images of one pass.
        queries: images of each camera that an identity passes that are queries, at most.
        size: the square root of an image's number of pixels, 32 to 256.
        labels: training images whose parts come as hand labels, at most.
        night: share of passes at night.
        rain: share of hours with rain.
        occluded: share of images with something before the vehicle.
        busy: share of cameras with a busy background.
        rates: how often vehicles have marks of their own.
        pairs: verification pairs of each level and difficulty, at most.
        seed: the one that results are published with.
        unseen: models that only test vehicles are of, and training vehicles never, as in
            CompCars' verification; 0 deals all models to both.
    """

    summary: str
    train: int
    test: int
    makes: int
    models: int
    years: int
    kinds: tuple[Kind, ...]
    paints: int
    cameras: int
    views: Views = "all"
    passes: tuple[int, int] = (3, 4)
    frames: tuple[int, int] = (2, 3)
    queries: int = 1
    size: int = 128
    labels: int = 400
    night: float = 0.1
    rain: float = 0.15
    occluded: float = 0.15
    busy: float = 0.6
    rates: Rates = field(default_factory=Rates)
    pairs: int = 1000
    seed: int = 7
    unseen: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.unseen < self.models:
            raise InputError(
                f"preset '{self.summary}': {self.unseen} unseen of {self.models} models; leave "
                "one to train on"
            )
        # A tall truck of more would be higher than a camera's frame.
        if not 32 <= self.size <= 256:
            raise InputError(f"preset '{self.summary}': size {self.size} is not from 32 to 256")


_CARS: tuple[Kind, ...] = ("sedan", "hatchback", "suv", "van")

# Frozen, with its seed: its difficulty was set by looking at the plain network alone (mAP 0.46 with
# the recipe prn-small and 8 epochs), before any other method was run on it.
_NEAR_DUPLICATE = Preset(
    "few models and colours, many vehicles of each: tells methods apart",
    train=300, test=340, makes=3, models=4, years=1, kinds=_CARS, paints=4, cameras=8,
    views="front", passes=(4, 4), frames=(2, 2), labels=400, night=0.0,
    rates=Rates(stripe=0.04, carrier=0.05, window_sticker=0.05),
)  # fmt: skip

PRESETS: dict[str, Preset] = {
    "tiny": Preset(
        "for tests: a handful of vehicles, two cameras",
        train=6, test=4, makes=2, models=3, years=2, kinds=("sedan", "suv", "van"), paints=3,
        cameras=2, views="front", passes=(2, 2), frames=(2, 2), size=96, labels=24, pairs=40,
    ),
    "demo": Preset(
        "every kind of vehicle, a few of each model and colour, for make demo",
        train=112, test=60, makes=4, models=7, years=1, kinds=KINDS, paints=8, cameras=8,
        views="front", passes=(4, 4), frames=(2, 2), labels=400, night=0.05,
    ),
    "near-duplicate": _NEAR_DUPLICATE,
    "near-duplicate-20k": replace(
        _NEAR_DUPLICATE,
        summary="the same at 256 x 256, 20,000 images, for a GPU",
        train=1200, test=1300, size=256,
    ),
    "parts": Preset(
        "no two alike, from all sides, in all light: to train part detectors",
        train=1500, test=20, makes=24, models=120, years=1,
        kinds=("sedan", "hatchback", "suv", "sedan", "pickup", "van"), paints=12, cameras=24,
        passes=(1, 1), frames=(1, 1), size=224, labels=1500, busy=0.8, night=0.05, pairs=0,
    ),
    "models": Preset(
        "many models, three years of each, others at test: to verify models",
        train=504, test=216, makes=8, models=102, years=3, kinds=_CARS, paints=6, cameras=8,
        views="front", passes=(2, 2), frames=(2, 2), labels=400, night=0.0, unseen=18,
    ),
    "views": Preset(
        "cars from all sides, many of each model and colour: for methods that look at views",
        train=240, test=140, makes=3, models=6, years=1, kinds=_CARS, paints=5, cameras=8,
        passes=(4, 4), frames=(2, 2), labels=400, night=0.0,
    ),
    "large": Preset(
        "100,000 images, for scale",
        train=4500, test=4500, makes=20, models=120, years=3, kinds=KINDS, paints=12, cameras=24,
        passes=(4, 5), frames=(2, 3), labels=500, pairs=10000,
    ),
}  # fmt: skip


def preset_named(name: str) -> Preset:
    """Return a preset.

    Raises:
        InputError: there is none of that name.
    """
    if name not in PRESETS:
        raise InputError(f"preset '{name}': {suggest(name, PRESETS)}")
    return PRESETS[name]

"""A run of every table within minutes, whose figures mean nothing: that everything runs."""

from __future__ import annotations

from dataclasses import replace

from pipelines.eianet.ladder import EVERY
from pipelines.fleet.presets import PRESETS

NAME = "smoke-run-figures-mean-nothing"
"""Of its data set, so that every title has it."""
NOTE = (
    "a smoke run: a tiny fleet, a tiny network from scratch, one epoch, one seed; its figures mean "
    "nothing"
)

FLEET = replace(
    PRESETS["tiny"], summary="for smoke runs: tiny, from all sides", train=12, models=6,
    views="all", cameras=6, passes=(4, 4),
)  # fmt: skip
"""Its training images are of all eight viewpoints."""

RECIPE = (
    "backbone={name: resnet10t, weights: null, output_stride: 8}",
    "image={height: 48, width: 48}",
    "batch={size: 8, per_identity: 2}",
    "dimension=16",
    "epochs=1",
    "optimiser.warmup=0",
)
"""Changes to each recipe; its map has as many rows as there are stripes at most."""

SIZES = "32,48,64"
"""Of PRN's input."""

OF_METHOD = {"eianet": ("parts.use=[wind glass, car light, plate]",)}
"""Changes to the recipe of one method alone: so small a fleet does not have every part."""

ROWS = {"eianet": ",".join(network.name for network in EVERY)}
"""The rows of one method's tables where all are not what it trains by itself."""

VIEWS = (
    "backbone=mobilenetv3_small_050",
    "weights=null",
    "size=32",
    "batch=8",
    "steps=2",
    "foreground.steps=40",
    "foreground.lr=0.003",
    "proposals=24",
)
"""Changes to what finds SPAN's masks."""

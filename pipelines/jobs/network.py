"""Training the re-ID network."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.datasets import read_images
from pipelines.jobs.found import found_at
from pipelines.recipes import RECIPES, load_recipe
from pipelines.selection import with_found_parts
from pipelines.tables import show, written
from reid.run import Run
from reid.training.fit import fit


def train(
    recipe: str,
    data: Path,
    dataset: str | None,
    out: Path,
    boxes: Path | None,
    changes: list[str],
    device: str,
    workers: int,
    detector: Path | None = None,
) -> Run:
    """Train a recipe, with the parts that the detector finds well enough."""
    chosen = with_found_parts(load_recipe(recipe, changes), detector)
    run = fit(
        chosen,
        read_images(data, dataset),
        found_at(boxes) if boxes else None,
        out,
        device=device,
        workers=workers,
    )
    written(out, "run:")
    return run


def show_recipes() -> None:
    """List the recipes that come along."""
    rows = [(name, load_recipe(name).summary) for name in RECIPES]
    show(pd.DataFrame(rows, columns=["recipe", "what it is"]))

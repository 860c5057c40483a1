"""Training the re-ID network."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.datasets import read_images
from annotations.errors import InputError
from pipelines.jobs.found import found_at
from pipelines.jobs.marked import with_marked
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
    marks: Path | None = None,
    root: Path | None = None,
) -> Run:
    """Train a recipe, with the parts that the detector finds well enough.

    Args:
        recipe: by name, or a file.
        data: the data set.
        dataset: its kind, or None.
        out: the run's folder.
        boxes: where parts are, or None.
        changes: of the recipe.
        device: ``auto``, ``cpu``, ``cuda``.
        workers: processes that read images.
        detector: see `pipelines.selection.with_found_parts`; it finds the parts of marked images.
        marks: labelled pairs of image files, whose images are trained on, too; see
            `annotations.marks.with_marks`.
        root: the folder that the paths of these start from; None for that of ``marks``.

    Raises:
        InputError: something given is wrong.
    """
    chosen = with_found_parts(load_recipe(recipe, changes), detector)
    images = read_images(data, dataset)
    found = found_at(boxes) if boxes else None
    if marks is not None:
        images, found = with_marked(chosen, images, found, marks, root, detector, out, device)
    elif root is not None:
        raise InputError("--root: is for --marks")
    run = fit(
        chosen,
        images,
        found,
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

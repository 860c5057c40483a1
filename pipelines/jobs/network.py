"""Training and evaluating the re-ID network."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.datasets import read_images
from pipelines.jobs.detector import boxes_at
from pipelines.recipes import RECIPES, load_recipe
from pipelines.tables import say, show, written
from reid.evaluation.report import Evaluation
from reid.evaluation.report import evaluate as score
from reid.methods import check_branches
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
) -> Run:
    """Train a recipe."""
    chosen = load_recipe(recipe, changes)
    run = fit(
        chosen,
        read_images(data, dataset),
        boxes_at(boxes) if boxes else None,
        out,
        device=device,
        workers=workers,
    )
    written(out, "run:")
    return run


def evaluate(
    run: Path,
    data: Path,
    dataset: str | None,
    boxes: Path | None,
    branches: str,
    out: Path | None,
    device: str,
) -> Evaluation:
    """Evaluate a run on the query and gallery splits."""
    chosen = check_branches(branches)
    found = boxes_at(boxes) if boxes else None
    loaded = Run.load(run)
    scored = score(loaded, read_images(data, dataset), found, branches=chosen, device=device)
    show(scored.table, f"{run}, 95 % intervals over identities")
    say(scored.protocol)
    for problem in scored.problems:
        say(problem)
    folder = out or loaded.source / f"eval-{chosen}"
    scored.write(folder)
    written(folder / "metrics.json", "metrics:")
    return scored


def show_recipes() -> None:
    """List the recipes that come along."""
    rows = [(name, load_recipe(name).summary) for name in RECIPES]
    show(pd.DataFrame(rows, columns=["recipe", "what it is"]))

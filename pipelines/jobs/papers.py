"""A paper's tables on a data set: each distinct recipe trained once per seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.images import Images
from pipelines.ablation.claim import claim, data_hash, recipe_hash
from pipelines.ablation.series import run_series
from pipelines.ablation.summary import in_short
from pipelines.ablation.trials import Trial, by_rank, run_trial
from pipelines.jobs.fleet_data import PRESET, find_data
from pipelines.papers.declare import Paper
from pipelines.papers.mfgnet import MFGNET
from pipelines.papers.plan import plan, recipe_of
from pipelines.papers.report import left_out, report
from pipelines.papers.val import VAL
from pipelines.recipes import load_recipe
from pipelines.settings import require_free
from pipelines.tables import say
from reid.recipe import Recipe

PAPERS = {paper.name: paper for paper in (MFGNET, VAL)}
_PRESETS = {VAL.name: "views"}
"""Fleets of methods that need more than vehicles that are hard to tell apart."""


@dataclass(frozen=True)
class Wanted:
    """What a person asks for.

    Attributes:
        rows: rows by comma; None for all.
        seeds: trainings of each.
        device: ``auto``, ``cpu``, ``cuda``.
        workers: processes that read images in training.
    """

    rows: str | None = None
    seeds: int = 3
    device: str = "auto"
    workers: int = 2


@dataclass(frozen=True)
class Material:
    """What is trained and tested on.

    Attributes:
        images: with the splits train, query and gallery.
        folder: of everything that is made of them; its name is the data set's.
        boxes: as they are, to test with; None for methods without parts.
        filled: to train with.
    """

    images: Images
    folder: Path
    boxes: Boxes | None = None
    filled: Boxes | None = None


def paper_tables(
    method: str, data: Path | None, recipe: str, wanted: Wanted, work: Path, changes: list[str]
) -> Path:
    """Train what has not been trained, print a paper's tables beside ours, and write them.

    Returns:
        the folder of the results, WORK/NAME/METHOD-tables.

    Raises:
        InputError: a row, recipe or data set is wrong, or the folder holds results of another
            recipe or data.
    """
    paper = PAPERS[method]
    rows = paper.choose(wanted.rows)
    require_free(changes, paper.own_keys)
    base = load_recipe(recipe, changes)
    paper.require(base, recipe)
    recipe_of(paper.rows[0], paper, base)
    root, place = find_data(data, work, _PRESETS.get(method, PRESET))
    images = read_images(root)
    for split in ("train", "query", "gallery"):
        images.split(split).require("identity", f"{paper.title}'s tables")
    return train_paper(paper, base, rows, Material(images, place), wanted)


def train_paper(
    paper: Paper, base: Recipe, rows: list[str], material: Material, wanted: Wanted
) -> Path:
    """Train the rows that have not been trained, and report on all that have.

    Raises:
        InputError: see `pipelines.papers.plan.plan`; none of the rows can be had; or the folder
            holds results of another recipe or data.
    """
    planned = plan(paper, base, material.images)
    for row in paper.rows:
        if row.name in rows and row.name in planned.left_out:
            say(left_out(row, planned))
    folder = material.folder / paper.folder
    about = data_hash(material.images, material.boxes)
    claim(folder, {**recipe_hash(base), **about})
    labels = {row.name: row.own_label for row in reversed(paper.rows)}

    def run(trial: Trial) -> None:
        score = by_rank(material.images, material.boxes, "global", wanted.device)
        run_trial(
            trial, material.images, material.filled, score, folder,
            device=wanted.device, workers=wanted.workers,
        )  # fmt: skip

    def called(trial: Trial) -> str:
        row, seed = labels[str(trial.labels["row"])], trial.labels["seed"]
        return f"{paper.title}, {row}, seed {seed}"

    trials = planned.trials(rows, wanted.seeds)
    run_series(trials, folder, run, called, lambda results: in_short(results, "row"))
    every = planned.trials([row.name for row in paper.rows], wanted.seeds)
    report(paper, planned, every, folder, material.folder.name)
    return folder

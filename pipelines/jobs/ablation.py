"""PRN's Table 4 on a data set: every row trained under one budget, several seeds each."""

from __future__ import annotations

from pathlib import Path

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.files import write_text
from annotations.images import Images
from annotations.vocabulary import load_vocabulary
from detection.fill import fill_boxes
from pipelines.ablation import tables
from pipelines.ablation.claim import claim, data_hash, recipe_hash
from pipelines.ablation.series import run_series
from pipelines.ablation.summary import in_short, seeds_told
from pipelines.ablation.table4 import BASELINE, FULL, PARTS, ROWS, Row, choose_rows, recipe_of
from pipelines.ablation.trials import Trial, by_rank, collect, run_trial
from pipelines.jobs.fleet_data import find_boxes, find_data, require_unfilled
from pipelines.jobs.papers import Material
from pipelines.recipes import load_recipe
from pipelines.settings import require_free
from pipelines.tables import show, written
from reid.recipe import Recipe

OURS = ("seed", "parts.use", "loss.global_weight")
"""Keys of the recipe that the rows set."""


def plan(rows: list[Row], base: Recipe, seeds: int) -> list[Trial]:
    """Return the trainings in an order that makes a stopped run useful.

    First the plain network and PRN, seed by seed, then the other rows, seed by seed.
    """
    main = [row for name in (BASELINE, FULL) for row in rows if row.name == name]
    rest = [row for row in rows if row not in main]
    return [
        Trial({"row": row.name, "seed": seed}, recipe_of(row, base, seed), row.branches)
        for group in (main, rest)
        for seed in range(seeds)
        for row in group
    ]


def ablation(
    data: Path | None,
    boxes: Path | None,
    recipe: str,
    seeds: int,
    rows: str | None,
    work: Path,
    changes: list[str],
    device: str,
    workers: int = 2,
) -> Path:
    """Train what has not been trained, print the table beside the paper's, and write it.

    Returns:
        the folder of the results, WORK/NAME/ablation.

    Raises:
        InputError: a row, recipe or data set is wrong, the boxes do not fit, or the folder
            holds results of another recipe or data.
    """
    chosen = choose_rows(rows)
    require_free(changes, OURS)
    base = load_recipe(recipe, changes)
    trials = plan(chosen, base, seeds)
    every = plan(list(ROWS), base, seeds)
    found = gather(data, boxes, base, chosen, work)
    folder = found.folder / "ablation"
    about = {**recipe_hash(recipe_of(ROWS[0], base, 0)), **data_hash(found.images, found.boxes)}
    claim(folder, about)
    _train_all(trials, found, folder, device, workers)
    return _report(every, folder, found.folder.name)


def gather(
    data: Path | None, boxes: Path | None, base: Recipe, rows: list[Row], work: Path
) -> Material:
    """Find the data set and its boxes, and fill those of training images.

    Raises:
        InputError: there is none, or it lacks what the rows need.
    """
    root, place = find_data(data, work)
    images = read_images(root)
    found = find_boxes(boxes, root, place)
    return Material(images, place, found, _checked(base, images, found, rows))


def _checked(base: Recipe, images: Images, boxes: Boxes, rows: list[Row]) -> Boxes:
    """Check what would only be noticed after hours, and fill the training images' boxes."""
    for split in ("query", "gallery"):
        images.split(split).require("identity", "the ablation")
    vocabulary = load_vocabulary(base.parts.vocabulary)
    vocabulary.only(PARTS)
    training = images.training()
    filled, _ = fill_boxes(boxes, training, vocabulary)
    there = set(filled.of(training).frame["part"])
    for part in PARTS:
        if part not in there and any(part in row.parts for row in rows):
            raise InputError(
                f"{boxes.source}: no box of '{part}' on any training image, and rows "
                f"need it; choose others by --rows (ROWS=)"
            )
    if any(not row.has_global for row in rows):
        require_unfilled(boxes, images)
    return filled


def _train_all(
    trials: list[Trial], material: Material, folder: Path, device: str, workers: int
) -> None:
    labels = {row.name: row.label for row in ROWS}
    images, filled = material.images, material.filled

    def run(trial: Trial) -> None:
        score = by_rank(images, material.boxes, trial.branches, device)
        run_trial(trial, images, filled, score, folder, device=device, workers=workers)

    def name(trial: Trial) -> str:
        return f"{labels[str(trial.labels['row'])]}, seed {trial.labels['seed']}"

    run_series(trials, folder, run, name, lambda results: in_short(results, "row"))


def _report(trials: list[Trial], folder: Path, name: str) -> Path:
    """Print and write everything that the finished trials say."""
    results = collect(trials, folder)
    scores, differences = tables.score_table(results), tables.difference_table(results)
    title = f"PRN's Table 4 on {name}: {seeds_told(scores)}"
    people = tables.for_people(scores)
    show(people, title)
    sections = [f"{title}\n\n{tables.to_markdown(people)}"]
    for against, what in ((BASELINE, "PRN against the plain network"), (FULL, "against PRN")):
        compared = tables.differences_for_people(differences, against)
        if len(compared):
            heading = f"{what}: paired difference, 95 % interval over identities"
            show(compared, heading)
            sections.append(f"{heading}\n\n{tables.to_markdown(compared)}")
    for frame, file in ((results, "results"), (scores, "table"), (differences, "differences")):
        tables.write_csv(frame, folder / f"{file}.csv")
    write_text(folder / "table.md", "\n".join(sections))
    if (differences["against"] == FULL).any():
        tables.draw_chart(differences, f"What each removal costs on {name}", folder / "chart.png")
    written(folder / "table.md", "table:")
    return folder

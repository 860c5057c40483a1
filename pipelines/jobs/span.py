"""SPAN's Tables 1 and 2 on a data set: masks by each set of losses, every row under one budget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.files import write_text
from annotations.images import Images
from annotations.masks import FILE, Masks
from pipelines.ablation.claim import claim, data_hash, recipe_hash
from pipelines.ablation.series import run_series
from pipelines.ablation.summary import in_short, seeds_told
from pipelines.ablation.tables import to_markdown, write_csv
from pipelines.ablation.trials import Trial, by_rank, collect, run_trial
from pipelines.jobs import views as views_jobs
from pipelines.jobs.find_views import divided
from pipelines.jobs.fleet_data import find_data
from pipelines.recipes import load_recipe
from pipelines.settings import change, require_free
from pipelines.span import tables
from pipelines.span.rows import BASELINE, FULL, MASKS, OURS, ROWS, Row, choose_rows, recipe_of
from pipelines.tables import show, written
from reid.attention.settings import SpanSettings
from reid.attention.span import labelled
from reid.data.locate import locate
from reid.recipe import Recipe

PRESET = "views"
_OURS = ("seed", "parts.use", "join", "distance", "method")
_FINDERS = ("area", "diversity")


@dataclass(frozen=True)
class Wanted:
    """What a person asks for.

    Attributes:
        rows: rows by comma; None for all.
        seeds: trainings of each row.
        masks: masks of all views, in place of those that are made here; rows of other masks
            cannot be trained then.
        settings: changes of the mask networks' settings.
    """

    rows: str | None = None
    seeds: int = 3
    masks: Path | None = None
    settings: tuple[str, ...] = ()


def plan(rows: list[Row], base: Recipe, seeds: int) -> list[Trial]:
    """Return the trainings: first the baseline and SPAN with CPDM, then the others, by seed."""
    main = [row for name in (BASELINE, OURS) for row in rows if row.name == name]
    rest = [row for row in rows if row not in main]
    return [
        Trial({"row": row.name, "seed": seed}, recipe_of(row, base, seed))
        for group in (main, rest)
        for seed in range(seeds)
        for row in group
    ]


def span_tables(
    data: Path | None,
    recipe: str,
    wanted: Wanted,
    work: Path,
    changes: list[str],
    device: str,
    workers: int = 2,
) -> Path:
    """Train what has not been trained, print the tables beside the paper's, and write them.

    Returns:
        the folder of the results, WORK/NAME/span-tables.

    Raises:
        InputError: a row, recipe, setting or data set is wrong, or the folder holds results of
            another recipe or data.
    """
    chosen = choose_rows(wanted.rows)
    require_free(changes, _OURS)
    base = load_recipe(recipe, changes)
    if base.method != "span":
        raise InputError(f"recipe '{recipe}': its method is {base.method}; SPAN's tables need span")
    mine, theirs = divided(list(wanted.settings))
    for setting in mine:
        if setting.partition("=")[0] in _FINDERS:
            raise InputError(f"'{setting}': the rows of Table 1 set this themselves")
    needed = [name for name in MASKS if any(row.masks == name for row in chosen)]
    if wanted.masks and needed not in ([], [FULL]):
        raise InputError(
            "--masks: Table 1 compares masks that it makes itself; leave --masks out, or ask for "
            "--rows baseline,fc,concat,cpdm"
        )
    if wanted.masks and wanted.settings:
        raise InputError("--views: the masks given are made already; leave out --masks or --views")
    root, place = find_data(data, work, PRESET)
    images = read_images(root)
    for split in ("train", "query", "gallery"):
        images.split(split).require("identity", "SPAN's tables")
    folder = place / "span-tables"
    own = _given(wanted.masks, base, images) if wanted.masks else None
    claim(folder, {**recipe_hash(base), **data_hash(images, own), "masks": [mine, theirs]})
    masks = {FULL: own} if own else _masks(root, images, folder, needed, mine, theirs, device)
    _train_all(plan(chosen, base, wanted.seeds), images, masks, folder, device, workers)
    _report(plan(list(ROWS), base, wanted.seeds), base, images, masks, root, folder, place.name)
    return folder


def _given(path: Path, base: Recipe, images: Images) -> Masks:
    """Read masks that a person made.

    Raises:
        InputError: they lack a view of the recipe, or images that are trained on or tested.
    """
    masks = Masks.read(path)
    locate(masks, images, base.parts.use)
    return masks


def _masks(
    root: Path,
    images: Images,
    folder: Path,
    needed: list[str],
    mine: list[str],
    theirs: list[str],
    device: str,
) -> dict[str, Masks]:
    """Train what finds masks, a network for each set of losses, and find them on every image."""
    if not needed:
        return {}
    labelled(images.training(), change(SpanSettings, mine))
    foreground = folder / "foreground"
    views_jobs.foreground(root, None, foreground, theirs, False, device)
    found = {}
    for name in needed:
        network = folder / "networks" / name
        views_jobs.train(root, None, foreground, network, [*mine, *MASKS[name]], device)
        found[name] = views_jobs.find(network, root, None, folder / f"masks-{name}", False, device)
    return found


def _train_all(
    trials: list[Trial],
    images: Images,
    masks: dict[str, Masks],
    folder: Path,
    device: str,
    workers: int,
) -> None:
    rows = {row.name: row for row in ROWS}

    def run(trial: Trial) -> None:
        row = rows[str(trial.labels["row"])]
        found = masks[row.masks] if row.masks else None
        score = by_rank(images, found, "global", device)
        run_trial(trial, images, found, score, folder, device=device, workers=workers)

    def name(trial: Trial) -> str:
        return f"{rows[str(trial.labels['row'])].label}, seed {trial.labels['seed']}"

    run_series(trials, folder, run, name, lambda results: in_short(results, "row"))


def _every(masks: dict[str, Masks], folder: Path, tested: Images) -> dict[str, Masks]:
    """Return the masks of this run and, of other rows, those that earlier runs left in the folder.

    Masks that were found on fewer images, such as by a run that was stopped, are left out: tables
    compare the same images.
    """
    every = {}
    for name in MASKS:
        place = folder / f"masks-{name}"
        if name in masks:
            every[name] = masks[name]
        elif (place / FILE).is_file():
            every[name] = Masks.read(place)
    names = frozenset(tested.frame["image"])
    counts = {name: len(names & found.names) for name, found in every.items()}
    most = max(1, *counts.values()) if counts else 1
    return {name: found for name, found in every.items() if counts[name] == most}


def _report(
    trials: list[Trial],
    base: Recipe,
    images: Images,
    masks: dict[str, Masks],
    root: Path,
    folder: Path,
    name: str,
) -> Path:
    """Print and write everything that the finished trials say."""
    results = collect(trials, folder)
    scores = tables.score_table(results)
    made: list[tuple[str, pd.DataFrame]] = []
    tested = images.split("gallery")
    of_fleet = (root / "masks").is_dir() and set(base.parts.use) <= set(views_jobs.FLEET.views)
    if of_fleet and (every := _every(masks, folder, tested)):
        compared = {
            losses: views_jobs.compare_masks(found, tested, root) for losses, found in every.items()
        }
        agreed = tables.mask_table(compared)
        made.append((f"Figure 6 in numbers: masks of {len(tested)} gallery images", agreed))
        write_csv(agreed, folder / "masks.csv")
    for number, what in ((1, "losses that masks are learned by"), (2, "components")):
        mine = tables.for_people(scores, number)
        made.append((f"SPAN's Table {number} on {name}, {what}: {seeds_told(scores)}", mine))
    against = tables.differences(results)
    if len(against):
        made.append(("paired difference, 95 % interval over identities", against))
    for title, table in made:
        show(table, title)
    write_csv(results, folder / "queries.csv")
    write_csv(scores, folder / "table.csv")
    write_text(
        folder / "tables.md", "\n".join(f"{title}\n\n{to_markdown(each)}" for title, each in made)
    )
    written(folder / "tables.md", "tables:")
    return folder

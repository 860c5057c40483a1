"""SPAN's Tables 1 and 2 on a data set: masks by each set of losses, every row under one budget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.images import Images
from annotations.masks import FILE, Masks
from pipelines.ablation.claim import claim, data_hash, recipe_hash
from pipelines.ablation.series import run_series
from pipelines.ablation.summary import in_short
from pipelines.ablation.tables import write_csv
from pipelines.ablation.trials import Trial, by_rank, run_trial
from pipelines.jobs import views as views_jobs
from pipelines.jobs.find_views import divided
from pipelines.jobs.fleet_data import find_data
from pipelines.papers.report import report
from pipelines.papers.span import FULL, MASKS, SPAN, losses_told, masks_of, plan
from pipelines.recipes import load_recipe
from pipelines.settings import change, require_free
from reid.attention.settings import SpanSettings
from reid.attention.span import labelled
from reid.data.locate import locate
from reid.recipe import Recipe

PRESET = "views"
_FINDERS = ("area", "diversity")
_ONE_MASK = (
    "The masks of a row are found by one network, trained with one seed; seeds, and their spread, "
    "are of the networks that look through them."
)
_GIVEN = (
    "The masks are those given; seeds, and their spread, are of the networks that look through "
    "them."
)


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
    chosen = SPAN.choose(wanted.rows)
    # Which views there are is the person's; the baseline has none of them.
    require_free(changes, [*(key for key in SPAN.own_keys if key != "parts.use"), "method"])
    base = load_recipe(recipe, changes)
    SPAN.require(base, recipe)
    planned = plan(base)
    mine, theirs = divided(list(wanted.settings))
    for setting in mine:
        if setting.partition("=")[0] in _FINDERS:
            raise InputError(f"'{setting}': the rows of Table 1 set this themselves")
    needed = [name for name in MASKS if any(masks_of(row) == name for row in chosen)]
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
    folder = place / SPAN.folder
    own = _given(wanted.masks, base, images) if wanted.masks else None
    claim(folder, {**recipe_hash(base), **data_hash(images, own), "masks": [mine, theirs]})
    if own is None and needed:
        _require_views(base, images, change(SpanSettings, mine))
    masks = {FULL: own} if own else _masks(root, folder, needed, mine, theirs, device)
    _train_all(planned.trials(chosen, wanted.seeds), images, masks, folder, device, workers)
    agreed = _agreed(base, images, masks, root, folder)
    every = planned.trials([row.name for row in SPAN.rows], wanted.seeds)
    note = _GIVEN if own else _ONE_MASK
    report(SPAN, planned, every, folder, place.name, before=agreed, note=note)
    return folder


def _require_views(base: Recipe, images: Images, settings: SpanSettings) -> None:
    """Demand, before any training, that SPAN can learn the views that the recipe looks through.

    Raises:
        InputError: it cannot; see `reid.attention.span.labelled`.
    """
    found = labelled(images.training(), settings).vocabulary.names
    if lacking := [view for view in base.parts.use if view not in found]:
        raise InputError(
            f"parts.use: '{lacking[0]}' is none of the views that masks are learned of "
            f"({', '.join(found)}); change one or the other, such as by --set "
            f"'parts.use=[{', '.join(found)}]'"
        )


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
    folder: Path,
    needed: list[str],
    mine: list[str],
    theirs: list[str],
    device: str,
) -> dict[str, Masks]:
    """Train what finds masks, a network for each set of losses, and find them on every image."""
    if not needed:
        return {}
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
    labels = {row.name: row.own_label for row in SPAN.rows}

    def run(trial: Trial) -> None:
        name = masks_of(str(trial.labels["row"]))
        found = masks[name] if name else None
        score = by_rank(images, found, "global", device)
        run_trial(trial, images, found, score, folder, device=device, workers=workers)

    def called(trial: Trial) -> str:
        return f"{labels[str(trial.labels['row'])]}, seed {trial.labels['seed']}"

    run_series(trials, folder, run, called, lambda results: in_short(results, "row"))


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


def _agreed(
    base: Recipe, images: Images, masks: dict[str, Masks], root: Path, folder: Path
) -> list[tuple[str, pd.DataFrame]]:
    """Return, and write, how well masks agree with the true ones, if a fleet has these."""
    tested = images.split("gallery")
    of_fleet = (root / "masks").is_dir() and set(base.parts.use) <= set(views_jobs.FLEET.views)
    if not of_fleet or not (every := _every(masks, folder, tested)):
        return []
    tables = [
        views_jobs.compare_masks(found, tested, root).assign(losses=losses_told(name))
        for name, found in every.items()
    ]
    agreed = pd.concat(tables, ignore_index=True)[["losses", "view", "images", "iou", "false"]]
    write_csv(agreed, folder / "masks.csv")
    return [(f"Figure 6 in numbers: masks of {len(tested)} gallery images", agreed)]

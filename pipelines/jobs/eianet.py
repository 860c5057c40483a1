"""EIA-Net's tables on a data set: its ladder, every network trained under one budget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import pandas as pd

from annotations.boxes import Boxes
from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.files import write_text
from annotations.images import Images
from annotations.vocabulary import load_vocabulary
from detection.fill import fill_boxes
from detection.selection import read_scores
from pipelines.ablation.claim import claim, data_hash, recipe_hash
from pipelines.ablation.series import run_series
from pipelines.ablation.summary import in_short
from pipelines.ablation.tables import to_markdown, write_csv
from pipelines.ablation.trials import Trial, by_rank, collect, run_trial, train
from pipelines.eianet.ladder import (
    EVERY,
    LEVELS,
    PRN,
    Network,
    choosable,
    choose_levels,
    choose_networks,
    level_of,
    levels_tested,
    plan,
    prn_parts,
    start_of,
    starting_from,
)
from pipelines.eianet.layout import accuracies, ranked
from pipelines.eianet.material import Material, gather
from pipelines.eianet.sections import Section, detected, retrieved, verified
from pipelines.eianet.verification import by_pairs
from pipelines.jobs.fleet_data import find_boxes, find_data, require_found, require_unfilled
from pipelines.recipes import load_recipe
from pipelines.selection import maker_of, with_found_parts
from pipelines.tables import say, show, written
from reid.recipe import Recipe

PRESET = "models"
"""The fleet that is taken where no data set is given."""
_FOLDER, _FORMERLY = "eianet-tables", "eianet"
"""Of the results, and what it was called before: what was begun there goes on there."""
_OURS = ("seed", "label")
_FIRST = ("epochs", "optimiser", "batch", "loss", "augment", "precision")
"""What the classifier may have of its own."""


@dataclass(frozen=True)
class Wanted:
    """What a person asks of the tables.

    Attributes:
        levels: comma-separated, of `pipelines.eianet.ladder.LEVELS`.
        networks: comma-separated, of `pipelines.eianet.ladder.EVERY`; None for the ladder.
        seeds: trainings of each network.
        pairs: files of test pairs; none to find or draw them.
        hold_out: share of the training models that only judges learn from.
        first: changes to the recipe for the classifier that all networks start from.
    """

    levels: str = "model,year"
    networks: str | None = None
    seeds: int = 3
    pairs: tuple[Path, ...] = ()
    hold_out: float = 1 / 3
    first: tuple[str, ...] = ()


def eianet_tables(
    data: Path | None,
    boxes: Path | None,
    recipe: str,
    wanted: Wanted,
    work: Path,
    changes: list[str],
    device: str,
    workers: int = 2,
) -> Path:
    """Train what has not been trained, print the tables beside the paper's, and write them.

    Returns:
        the folder of the results, WORK/NAME/eianet-tables.

    Raises:
        InputError: a level, network, recipe or data set is wrong, the boxes do not fit, or the
            folder holds results of another recipe or data.
    """
    networks, levels = choose_networks(wanted.networks), choose_levels(wanted.levels)
    for change in [*changes, *wanted.first]:
        if change.partition("=")[0].strip() in _OURS:
            raise InputError(f"'{change}': the ladder sets this itself")
    for change in wanted.first:
        if change.partition("=")[0].strip().split(".")[0] not in _FIRST:
            raise InputError(
                f"--first '{change}': the classifier is the other networks' start and differs in "
                f"nothing but {', '.join(_FIRST)}"
            )
    given = load_recipe(recipe, changes)
    if not plan(networks, levels, given, wanted.seeds, wanted.first):
        raise InputError(
            "the modified cluster loss tells released years apart: ask for the level model or year"
        )
    root, place = find_data(data, work, PRESET)
    images = read_images(root)
    if "year" not in images.frame or images.frame["year"].isna().all():
        networks = _without_years(networks, images)
    found = find_boxes(boxes, root, place, given.parts.vocabulary)
    detector = maker_of(found, place / "detector")
    base = with_found_parts(given, detector) if detector else given
    trials = plan(networks, levels, base, wanted.seeds, wanted.first)
    every = plan(choosable(base), levels, base, wanted.seeds)
    tested = {each for trial in trials for each in levels_tested(level_of(trial))}
    at = [level for level in LEVELS if level != "identity" and level in tested]
    material = gather(images, root, at, wanted.pairs, wanted.hold_out) if at else None
    if material is not None:
        require_found(found, material.known, "known")
        require_found(found, material.tested, "test")
        count, seen = material.models()
        say(f"{count} models are tested, of which networks are trained on {seen}; thresholds, SVM "
            f"and Joint Bayesian learn from {len(material.known):,} images, of which networks are "
            f"trained on {len(material.known) - len(material.held_out):,}")  # fmt: skip
    if "identity" in levels:
        _require_ranks(images, found)
    _require_parts(base, material.images if material else images, found)
    folder = _folder(place)
    about = {"changes for the classifier": list(wanted.first)}
    claim(folder, {**recipe_hash(base), **data_hash(images, found), **about})
    if material is not None:
        claim(folder / "held-out", {"images held out": material.held_out})
        for level in material.tests:
            claim(folder / f"pairs-{level}", {"pairs": material.pairs_hash(level)})
    starts = {trial.name: start_of(trial, base, wanted.first) for trial in trials}
    _train_all(trials, starts, images, material, found, folder, device, workers)
    _report(every, material, folder, place.name, base, detector)
    return folder


def _folder(place: Path) -> Path:
    """Return the folder of a data set's results."""
    folder, formerly = place / _FOLDER, place / _FORMERLY
    return formerly if formerly.is_dir() and not folder.exists() else folder


def _without_years(networks: list[Network], images: Images) -> list[Network]:
    """Leave out what learns from released years.

    Raises:
        InputError: nothing is left.
    """
    left = [network for network in networks if not network.two_margins]
    if not left:
        images.require("year", "the modified cluster loss")
    if len(left) < len(networks):
        say(f"{images.source}: no released years, so no network with the modified cluster loss")
    return left


def _require_ranks(images: Images, boxes: Boxes) -> None:
    for split in ("query", "gallery"):
        images.split(split).require("identity", "the level 'identity'")
    require_unfilled(boxes, images)


def _require_parts(base: Recipe, images: Images, boxes: Boxes) -> None:
    """Demand that the cache has the recipe's parts on training images."""
    load_vocabulary(base.parts.vocabulary).only(base.parts.use)
    there = set(boxes.of(images.training()).frame["part"])
    if missing := [part for part in base.parts.use if part not in there]:
        kept = ", ".join(part for part in base.parts.use if part in there)
        raise InputError(
            f"{boxes.source}: no box of '{missing[0]}' on any training image; leave it out by "
            f"--set 'parts.use=[{kept}]' (SET=), or detect it"
        )


def _train_all(
    trials: list[Trial],
    starts: dict[str, Trial],
    images: Images,
    material: Material | None,
    boxes: Boxes,
    folder: Path,
    device: str,
    workers: int,
) -> None:
    """Run the trials, each from its start, which is trained first where it has to be."""
    labels = {network.name: network.label for network in EVERY}

    def run(trial: Trial) -> None:
        level = level_of(trial)
        if material is None or level == "identity":
            score, seen = by_rank(images, boxes, "global", device), images
        else:
            tested = [each for each in levels_tested(level) if each in material.tests]
            score, seen = by_pairs(material, boxes, tested, device), material.images
        first = starts[trial.name]
        start = train(first, seen, None, folder / "classifiers", device, workers)
        known = start if first == trial else None
        chosen = trial if known else starting_from(trial, start.source)
        found = _filled(boxes, seen, trial.recipe) if trial.labels["network"] == PRN.name else boxes
        run_trial(chosen, seen, found, score, folder, run=known, device=device, workers=workers)

    def name(trial: Trial) -> str:
        told = trial.labels
        return f"{labels[str(told['network'])]}, by {told['trained']}, seed {told['seed']}"

    run_series(trials, folder, run, name, _in_short)


def _filled(boxes: Boxes, images: Images, recipe: Recipe) -> Boxes:
    """Return boxes with PRN's parts filled on training images, as in its section 3.2."""
    vocabulary = load_vocabulary(recipe.parts.vocabulary).only(recipe.parts.use)
    return fill_boxes(boxes, images.training(), vocabulary)[0]


def _wrapped(head: str, column: pd.Series[Any]) -> str:
    """Break a column's head into lines no wider than its cells, as far as words allow."""
    width = max([1, *(len(str(cell)) for cell in column)])
    return "\n".join(wrap(head, width, break_long_words=False))


def _in_short(results: pd.DataFrame) -> str:
    if "judge" not in results:
        return in_short(results, "network")
    mine = results[results["judge"] == "distance"]
    shares = mine.groupby(["level", "pairs"], sort=False, as_index=False)["right"].mean()
    return ", ".join(f"{row.level} {row.pairs} {row.right:.3f}" for row in shares.itertuples())


def _report(
    trials: list[Trial],
    material: Material | None,
    folder: Path,
    name: str,
    base: Recipe,
    detector: Path | None,
) -> None:
    """Print and write everything that the finished trials say."""
    made: list[Section] = []
    by_identity = [trial for trial in trials if level_of(trial) == "identity"]
    if material is not None:
        results = collect([trial for trial in trials if trial not in by_identity], folder)
        lists = {level: list(pairs) for level, pairs in material.tests.items()}
        table = read_scores(detector) if detector else None
        made.append(detected(table, base.parts.use, name, folder))
        made += verified(results, lists, name, prn_parts(base), folder)
        write_csv(results, folder / "pairs.csv")
        write_csv(accuracies(results), folder / "accuracy.csv")
    if by_identity:
        results = collect(by_identity, folder)
        made += retrieved(results, name)
        write_csv(results, folder / "queries.csv")
        write_csv(ranked(results), folder / "ranking.csv")
    sections: list[str] = []
    for title, table, notes in made:
        if table.empty:
            continue
        show(
            table.rename(columns={name: _wrapped(str(name), table[name]) for name in table}), title
        )
        sections.append(f"{title}\n\n{to_markdown(table)}")
        for note in notes:
            say(note)
            sections.append(f"{note}\n")
    write_text(folder / "tables.md", "\n".join(sections))
    written(folder / "tables.md", "tables:")

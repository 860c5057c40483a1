"""The networks of EIA-Net's Table 2, each with one thing more than the one before it, and PRN.

The cluster loss alone learns slowly from few images. As the paper's extractors are first trained to
classify (section 4.2), every network starts from the backbone of a classifier of the same images.
PRN, which Tables 3 and 4 have "by feeding model labels" (section 4.4), starts from there, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from annotations.errors import InputError, choose
from pipelines.ablation.trials import Trial
from reid.recipe import Recipe, change_content, parse_recipe

Level = Literal["model", "year", "identity"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""What makes two images the same: model, released year of a model, or the vehicle itself."""

_YEAR_MARGIN = 0.2
"""beta of equation (6) where the recipe gives none, as in the recipe eianet-compcars."""
_PER_MODEL = 2

PRN_PARTS = {
    "window": ("window", "wind glass"),
    "light": ("light", "car light"),
    "brand": ("brand", "logo"),
}
"""The parts of PRN (its section 3.2), each by its names in the vocabularies prn and eia."""
_PRN_WEIGHT = 0.3
"""lambda of PRN's equation (3), which its paper does not give, as in the recipe prn-small."""


@dataclass(frozen=True)
class Network:
    """A rung of the ladder.

    Attributes:
        name: short, for the command line and for folders.
        label: what it is, for people.
        parts: whether it has R-MAC of parts, in place of the mean of the maps.
        part_based: whether it has the part-based CNN, which makes R-MAC CR-MAC.
        aligned: whether it has the alignment loss, equation (7).
        two_margins: whether its cluster loss is the modified one, equations (5) and (6).
        classifies: whether it learns to classify, without any part or loss of EIA-Net's: the
            paper's feature extractor, from whose backbone all others start.
        by_prn: whether it is no rung, but PRN, which is trained where it is asked for by name.
    """

    name: str
    label: str
    parts: bool = True
    part_based: bool = True
    aligned: bool = True
    two_margins: bool = False
    classifies: bool = False
    by_prn: bool = False


NETWORKS: tuple[Network, ...] = (
    Network("fc", "classifier", parts=False, part_based=False, aligned=False, classifies=True),
    Network("plain", "plain", parts=False, part_based=False, aligned=False),
    Network("r-mac", "+ R-MAC", part_based=False, aligned=False),
    Network("cr-mac", "+ CR-MAC", aligned=False),
    Network("eial", "+ alignment loss"),
    Network("mccl", "+ modified cluster loss", two_margins=True),
)
"""The ladder."""
PRN = Network("prn", "PRN", part_based=False, aligned=False, by_prn=True)
EVERY: tuple[Network, ...] = (*NETWORKS, PRN)


def choose_networks(names: str | None) -> list[Network]:
    """Return the networks of a comma-separated list, in `EVERY`'s order; the ladder for None.

    Raises:
        InputError: a name is not one of a network.
    """
    if names is None:
        return list(NETWORKS)
    wanted = choose(names, [network.name for network in EVERY], "network of EIA-Net's tables")
    return [network for network in EVERY if network.name in wanted]


def choosable(base: Recipe) -> list[Network]:
    """Return the networks that can be had of a recipe: PRN where the recipe has a part of PRN's."""
    return [network for network in EVERY if not network.by_prn or prn_parts(base)]


def prn_parts(base: Recipe) -> dict[str, str]:
    """Return the recipe's parts that PRN has, too, by their names in PRN's paper."""
    return {
        name: part for name, names in PRN_PARTS.items() for part in base.parts.use if part in names
    }


def choose_levels(names: str) -> list[Level]:
    """Return the levels of a comma-separated list, in `LEVELS`' order.

    Raises:
        InputError: a name is not one of a level.
    """
    wanted = choose(names, LEVELS, "level")
    return [level for level in LEVELS if level in wanted]


def recipe_of(
    network: Network, base: Recipe, level: Level, seed: int, first: Sequence[str] = ()
) -> Recipe:
    """Return the recipe of a rung: ``base`` with what the rung has, everything else the same.

    The modified loss tells years of a model apart by its definition, so it learns from released
    years at model level, too; at the level of identities there is none. The classifier is PRN's
    plain network, on batches drawn at random, with the changes ``first`` to the recipe: it learns
    from scratch what the others only refine. PRN is that network with those of its parts that
    ``base`` has, and compared as in its section 4.2.

    Raises:
        InputError: ``base`` is not of EIA-Net, has no part, or none of PRN's where that is the
            network, or gives alignment no weight.
    """
    if base.method != "eianet":
        raise InputError(f"EIA-Net's tables need a recipe of the method eianet, not {base.method}")
    if not base.parts.use or not base.loss.alignment.weight or not base.part_based:
        raise InputError(
            "EIA-Net's tables take things off a whole recipe: give parts.use, part_based: true and "
            "a weight in loss.alignment"
        )
    content = base.model_dump(mode="json")
    content["seed"] = seed
    content["label"] = "year" if network.two_margins else level
    if network.classifies or network.by_prn:
        del content["loss"]
        content |= {"method": "prn", "part_based": False}
        content["parts"] = {"vocabulary": base.parts.vocabulary, "use": []}
        content["batch"] = {"size": base.batch.size}
        if network.by_prn:
            content["parts"] |= {"use": _require_prn_parts(base), "weight": _PRN_WEIGHT}
            content["distance"] = "euclidean"
        else:
            change_content(content, first)
        return parse_recipe(content, f"network '{network.name}'")
    content["part_based"] = network.part_based
    if not network.parts:
        content["parts"]["use"] = []
    if not network.aligned:
        content["loss"]["alignment"] = {"weight": 0.0}
    beta = base.loss.cluster.year_margin or _YEAR_MARGIN
    content["loss"]["cluster"]["year_margin"] = beta if network.two_margins else 0.0
    by_year = content["label"] == "year"
    content["batch"]["per_model"] = (base.batch.per_model or _PER_MODEL) if by_year else 0
    return parse_recipe(content, f"network '{network.name}'")


def _require_prn_parts(base: Recipe) -> list[str]:
    """Return the recipe's parts that PRN has, too.

    Raises:
        InputError: there are none.
    """
    if not (found := prn_parts(base)):
        names = ", ".join(name for known in PRN_PARTS.values() for name in known)
        raise InputError(f"network 'prn': parts.use has none of PRN's parts ({names})")
    return list(found.values())


def levels_tested(level: Level) -> list[Level]:
    """Return the levels at which a network trained at one is tested: by years it is at both."""
    return ["model", "year"] if level == "year" else [level]


def level_of(trial: Trial) -> Level:
    """Return the level at which a trial's network is trained."""
    return next(level for level in LEVELS if level == trial.labels["trained"])


def start_of(trial: Trial, base: Recipe, first: Sequence[str] = ()) -> Trial:
    """Return the trial of the classifier that a trial's network starts from."""
    classifier, seed = NETWORKS[0], int(trial.labels["seed"])
    recipe = recipe_of(classifier, base, level_of(trial), seed, first)
    return Trial({**trial.labels, "network": classifier.name}, recipe)


def starting_from(trial: Trial, run: Path) -> Trial:
    """Return a trial whose backbone starts from that of a run."""
    content = trial.recipe.model_dump(mode="json")
    content["backbone"]["weights"] = str(run.resolve())
    return replace(trial, recipe=parse_recipe(content, trial.name))


def plan(
    networks: list[Network],
    levels: list[Level],
    base: Recipe,
    seeds: int,
    first: Sequence[str] = (),
) -> list[Trial]:
    """Return the trainings, seed by seed, so that a stopped run compares what it has.

    Each network is trained at each level, that with two margins once, by released years.
    """
    return [
        Trial(
            {"network": network.name, "trained": level, "seed": seed},
            recipe_of(network, base, level, seed, first),
        )
        for seed in range(seeds)
        for network in networks
        for level in _trained_at(network, levels)
    ]


def _trained_at(network: Network, levels: list[Level]) -> list[Level]:
    if not network.two_margins:
        return levels
    return ["year"] if {"model", "year"} & set(levels) else []

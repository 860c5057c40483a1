"""Which trainings the rows of a paper's tables are, and which rows cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.errors import InputError
from annotations.images import Images
from pipelines.ablation.trials import Trial
from pipelines.papers.declare import Paper, Row
from reid.data.labels import with_labels
from reid.recipe import Recipe, change_content, parse_recipe
from reid.training.viewpoints import divide_identities


@dataclass(frozen=True)
class Plan:
    """What is to be trained.

    Attributes:
        recipes: by the name of a training, its recipe with seed 0; the paper's own method first.
        trained_as: by the name of a row, that of its training: rows of one recipe are one.
        left_out: by the name of a row that cannot be had, why.
    """

    recipes: dict[str, Recipe]
    trained_as: dict[str, str]
    left_out: dict[str, str]

    def trials(self, rows: Sequence[str], seeds: int) -> list[Trial]:
        """Return the trainings of some rows, seed by seed, so that a stopped run compares."""
        wanted = {self.trained_as[row] for row in rows if row in self.trained_as}
        return [
            Trial({"row": name, "seed": seed}, recipe.model_copy(update={"seed": seed}))
            for seed in range(seeds)
            for name, recipe in self.recipes.items()
            if name in wanted
        ]


def recipe_of(row: Row, paper: Paper, base: Recipe) -> Recipe:
    """Return the recipe of a row, with seed 0: ``base`` with its changes, the rest the same.

    Raises:
        InputError: these make no sense together.
    """
    content = base.model_dump(mode="json") | {"seed": 0}
    change_content(content, [*paper.whole, *row.changes])
    return parse_recipe(content, f"row '{row.name}'")


def require_viewpoints(recipe: Recipe, images: Images) -> None:
    """Demand that a data set tells the viewpoint classes that a recipe's losses need, if any.

    Raises:
        InputError: it does not.
    """
    if recipe.loss.viewpoint.weight:
        divide_identities(recipe, with_labels(recipe, images.training()))


def plan(paper: Paper, base: Recipe, images: Images) -> Plan:
    """Find the trainings of all rows.

    Raises:
        InputError: the paper's own method cannot be had, so there is nothing to compare.
    """
    recipes: dict[str, Recipe] = {}
    trained_as: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for row in paper.rows:
        try:
            recipe = recipe_of(row, paper, base)
            require_viewpoints(recipe, images)
        except InputError as error:
            if row.name == paper.full:
                raise
            left_out[row.name] = str(error)
            continue
        same = [name for name, other in recipes.items() if other == recipe]
        trained_as[row.name] = same[0] if same else row.name
        recipes.setdefault(trained_as[row.name], recipe)
    return Plan(recipes, trained_as, left_out)

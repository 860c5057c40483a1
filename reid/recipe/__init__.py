"""A recipe: every number that a training needs, checked before it starts."""

from reid.recipe.reading import change_content, parse_recipe, read_recipe, with_parts
from reid.recipe.recipe import Join, Pooling, Recipe
from reid.recipe.sense import TAKES, global_learns
from reid.recipe.settings import AugmentSettings, OptimiserSettings

__all__ = [
    "TAKES",
    "AugmentSettings",
    "Join",
    "OptimiserSettings",
    "Pooling",
    "Recipe",
    "change_content",
    "global_learns",
    "parse_recipe",
    "read_recipe",
    "with_parts",
]

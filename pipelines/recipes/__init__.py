"""The recipes that come along: one YAML file each."""

from __future__ import annotations

from pathlib import Path

from annotations.errors import InputError, suggest
from reid.recipe import Recipe, read_recipe

_HERE = Path(__file__).parent
RECIPES = sorted(path.stem for path in _HERE.glob("*.yaml"))


def load_recipe(name: str, overrides: list[str] | None = None) -> Recipe:
    """Load a recipe by name or from the user's YAML file.

    Args:
        name: one of `RECIPES`, or a path that ends in ``.yaml``.
        overrides: see `reid.recipe.read_recipe`.

    Raises:
        InputError: no such recipe, or it is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return read_recipe(Path(name), overrides)
    if name not in RECIPES:
        raise InputError(f"no recipe '{name}'; {suggest(name, RECIPES)}; or give a YAML file")
    return read_recipe(_HERE / f"{name}.yaml", overrides)

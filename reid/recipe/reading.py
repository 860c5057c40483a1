"""Reading recipes: from YAML, with changes, every key checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from annotations.errors import InputError, suggest
from annotations.files import parse_yaml, read_yaml
from reid.recipe.recipe import Recipe


def _fields(place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are known where an unknown one stood."""
    section: type[BaseModel] = Recipe
    for step in place[:-1]:
        annotation = section.model_fields[str(step)].annotation
        assert isinstance(annotation, type) and issubclass(annotation, BaseModel)
        section = annotation
    return list(section.model_fields)


def parse_recipe(content: Any, source: str) -> Recipe:
    """Check a recipe's content.

    Raises:
        InputError: a key is unknown (the nearest known one is suggested) or a value is
            not allowed; ``source`` is named.
    """
    if not isinstance(content, dict):
        raise InputError(f"{source}: a recipe is a YAML mapping")
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = first["loc"]
        key = ".".join(str(step) for step in place)
        if first["type"] == "extra_forbidden":
            known = suggest(str(place[-1]), _fields(place))
            raise InputError(f"{source}: unknown key '{key}'; {known}") from None
        raise InputError(f"{source}: '{key}': {first['msg']}") from None


def read_recipe(path: Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe file.

    Args:
        path: the YAML file.
        overrides: changes such as ``optimiser.lr=0.02`` or ``parts.use=[]``; the value is YAML.

    Raises:
        InputError: see `parse_recipe`; or an override is not of that form.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such recipe file")
    content = read_yaml(path) or {}
    if not overrides:
        return parse_recipe(content, str(path))
    change_content(content, overrides)
    recipe = parse_recipe(content, f"{path} with {', '.join(overrides)}")
    if recipe.iterations and any(each.partition("=")[0].strip() == "epochs" for each in overrides):
        raise InputError(
            f"{path}: trains for {recipe.iterations} iterations, whatever 'epochs' is; change "
            "'iterations', or set it to null"
        )
    return recipe


def with_parts(recipe: Recipe, use: tuple[str, ...]) -> Recipe:
    """Return a recipe with some of its parts, and of what names parts only theirs.

    Raises:
        InputError: what names parts names none of these.
    """
    content = recipe.model_dump(mode="json")
    content["parts"]["use"] = list(use)
    if isinstance(recipe.parts.weight, dict):
        content["parts"]["weight"] = {part: recipe.parts.weight[part] for part in use}
    if aligned := recipe.loss.alignment.parts:
        left = [part for part in aligned if part in use]
        if not left:
            raise InputError(
                f"loss.alignment.parts: none of {', '.join(aligned)} is among the parts that "
                "are left; name others, or null for all"
            )
        content["loss"]["alignment"]["parts"] = left
    return parse_recipe(content, "the recipe with fewer parts")


def change_content(content: Any, overrides: Sequence[str]) -> None:
    """Change a recipe as its file has it, in place.

    Args:
        content: what `parse_recipe` takes.
        overrides: see `read_recipe`.

    Raises:
        InputError: an override is not of that form.
    """
    for override in overrides:
        key, separator, value = override.partition("=")
        if not separator or not isinstance(content, dict):
            raise InputError(f"'{override}': give a change as key=value, such as epochs=20")
        *sections, last = key.strip().split(".")
        section = content
        for name in sections:
            section = section.setdefault(name, {})
            if not isinstance(section, dict):
                raise InputError(f"'{override}': '{name}' is not a section of the recipe")
        section[last] = parse_yaml(value, f"'{override}'")

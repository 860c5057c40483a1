"""Reading recipes: from YAML, with changes, every key checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from annotations.errors import InputError, plain, suggest
from annotations.files import parse_yaml, read_yaml
from reid.recipe.recipe import Recipe
from reid.recipe.sense import TRAINED

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def _fields(place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are known where an unknown one stood."""
    section: type[BaseModel] = Recipe
    for step in place[:-1]:
        annotation = section.model_fields[str(step)].annotation
        assert isinstance(annotation, type) and issubclass(annotation, BaseModel)
        section = annotation
    return list(section.model_fields)


def parse_recipe(content: Any, source: str, trained: bool = False) -> Recipe:
    """Check a recipe's content.

    Args:
        content: of its YAML file.
        source: what errors name.
        trained: it has trained a network already, which is to be used as it is: that one of its
            vectors was not trained is then no reason to refuse it.

    Raises:
        InputError: a key is unknown (the nearest known one is suggested) or a value is
            not allowed; ``source`` is named.
    """
    if not isinstance(content, dict):
        raise InputError(f"{source}: a recipe is a YAML mapping")
    try:
        return Recipe.model_validate(content, context={TRAINED: trained})
    except ValidationError as error:
        raise InputError(f"{source}: {_problem(error.errors())}") from None


def _problem(problems: list[ErrorDetails]) -> str:
    """Return the first problem that was found, with the key that it is of."""
    first = problems[0]
    place = first["loc"]
    key = ".".join(str(step) for step in place)
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'; {suggest(str(place[-1]), _fields(place))}"
    if not place:  # of a rule about several keys, which names them
        return _said(first)
    field, forms = _field(place)
    if len(forms) < 2:
        return f"'{key}': {_said(first)}"
    # pydantic has a problem with each form that the value could have, and names the form in its
    # place, behind the field.
    told: dict[int | str, str] = {}
    for problem in problems:
        if problem["loc"][: len(field)] == field:
            form, *inside = problem["loc"][len(field) :]
            told.setdefault(form, _said(problem, ".".join(map(str, inside)), forms))
    first_form, *others = told.values()
    also = [each.removeprefix("Input should be ") for each in others]
    return f"'{'.'.join(map(str, field))}': {'; or '.join([first_form, *also])}"


def _field(place: tuple[int | str, ...]) -> tuple[tuple[int | str, ...], list[Any]]:
    """Return the place of the field that a place is in, and the forms that its value can have."""
    section: type[BaseModel] = Recipe
    for depth, step in enumerate(place, 1):
        annotation: Any = section.model_fields[str(step)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            forms = [each for each in get_args(annotation) if each is not type(None)]
            union = get_origin(annotation) in (Union, UnionType)
            return place[:depth], forms if union else [annotation]
        section = annotation
    return place, [section]


def _said(problem: ErrorDetails, inside: str = "", forms: Sequence[Any] = ()) -> str:
    """Return what is wrong, in YAML's words.

    Args:
        problem: pydantic's.
        inside: the key in the field's value that it is of, if it is of one.
        forms: those of a field that can have several.
    """
    words = plain(problem)
    if problem["type"] == "tuple_type":
        words = "Input should be a list"
    elif problem["type"] in ("dict_type", "model_type"):
        values = [get_args(form)[1] for form in forms if get_origin(form) is dict]
        lists = any(get_origin(value) is tuple for value in values)
        whose = f" of names to {'lists' if lists else 'numbers'}" if values else ""
        words = f"Input should be a mapping{whose}"
    return f"{words} in '{inside}' of a mapping" if inside else words


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

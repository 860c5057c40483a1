"""Changes given as ``key=value`` to a room's settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from annotations.errors import InputError, explain, suggest
from annotations.files import parse_yaml

Settings = TypeVar("Settings", bound=BaseModel)


def require_free(changes: Iterable[str], own: Sequence[str]) -> None:
    """Demand that changes to a recipe leave alone what a comparison sets itself.

    Raises:
        InputError: one does not.
    """
    for text in changes:
        if (key := text.partition("=")[0].strip()) in own:
            raise InputError(f"'{text}': the rows and --seeds (SEEDS=) set '{key}' themselves")


def change(kind: type[Settings], changes: list[str], **defaults: object) -> Settings:
    """Build settings from their defaults and changes such as ``epochs=50``; values are YAML.

    Raises:
        InputError: a change is not of that form, or its key or value is not allowed.
    """
    values = dict(defaults)
    for text in changes:
        key, separator, value = text.partition("=")
        if not separator:
            raise InputError(f"'{text}': give a change as key=value, such as epochs=50")
        if key not in kind.model_fields:
            raise InputError(f"'{text}': no setting '{key}'; {suggest(key, kind.model_fields)}")
        values[key] = parse_yaml(value, f"'{text}'")
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InputError(f"setting {explain(error)}") from None

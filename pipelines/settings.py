"""Changes given as ``key=value`` to a room's settings."""

from __future__ import annotations

from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from annotations.errors import InputError, suggest

Settings = TypeVar("Settings", bound=BaseModel)


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
        values[key] = yaml.safe_load(value)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"setting '{key}': {first['msg']}") from None

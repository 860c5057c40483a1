"""What every section of a recipe is made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


def later(off: Any) -> Any:
    """Return a key that came later: written down only where it is on, so that old work goes on."""
    return Field(default=off, exclude_if=lambda value: value == off)


class Section(BaseModel):
    """Keys that are checked: an unknown one is an error, and none changes afterwards.

    No number is infinite, YAML's ``.inf``: no loss would be a number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

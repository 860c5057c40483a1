"""Whether a method has to be told where parts are, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.masks import Masks
from reid.recipe import Recipe

if TYPE_CHECKING:
    from reid.methods.branches import Branches


def located_by(recipe: Recipe) -> Literal["boxes", "masks"]:
    """Return what tells a recipe's network where parts are."""
    by_masks = recipe.method == "span" or recipe.parts.pool == "mask"
    return "masks" if by_masks else "boxes"


def looks_at_parts(recipe: Recipe) -> bool:
    """Return whether the embedding is made of parts.

    They must then be known whenever something is embedded; PRN needs none at test.
    """
    joined = recipe.method == "composed" and recipe.join != "global"
    return bool(recipe.parts.use) and (joined or recipe.method in ("eianet", "span"))


def needs_boxes(recipe: Recipe, branches: Branches) -> bool:
    """Return whether embedding by some branches of the recipe's network takes part boxes."""
    return looks_at_parts(recipe) or branches != "global"


def require_found(recipe: Recipe, found: Boxes | Masks | None, who: str, instead: str = "") -> None:
    """Demand that what was found is what a recipe's method locates parts by.

    Args:
        recipe: whose method.
        found: boxes or masks.
        who: what an error says looks at parts.
        instead: what else it says could be done.

    Raises:
        InputError: nothing was found, or boxes where masks are needed, or the other way round.
    """
    by = located_by(recipe)
    if isinstance(found, Boxes if by == "boxes" else Masks):
        return
    made = {"boxes": "'partreid parts detect'", "masks": "'partreid views find'"}[by]
    other = f"; {found.source} has no {by}" if found is not None else ""
    raise InputError(f"{who} looks at parts: give --{by}, made by {made}{instead}{other}")

"""Whether a method has to be told where parts are, and by what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.masks import Masks
from annotations.vocabulary import Vocabulary, load_vocabulary
from reid.recipe import Recipe

if TYPE_CHECKING:
    from reid.methods.branches import Branches

_NAMED = 4
"""So many parts are named; more are counted."""


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
        InputError: nothing was found, boxes where masks are needed or the other way round, or
            boxes of other parts.
    """
    by = located_by(recipe)
    if isinstance(found, Boxes if by == "boxes" else Masks):
        lacking, known = lacking_parts(recipe, found) if isinstance(found, Boxes) else ([], [])
        if not lacking:
            return
        raise InputError(
            f"{found.source}: is of {_few(known)}, and {who} looks at {_few(lacking)}; give boxes "
            "of its own vocabulary"
        )
    made = {"boxes": "'partreid parts detect'", "masks": "'partreid views find'"}[by]
    other = f"; {found.source} has no {by}" if found is not None else ""
    raise InputError(f"{who} looks at parts: give --{by}, made by {made}{instead}{other}")


def lacking_parts(recipe: Recipe, boxes: Boxes) -> tuple[list[str], list[str]]:
    """Return the parts that a recipe looks at and a boxes table cannot have, and those it has.

    A part that lies on none of the images is not lacking; one that nothing looked for is: a
    network would see zeros for it everywhere, and scores would not tell why.

    Args:
        recipe: whose parts.
        boxes: where its vocabulary is not known, its rows tell at least of another one.
    """
    record = boxes.about.get("vocabulary")
    if isinstance(record, dict):
        known = sorted(Vocabulary.from_record(record).names)
        return [part for part in recipe.parts.use if part not in known], known
    known = sorted(set(boxes.frame["part"]))
    mine = load_vocabulary(recipe.parts.vocabulary).names
    other = known and set(known).isdisjoint(mine)
    return (list(recipe.parts.use) if other else []), known


def _few(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - _NAMED} more" if len(parts) > _NAMED else ""
    return ", ".join(parts[:_NAMED]) + more

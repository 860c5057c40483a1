"""Leaving out the parts of a recipe that the data set's detector hardly finds."""

from __future__ import annotations

from pathlib import Path

from annotations.boxes import Boxes
from annotations.errors import InputError
from detection.card import DetectorCard
from detection.selection import SCORES, read_scores, select_parts
from pipelines.tables import say
from reid.recipe import Recipe, with_parts


def maker_of(boxes: Boxes, detector: Path) -> Path | None:
    """Return a detector's folder if it made the boxes and was tested on what it held out.

    Args:
        boxes: a cache's, which remembers the detector that made it.
        detector: a folder, which need not be there.
    """
    if not all((detector / name).is_file() for name in (DetectorCard.FILE, SCORES)):
        return None
    made = boxes.about.get("detector") == DetectorCard.read(detector).weights
    return detector if made else None


def with_found_parts(recipe: Recipe, detector: Path | None) -> Recipe:
    """Return the recipe with the parts that a detector finds at ``parts.least`` or better.

    What is left out is said, a line each.

    Args:
        recipe: unchanged where it has no parts or ``parts.least`` is 0.
        detector: its folder, with the table of its own test; None where there is none, which is
            said, and all parts are used.

    Raises:
        InputError: the detector has no table, or finds no part well enough.
    """
    least, parts = recipe.parts.least, recipe.parts.use
    if not least or not parts:
        return recipe
    if detector is None:
        say("no detector's table to choose parts by (parts.least): all of the recipe's are used")
        return recipe
    kept, dropped = select_parts(read_scores(detector), parts, least)
    for part, found in dropped.items():
        why = "was not tested" if found is None else f"has AP50 {found:.3f}, below {least:g}"
        say(f"left out: {part} {why} (parts.least)")
    if not kept:
        raise InputError(
            f"{detector}: finds none of {', '.join(parts)} with an AP50 of {least:g}; train it "
            "further, or lower --set parts.least"
        )
    return with_parts(recipe, kept)

"""Training on what people marked: their images, and the parts of these."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.marks import with_marks
from annotations.pairs import Pairs
from detection.card import DetectorCard
from pipelines.jobs.part_boxes import detect_in
from pipelines.tables import say
from reid.data.locate import Found
from reid.methods import located_by
from reid.recipe import Recipe


def with_marked(
    recipe: Recipe,
    images: Images,
    found: Found | None,
    marks: Path,
    root: Path | None,
    detector: Path | None,
    out: Path,
    device: str,
) -> tuple[Images, Found | None]:
    """Add marked images to a data set, and their parts to what was found on it.

    Args:
        recipe: what is to be trained.
        images: the data set.
        found: on it.
        marks: a file of labelled pairs.
        root: the folder that their paths start from; None for the file's.
        detector: finds the parts of added images; None for the one beside ``out``.
        out: the run's folder, beside which the boxes of added images are kept.
        device: ``auto``, ``cpu``, ``cuda``.

    Raises:
        InputError: marks are of no use to this recipe, or see `annotations.marks.with_marks`; or
            another detector found the other boxes.
    """
    if recipe.label != "identity":
        raise InputError(
            f"--marks: say which images show one vehicle, and this recipe learns by "
            f"{recipe.label}; --set label=identity"
        )
    if recipe.parts.use and located_by(recipe) == "masks":
        raise InputError(
            "--marks: this recipe looks through masks of views, which marked images have none of; "
            "train a recipe that looks at boxes, or at no parts"
        )
    made = with_marks(images, Pairs.read(marks), root or marks.parent)
    for note in made.notes:
        say(note)
    if not isinstance(found, Boxes) or not recipe.parts.use or not made.added:
        return made.images, found
    unknown = made.images.frame["image"].isin(made.added) & ~made.images.frame["image"].isin(
        found.frame["image"]
    )
    if not unknown.any():
        return made.images, found
    added = made.images.where(unknown)
    place = detector or out.parent / "detector"
    if detector is None and not (place / DetectorCard.FILE).is_file():
        say(
            f"marks: nothing is known of the parts of {len(added)} added images, which are taken "
            "to show none; give --detector to find them"
        )
        return made.images, found
    known = str(found.about.get("detector", ""))
    if known and known != DetectorCard.read(place).weights:
        raise InputError(
            f"{place}: is not the detector that found {found.source}; give the one that did by "
            "--detector"
        )
    more = detect_in(place, added, out.with_name(f"{out.name}-marks"), device)
    frame = pd.concat([found.frame, more.frame], ignore_index=True)
    return made.images, Boxes(frame, found.about, found.source)

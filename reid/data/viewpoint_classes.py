"""Which viewpoint class an image is of, told by the images table's column ``viewpoint`` (VAL)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from annotations.datasets.veri776 import VIEWPOINTS
from annotations.errors import InputError
from annotations.images import Images
from annotations.viewpoints import place_of, shown_by_word, shown_from
from annotations.vocabulary import load_vocabulary

_NAMES = {
    2: ("front", "rear"),
    4: ("front", "rear", "left", "right"),
    8: tuple(VIEWPOINTS.values()),
}
_VIEWS = "views"
_CORRECT = "correct it, give 2 classes, or name the classes yourself"
_FILL = (
    "label a few hundred images, then fill the rest with 'partreid views learn' and "
    "'partreid views label'"
)


def viewpoint_classes(
    images: Images, classes: int | Mapping[str, Sequence[str]]
) -> tuple[tuple[str, ...], Tensor]:
    """Return the V viewpoint classes (VAL, section 2.2) and the class of each image.

    VAL has 2 classes, front and rear, and in its Table 2 also 4 and 8, and does not say which
    viewpoints are in them. Here, of 2 classes, front is whatever shows the front and rear whatever
    does not, pure sides among them; 4 are front (whatever shows the front), rear (whatever shows
    the rear), and the pure sides left and right; 8 are the orientations of VeRi-776. Or name your
    own:

        {"front": ["front", "front-left", "front-right"], "other": ["rear", "left", "right"]}

    Args:
        images: N images, with viewpoints of the vocabulary ``views``.
        classes: 2, 4 or 8, or for each class of one's own the viewpoints in it.

    Returns:
        names of the classes, and (N,) int64, each image's place in them.

    Raises:
        InputError: there are no such classes; an image has no viewpoint, or one that is unknown or
            of no class; a class has no image. Names table, row and image.
    """
    if not isinstance(classes, int):
        names, taken = tuple(classes), _taken(classes)
    elif classes in _NAMES:
        names, taken = _NAMES[classes], None
    else:
        raise InputError(
            f"{classes} viewpoint classes: give 2, 4 or 8, or name the classes and the viewpoints "
            "in each"
        )
    _require_viewpoints(images)
    place = {}
    for word, shown in shown_by_word(images, load_vocabulary(_VIEWS)).items():
        name = _named(word, shown, names) if taken is None else taken.get(word)
        if name is None:
            raise InputError(
                f"{place_of(images, word)}: viewpoint '{word}' is of none of the viewpoint classes "
                f"{', '.join(names)}; {_CORRECT if taken is None else 'add it to one'}"
            )
        place[word] = names.index(name)
    found = [place[word] for word in images.frame["viewpoint"].astype(str)]
    _require_all(images, names, Counter(names[number] for number in found))
    return names, torch.tensor(found, dtype=torch.int64)


def _taken(classes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the class of each viewpoint that a mapping names."""
    if len(classes) < 2:
        raise InputError(f"{len(classes)} viewpoint classes: give at least two")
    taken: dict[str, str] = {}
    vocabulary = load_vocabulary(_VIEWS)
    for name, words in classes.items():
        if not words:
            raise InputError(f"viewpoint class '{name}' has no viewpoint; name some, or drop it")
        for word in words:
            try:
                shown_from(word, vocabulary)
            except InputError as error:
                raise InputError(f"viewpoint class '{name}': {error}") from None
            if taken.setdefault(word, name) != name:
                raise InputError(
                    f"viewpoint '{word}' is in two classes, '{taken[word]}' and '{name}'; take it "
                    "out of one"
                )
    return taken


def _named(word: str, shown: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the class of a viewpoint among 2, 4 or 8; None where it tells none."""
    if len(names) < 8:
        for end in ("front", "rear"):
            if end in shown:
                return end
    if len(names) == 2:
        return "rear"
    return word if word in names else None


def _require_viewpoints(images: Images) -> None:
    """Demand that every image has a viewpoint."""
    if "viewpoint" not in images.frame:
        raise InputError(
            f"{images.source}: no column 'viewpoint', which tells the classes; {_FILL}"
        )
    empty = images.frame["viewpoint"].isna().to_numpy()
    if empty.any():
        row = int(empty.argmax())
        raise InputError(
            f"{images.source}: row {row + 2} (image '{images.frame['image'].iloc[row]}'): no "
            f"viewpoint, as {empty.sum()} of {len(images)} images; {_FILL}"
        )


def _require_all(images: Images, names: Sequence[str], seen: Mapping[str, int]) -> None:
    """Demand that every class has an image."""
    for name in names:
        if name not in seen:
            there = ", ".join(f"{each} ({seen[each]})" for each in names if each in seen)
            raise InputError(
                f"{images.source}: no image is of the viewpoint class '{name}'; there are {there}; "
                "label images that are, or give other classes"
            )

"""Which viewpoint class an image is of, told by the images table's column ``viewpoint`` (VAL)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from annotations.datasets.veri776 import VIEWPOINTS
from annotations.errors import InputError
from annotations.images import Images
from annotations.viewpoint_words import class_of, mirrored_class
from annotations.viewpoints import place_of, shown_by_word, shown_from
from annotations.vocabulary import Vocabulary, load_vocabulary

_NAMES = {
    2: ("front", "rear"),
    4: ("front", "rear", "left", "right"),
    8: tuple(VIEWPOINTS.values()),
}
_ENDS = ("front", "rear")
_VIEWS = "views"
_CORRECT = "correct it, give 2 classes, or name the classes yourself"
_FILL = (
    "label a few hundred, which 'partreid views sample' draws for you, then fill the rest with "
    "'partreid views learn' and 'partreid views label'"
)


def viewpoint_classes(
    images: Images, classes: int | Mapping[str, Sequence[str]], vocabulary: str = _VIEWS
) -> tuple[tuple[str, ...], Tensor]:
    """Return the V viewpoint classes (VAL, section 2.2) and the class of each image.

    VAL has 2 classes, front and rear, and in its Table 2 also 4 and 8, and does not say which
    viewpoints are in them. Here, of 2 classes, front is whatever shows the front and rear whatever
    does not, pure sides among them; 4 are front (whatever shows the front), rear (whatever shows
    the rear), and the pure sides left and right; 8 are the orientations of VeRi-776. Or name your
    own:

        {"front": ["front", "front-left", "front-right"], "other": ["rear", "left", "right"]}

    Words that mean the same, ``front-side`` and ``side+front``, are of the same class.

    Args:
        images: N images, with viewpoints of the vocabulary.
        classes: 2, 4 or 8, or for each class of one's own the viewpoints in it.
        vocabulary: of views, see `annotations.vocabulary.load_vocabulary`.

    Returns:
        names of the classes, and (N,) int64, each image's place in them.

    Raises:
        InputError: there is no such vocabulary, or there are no such classes in it; an image has no
            viewpoint, or one that is unknown or of no class; a class has no image. Names table,
            row and image.
    """
    known = load_vocabulary(vocabulary)
    names, taken = _chosen(classes, known)
    _require_viewpoints(images)
    place = {}
    for word in shown_by_word(images, known):
        name = _named(class_of(word, known), known, names, taken)
        if name is None:
            raise InputError(
                f"{place_of(images, word)}: viewpoint '{word}' is of none of the viewpoint classes "
                f"{', '.join(names)}; {_CORRECT if taken is None else 'add it to one'}"
            )
        place[word] = names.index(name)
    found = [place[word] for word in images.frame["viewpoint"].astype(str)]
    _require_all(images, names, Counter(names[number] for number in found))
    return names, torch.tensor(found, dtype=torch.int64)


def mirrored_classes(
    images: Images, classes: int | Mapping[str, Sequence[str]], vocabulary: str = _VIEWS
) -> Tensor:
    """Return the class of the mirrored image by that of the image: (V,) int64.

    Args:
        images: as `viewpoint_classes` has accepted them.
        classes: likewise.
        vocabulary: likewise.

    Raises:
        InputError: mirrored images of one class are of several, or of none.
    """
    known = load_vocabulary(vocabulary)
    names, taken = _chosen(classes, known)
    found: dict[str, set[str | None]] = {name: set() for name in names}
    for word in {class_of(word, known) for word in shown_by_word(images, known)}:
        mirrored = _named(mirrored_class(word, known), known, names, taken)
        found[str(_named(word, known, names, taken))].add(mirrored)
    for name, mirrored_names in found.items():
        if len(mirrored_names) != 1 or None in mirrored_names:
            raise InputError(
                f"viewpoint class '{name}': its mirrored images are of several classes, or of "
                "none; set augment.flip=0, or name classes that hold left and right alike"
            )
    return torch.tensor([names.index(str(*found[name])) for name in names])


def _chosen(
    classes: int | Mapping[str, Sequence[str]], vocabulary: Vocabulary
) -> tuple[tuple[str, ...], dict[str, str] | None]:
    """Return the names of classes and, where these are one's own, the class of each viewpoint."""
    if not isinstance(classes, int):
        return tuple(classes), _taken(classes, vocabulary)
    if classes not in _NAMES:
        raise InputError(
            f"{classes} viewpoint classes: give 2, 4 or 8, or name the classes and the viewpoints "
            "in each"
        )
    if not set(_ENDS) <= set(vocabulary.names):
        raise InputError(
            f"{classes} viewpoint classes are told by the views front and rear, which the "
            f"vocabulary '{vocabulary.name}' has not; name the classes and the viewpoints in each"
        )
    return _NAMES[classes], None


def _taken(classes: Mapping[str, Sequence[str]], vocabulary: Vocabulary) -> dict[str, str]:
    """Return the class of each viewpoint that a mapping names, whatever word it names it by."""
    if len(classes) < 2:
        raise InputError(f"{len(classes)} viewpoint classes: give at least two")
    taken: dict[str, str] = {}
    for name, words in classes.items():
        if not words:
            raise InputError(f"viewpoint class '{name}' has no viewpoint; name some, or drop it")
        for word in words:
            try:
                meant = class_of(word, vocabulary)
            except InputError as error:
                raise InputError(
                    f"viewpoint class '{name}': {error} (loss.viewpoint.vocabulary: "
                    f"{vocabulary.name})"
                ) from None
            if taken.setdefault(meant, name) != name:
                raise InputError(
                    f"viewpoint '{word}' is in two classes, '{taken[meant]}' and '{name}'; take "
                    "it out of one"
                )
    return taken


def _named(
    word: str, vocabulary: Vocabulary, names: Sequence[str], taken: Mapping[str, str] | None
) -> str | None:
    """Return the class of what `class_of` made of a word; None where it is of none."""
    if taken is not None:
        return taken.get(word)
    if len(names) < 8:
        shown = shown_from(word, vocabulary)
        for end in _ENDS:
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
        raise InputError(
            f"{images.place(int(empty.argmax()))}: no viewpoint, as {empty.sum()} of "
            f"{len(images)} images; {_FILL}"
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

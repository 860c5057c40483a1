"""Which views of a vehicle an image shows, told by the images table's column ``viewpoint``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from annotations.errors import InputError, suggest
from annotations.images import Images
from annotations.vocabulary import Vocabulary, never_together

JOIN = "+"
"""Between views, where a cell names these instead of a viewpoint: ``front+side``."""


def shown_from(word: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the views that a cell of the column ``viewpoint`` stands for.

    Args:
        word: a viewpoint of the vocabulary, or names of views, joined by ``+``.
        vocabulary: of views.

    Raises:
        InputError: it is neither, or names views that no image shows together.
    """
    known = {viewpoint.name: viewpoint.shows for viewpoint in vocabulary.viewpoints}
    if word in known:
        return known[word]
    views = tuple(dict.fromkeys(view.strip() for view in word.split(JOIN)))
    for view in views:
        if view not in vocabulary.names:
            what = f"viewpoint '{word}'" if view == word else f"viewpoint '{word}': view '{view}'"
            raise InputError(f"{what}: {suggest(view, {*known, *vocabulary.names})}")
    if pair := never_together(views, vocabulary.apart):
        raise InputError(f"viewpoint '{word}': no image shows both {' and '.join(pair)}")
    return views


def place_of(images: Images, word: str) -> str:
    """Say where a viewpoint stands first, for an error: ``images.csv: row 3 (image '1.jpg')``."""
    return images.place(int((images.frame["viewpoint"].astype(str) == word).to_numpy().argmax()))


def shown_by_word(images: Images, vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Return the views that each word in the column ``viewpoint`` stands for.

    Raises:
        InputError: an image has no viewpoint, or one that says nothing of these views.
    """
    images.require("viewpoint", "telling its views")
    shown = {}
    for word in images.frame["viewpoint"].astype(str).unique():
        try:
            shown[word] = shown_from(word, vocabulary)
        except InputError as error:
            raise InputError(f"{place_of(images, word)}: {error}") from None
    return shown


def visible_views(images: Images, vocabulary: Vocabulary) -> npt.NDArray[np.bool_]:
    """Return the semantic label vectors of images (SPAN, section 3.1), bool (N, V).

    Args:
        images: N images.
        vocabulary: of V views.

    Raises:
        InputError: see `shown_by_word`.
    """
    vectors = {
        word: [view in shown for view in vocabulary.names]
        for word, shown in shown_by_word(images, vocabulary).items()
    }
    return np.array([vectors[word] for word in images.frame["viewpoint"].astype(str)], dtype=bool)

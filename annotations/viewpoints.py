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
            raise InputError(f"{what}: {suggest(view, [*known, *vocabulary.names])}")
    if pair := never_together(views, vocabulary.apart):
        raise InputError(f"viewpoint '{word}': no image shows both {' and '.join(pair)}")
    return views


def visible_views(images: Images, vocabulary: Vocabulary) -> npt.NDArray[np.bool_]:
    """Return the semantic label vectors of images (SPAN, section 3.1), bool (N, V).

    Args:
        images: N images.
        vocabulary: of V views.

    Raises:
        InputError: an image has no viewpoint, or one that says nothing of these views.
    """
    images.require("viewpoint", "telling its views")
    words = images.frame["viewpoint"].astype(str)
    vectors: dict[str, list[bool]] = {}
    for word in words.unique():
        try:
            shown = shown_from(word, vocabulary)
        except InputError as error:
            row = int((words == word).to_numpy().argmax())
            image = images.frame["image"].iloc[row]
            raise InputError(f"{images.source}: row {row + 2} (image '{image}'): {error}") from None
        vectors[word] = [view in shown for view in vocabulary.names]
    return np.array([vectors[word] for word in words], dtype=bool)

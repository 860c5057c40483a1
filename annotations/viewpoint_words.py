"""Words of the column ``viewpoint`` as classes that can be learned and told: one word each."""

from __future__ import annotations

from annotations.viewpoints import JOIN, shown_from
from annotations.vocabulary import Vocabulary


def class_of(word: str, vocabulary: Vocabulary) -> str:
    """Return the word that stands for whatever means the same.

    A viewpoint of the vocabulary is its own. Views by name, such as ``side+front``, do not say
    left or right: they are the viewpoint that shows the same and does not either, ``front-side``,
    or where the vocabulary has none, themselves in its order: ``front+side``.

    Raises:
        InputError: see `annotations.viewpoints.shown_from`.
    """
    if any(word == viewpoint.name for viewpoint in vocabulary.viewpoints):
        return word
    return _named(set(shown_from(word, vocabulary)), vocabulary)


def mirrored_class(word: str, vocabulary: Vocabulary) -> str:
    """Return the class that one of `class_of` is in a mirrored image."""
    for viewpoint in vocabulary.viewpoints:
        if word == viewpoint.name:
            return viewpoint.partner
    numbers = [vocabulary.mirrored[vocabulary.index(view)] for view in word.split(JOIN)]
    return _named({vocabulary.names[number] for number in numbers}, vocabulary)


def _named(views: set[str], vocabulary: Vocabulary) -> str:
    for viewpoint in vocabulary.viewpoints:
        if set(viewpoint.shows) == views and viewpoint.partner == viewpoint.name:
            return viewpoint.name
    return JOIN.join(view for view in vocabulary.names if view in views)

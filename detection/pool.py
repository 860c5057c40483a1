"""Several labelled sets, each of parts of its own, as one detector's training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from annotations.errors import InputError
from annotations.labels import LabelledSet
from annotations.vocabulary import Vocabulary
from detection.card import digests

Value = TypeVar("Value")


def pooled_vocabulary(sets: Sequence[LabelledSet]) -> Vocabulary:
    """Return the parts that at least one set looked for, in the vocabulary's order.

    Raises:
        InputError: the sets' vocabularies are not the same.
    """
    first, *others = sets
    for other in others:
        # A vocabulary of the user's own is named by the file that lies with each set.
        if other.vocabulary.parts != first.vocabulary.parts:
            raise InputError(
                f"{other.images.source}: its vocabulary '{other.vocabulary.name}' is not that of "
                f"{first.images.source}, '{first.vocabulary.name}'; import both with mappings to "
                f"one vocabulary"
            )
    every = frozenset[str]().union(*(labels.labelled for labels in sets))
    return first.vocabulary.only([name for name in first.vocabulary.names if name in every])


def hold_out(
    sets: Sequence[LabelledSet], amount: float, seed: int
) -> tuple[list[LabelledSet], list[LabelledSet]]:
    """Divide each set into images to train on and images to test on.

    An image that one set holds out is trained on in no other, be it there under another name.

    Args:
        sets: the sets, all images readable.
        amount: images of each set to hold out: a share below 1, or a number; 0 for none.
        seed: the same seed divides the same sets the same way.

    Raises:
        InputError: nothing would be left on one of the sides.
    """
    if not amount:
        return list(sets), []
    training, held_out = zip(*(each.hold_out(amount, seed) for each in sets), strict=True)
    if len(sets) == 1:
        return list(training), list(held_out)
    kept_out = {code for labels in held_out for code in digests(labels.images).values()}
    return [
        labels.only(n for n, code in digests(labels.images).items() if code not in kept_out)
        for labels in training
    ], list(held_out)


def looked_for(sets: Sequence[LabelledSet]) -> dict[str, tuple[str, ...]]:
    """Return the parts that each of several sets looked for, by its number; of one set nothing."""
    if len(sets) == 1:
        return {}
    return {
        str(number): tuple(name for name in each.vocabulary.names if name in each.labelled)
        for number, each in enumerate(sets, start=1)
    }


def by_image(values: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """Put what is known of each set's images into one dictionary.

    Sets may share image names, so that of several sets the image's name comes after the set's
    number: ``2/plate_0001.jpg``.
    """
    if len(values) == 1:
        return dict(values[0])
    return {
        f"{number}/{name}": value
        for number, of_set in enumerate(values, start=1)
        for name, value in of_set.items()
    }

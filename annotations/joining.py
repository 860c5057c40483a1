"""Joining vocabularies: the parts of several as one."""

from __future__ import annotations

from collections.abc import Mapping

from annotations.errors import InputError
from annotations.vocabulary import Part, Viewpoint, Vocabulary


def join_vocabularies(vocabularies: Mapping[str, Vocabulary]) -> Vocabulary:
    """Return the one vocabulary of several sets, or the union of theirs.

    Parts come in the order of the first, then those that only a later one has. A part's colour
    is that of the first which has it. The union is called by the names joined with ``+``.

    Args:
        vocabularies: one or more, by what the set is called whose it is.

    Raises:
        InputError: a part has another left-right partner or another count in two of them, or a
            viewpoint shows other parts: the same name would mean two things.
    """
    called, first = next(iter(vocabularies.items()))
    if all(_content(each) == _content(first) for each in vocabularies.values()):
        return first
    parts: dict[str, tuple[Part, str]] = {}
    views: dict[str, tuple[Viewpoint, str]] = {}
    for called, each in vocabularies.items():
        for part in each.parts:
            known, whose = parts.setdefault(part.name, (part, called))
            _require_same("partner", f"part '{part.name}'", known, part, whose, called)
            _require_same("count", f"part '{part.name}'", known, part, whose, called)
        for view in each.viewpoints:
            seen, whose = views.setdefault(view.name, (view, called))
            for what in ("shows", "partner"):
                _require_same(what, f"viewpoint '{view.name}'", seen, view, whose, called)
    names = dict.fromkeys(each.name for each in vocabularies.values())
    apart = dict.fromkeys(pair for each in vocabularies.values() for pair in each.apart)
    return Vocabulary(
        "+".join(names),
        tuple(part for part, _ in parts.values()),
        tuple(apart),
        tuple(view for view, _ in views.values()),
    )


def _content(vocabulary: Vocabulary) -> tuple[object, ...]:
    # A vocabulary of the user's own is named by the file that lies with each set.
    return vocabulary.parts, vocabulary.apart, vocabulary.viewpoints


def _require_same(
    what: str, name: str, one: Part | Viewpoint, other: Part | Viewpoint, whose: str, called: str
) -> None:
    mine, theirs = getattr(one, what), getattr(other, what)
    if mine != theirs:
        raise InputError(
            f"{name} has {what} {mine} in the vocabulary of {whose} and {theirs} in that of "
            f"{called}; import one of them with a mapping to the other's vocabulary, or name the "
            f"vocabulary to use"
        )

"""The one exception that a person's input can cause."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # help must not wait for pydantic
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


class InputError(ValueError):
    """Something given by a person is wrong.

    The message names the file, row or key and says what to do. The command line prints
    it without a traceback and exits with status 2.
    """


def explain(error: ValidationError) -> str:
    """Return the first problem that pydantic found, as ``place: what is wrong``."""
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"]) or "the file"
    return f"{place}: {plain(first)}"


def plain(problem: ErrorDetails) -> str:
    """Return what pydantic says is wrong, without its words for what raised it."""
    return problem["msg"].removeprefix("Value error, ")


def suggest(wrong: str, known: Iterable[str]) -> str:
    """Say which known word is nearest to ``wrong``, and which words there are.

    Returns a sentence such as ``"did you mean 'window'? known: brand, light, window"``.
    """
    words = sorted(known)
    near = difflib.get_close_matches(wrong, words, n=1)
    guess = f"did you mean '{near[0]}'? " if near else ""
    return f"{guess}known: {', '.join(words)}"


def choose(names: str, known: Sequence[str], what: str) -> list[str]:
    """Return the names in a comma-separated list, in the order of ``known``.

    Args:
        names: the list.
        known: the names that there are.
        what: what they are names of, such as ``row``, for the error.

    Raises:
        InputError: a name is not known.
    """
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in known:
            raise InputError(f"no {what} '{name}'; {suggest(name, known)}")
    return [name for name in known if name in wanted]

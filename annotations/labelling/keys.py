"""A key for every part."""

from __future__ import annotations

import string

import numpy as np

from annotations.vocabulary import Vocabulary

KEYS = string.ascii_lowercase + "123456789"
"""Keys of parts; commands have none of them."""
_FIRST, _INITIAL, _INSIDE, _DIGIT, _OTHER = -1, 0, 1, 20, 40


def part_keys(vocabulary: Vocabulary) -> dict[str, str]:
    """Give each part a key that a person can guess.

    Over all parts together, as many as can be have the initial of their name, or of another of
    its words, then another letter of it, the earlier the better, then a digit. Parts beyond the
    number of `KEYS` have none.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import

    names = vocabulary.names
    cost = np.array([[_cost(name.lower(), key) for key in KEYS] for name in names])
    places = zip(*linear_sum_assignment(cost), strict=True)
    return {names[part]: KEYS[key] for part, key in places}


def _cost(name: str, key: str) -> int:
    if name.startswith(key):
        return _FIRST
    if any(word.startswith(key) for word in name.split()):
        return _INITIAL
    if key in name:
        return _INSIDE + name.index(key)
    return _DIGIT if key.isdigit() else _OTHER

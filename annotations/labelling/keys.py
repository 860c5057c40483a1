"""A key for every part."""

from __future__ import annotations

import string

import numpy as np
from scipy.optimize import linear_sum_assignment

from annotations.vocabulary import Vocabulary

KEYS = string.ascii_lowercase + "123456789"
"""Keys of parts; commands have none of them."""
_INITIAL, _INSIDE, _DIGIT, _OTHER = 0, 1, 20, 40


def part_keys(vocabulary: Vocabulary) -> dict[str, str]:
    """Give each part a key that a person can guess.

    Over all parts together, as many as can be have the initial of one of their words, then
    another letter of their name, the earlier the better, then a digit. A part beyond the number of
    `KEYS` has none.
    """
    names = vocabulary.names
    cost = np.array([[_cost(name.lower(), key) for key in KEYS] for name in names])
    places = zip(*linear_sum_assignment(cost), strict=True)
    return {names[part]: KEYS[key] for part, key in places}


def _cost(name: str, key: str) -> int:
    if any(word.startswith(key) for word in name.split()):
        return _INITIAL + name.split()[0].startswith(key) * -1
    if key in name:
        return _INSIDE + name.index(key)
    return _DIGIT if key.isdigit() else _OTHER

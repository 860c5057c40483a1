from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.labelling.spread import few_in_a_row, turn

GROUPS = st.lists(st.integers(-1, 3), max_size=40)


@settings(max_examples=30)
@given(GROUPS, st.randoms(use_true_random=False))
def test_turns_agree_with_counting(groups, random):
    value = [random.randrange(4) for _ in groups]
    chance = random.sample(range(len(groups)), len(groups))
    before = [random.randrange(3) for _ in range(4)]
    found = turn(*(np.array(given, int) for given in (groups, value, chance, before)))
    place = [(-value[n], chance[n]) for n in range(len(groups))]
    expected = [
        0
        if group < 0
        else before[group]
        + sum(groups[n] == group and place[n] < place[item] for n in range(len(groups)))
        for item, group in enumerate(groups)
    ]
    assert list(found) == expected


def _slow(groups: list[int]) -> list[int]:
    """At every step the best item that is not the third of its group in a row, if there is one."""
    left, found = list(range(len(groups))), []
    while left:
        last = {groups[item] for item in found[-2:]}
        full = last.pop() if len(found) > 1 and len(last) == 1 else -1
        good = [item for item in left if full < 0 or groups[item] != full] or left
        found.append(good[0])
        left.remove(good[0])
    return found


@settings(max_examples=60)
@given(GROUPS)
def test_no_third_in_a_row_agrees_with_looking_through_all(groups):
    assert list(few_in_a_row(range(len(groups)), np.array(groups, int))) == _slow(groups)

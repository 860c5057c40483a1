"""Reading in threads: every item once, in order, and never further ahead than asked."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.reading import TURN, in_batches


@given(st.integers(0, 70), st.integers(1, 40), st.integers(1, 5), st.booleans())
def test_batches_are_the_items_in_order(count, size, workers, ahead):
    items = list(range(count))
    made = list(in_batches(lambda item: -item, items, size, workers=workers, ahead=ahead))
    assert made == [[-item for item in items[at : at + size]] for at in range(0, count, size)]


@pytest.mark.parametrize("ahead", [True, False])
def test_no_more_is_made_than_asked(ahead):
    started = []
    made = in_batches(lambda item: started.append(item) or item, range(300), 10, ahead=ahead)
    for taken in range(1, 12):
        next(made)
        turns = -(-taken // TURN) * TURN
        assert len(started) <= 10 * (taken + 1 if ahead else turns)
    made.close()


def test_the_next_batch_is_made_while_this_one_is_used():
    second = threading.Event()
    made = in_batches(lambda item: item == 10 and second.set(), range(30), 10, workers=1)
    next(made)
    assert second.wait(5)
    made.close()


def test_an_error_reaches_the_caller_and_the_rest_is_dropped():
    started = []

    def make(item):
        started.append(item)
        if item == 3:
            raise ValueError("item 3")
        return item

    with pytest.raises(ValueError, match="item 3"):
        list(in_batches(make, range(1000), 10, workers=2))
    assert len(started) <= 20

from __future__ import annotations

import math

import pandas as pd
import pytest

from detection.enough import CLEAR, LOW, WORTH, answers

COLUMNS = ["part", "size", "images", "boxes", "before_size", "before", "AP50",
           "gain", "low", "high"]  # fmt: skip


def drawn(part="window", images=200, boxes=40, before=0.95, ap=0.96, gain=0.01, low=-0.01,
          high=0.03):  # fmt: skip
    return (part, 320, images, boxes, 200, before, ap, gain, low, high)


@pytest.mark.parametrize(
    ("row", "verdict", "answer"),
    [
        (drawn(), "flat", "window: flat (0.95 to 0.96 from 200 to 320): enough"),
        (
            drawn("brand", images=41, before=0.5, ap=0.56, gain=0.06, low=0.01, high=0.12),
            "rising",
            "brand: still rising (+0.06 by the last doubling): label more images that show it "
            "(it is in 41 of 320)",
        ),
        (
            drawn("logo", images=9, boxes=5, before=0.6, ap=0.7, gain=0.1, low=-0.2, high=0.4),
            "unsure",
            "logo: cannot be told (+0.10 by the last doubling, 95 % interval -0.20 to +0.40, by 5 "
            "held-out boxes): hold out more, or label more that show it (it is in 9 of 320)",
        ),
        (
            drawn("hungs", before=0.21, ap=0.22),
            "flat",
            "hungs: flat, but low (0.21 to 0.22 from 200 to 320): more of the same would change "
            "little; check how it is drawn, or train larger or longer (it is in 200 of 320)",
        ),
        (
            drawn("layon", images=0, ap=0.0, before=0.0, gain=0.0, low=0.0, high=0.0),
            "unseen",
            "layon: never seen (in none of 320): label images that show it",
        ),
        (
            drawn("plate", images=3, boxes=0, ap=math.nan, before=math.nan, gain=math.nan),
            "untested",
            "plate: not tested (no held-out image shows it): label images that show it (it is in 3 "
            "of 320)",
        ),
    ],
)
def test_the_answer_in_words(row, verdict, answer):
    table = answers(pd.DataFrame([row, drawn("all")], columns=COLUMNS))
    assert table[["part", "verdict", "answer"]].values.tolist() == [[row[0], verdict, answer]]


@pytest.mark.parametrize(
    ("gain", "low", "high", "verdict"),
    [
        (WORTH, 0.001, 0.9, "rising"),
        (WORTH, 0.0, 0.9, "unsure"),
        (WORTH - 0.001, 0.001, CLEAR, "flat"),
        (WORTH - 0.001, 0.001, CLEAR + 0.001, "unsure"),
        (-0.1, -0.2, -0.05, "flat"),
    ],
)
def test_the_rule_at_its_edges(gain, low, high, verdict):
    row = drawn(gain=gain, low=low, high=high, ap=LOW)
    assert answers(pd.DataFrame([row], columns=COLUMNS))["verdict"].tolist() == [verdict]

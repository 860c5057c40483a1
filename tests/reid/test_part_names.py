import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from reid.explain.names import PLACES, place_names
from reid.explain.shown import marks_shown
from reid.verification.part_evidence import PartEvidence

LINE, LETTER, AROUND = 14, 6, 8
"""Pixels that a name takes in a browser: of 10 pixels' height, with 4 at either side."""


def drawn(place, name, box, width, height):
    """The pixels that a name covers in a picture of a size, as the page's style sheet has it."""
    x1, y1, x2, y2 = (
        part * side / 100 for part, side in zip(box, (width, height) * 2, strict=True)
    )
    wide = LETTER * len(name) + AROUND
    left = x1 if place.endswith("left") else x2 - wide
    top = {"above": y1 - LINE, "below": y2, "within": y1}[place.split()[0]]
    return left, top, left + wide, top + LINE


corners = st.tuples(*[st.floats(0, 90)] * 2, *[st.floats(1, 99)] * 2).map(
    lambda box: (box[0], box[1], min(box[0] + box[2], 100), min(box[1] + box[3], 100))
)


@given(
    st.lists(st.tuples(st.sampled_from(["light", "bra", "window", "rear_bumper"]), corners)),
    st.sampled_from([(40, 80), (64, 64), (300, 100)]),
    st.floats(1, 6),
)
def test_no_name_covers_another_or_leaves_its_picture(parts, size, scale):
    names, boxes = [name for name, _ in parts], [box for _, box in parts]
    # A frame of 130 by 104 pixels on the narrowest page, and larger on others.
    fits = scale * min(130 / size[0], 104 / size[1])
    width, height = size[0] * fits, size[1] * fits
    places = place_names(names, boxes, size)
    assert set(places) <= {*PLACES, ""}
    covered = [drawn(place, name, box, width, height)
               for place, name, box in zip(places, names, boxes, strict=True) if place]  # fmt: skip
    for number, (x1, y1, x2, y2) in enumerate(covered):
        assert x1 >= -1e-6 and y1 >= -1e-6 and x2 <= width + 1e-6 and y2 <= height + 1e-6
        for a1, b1, a2, b2 in covered[:number]:
            assert x1 >= a2 + 1 or a1 >= x2 + 1 or y1 >= b2 + 1 or b1 >= y2 + 1


def test_neighbouring_parts_have_names_of_their_own():
    """Two lights' names, side by side, would cover each other above their boxes."""
    parts = ("light", "brand", "plate")
    corners = [(0.30, 0.5, 0.50, 0.7), (0.42, 0.5, 0.62, 0.7), (0.8, 0.0, 1.0, 0.1)]
    rows = [(part, *box) for part, box in zip(parts, corners, strict=True)]
    frame = pd.DataFrame(rows, columns=["part", "x1", "y1", "x2", "y2"])
    seen = np.ones((1, 3, 2), bool)
    apart, says = np.array([[0.1, 0.2, 0.3]]), np.full((1, 3), np.nan)
    marks = marks_shown(frame, PartEvidence(parts, apart, says, seen, None), 0, (160, 120))
    places = {mark.part: mark.label for mark in marks}
    assert places == {"light": "above left", "brand": "below left", "plate": "below right"}
    alone = np.array([[np.nan, 0.2, 0.3]])
    marks = marks_shown(frame, PartEvidence(parts, alone, says, seen, None), 0, (160, 120))
    assert {mark.part: mark.label for mark in marks}["light"] == ""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.boxes import CORNERS, Boxes
from annotations.images import Images
from annotations.labelling.usual import COLUMNS, usual_boxes
from annotations.labels import label_rows
from annotations.vocabulary import load_vocabulary

PRN = load_vocabulary("prn")
NAMES = [f"{number}.jpg" for number in range(6)]


def _images(identities: list[str | None]) -> Images:
    return Images(pd.DataFrame({"image": NAMES, "identity": identities}), Path())


def _instance(part: str, x: float, all_x: list[float]) -> str | None:
    """Which side a light that begins at ``x`` is, of those in its image; None for neither."""
    if part != "light":
        return ""
    if len(all_x) == 1:
        return "left" if x + 0.05 < 0.5 else "right"
    return {min(all_x): "left", max(all_x): "right"}.get(x)


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(["a", "b", None]), min_size=6, max_size=6),
    st.lists(st.integers(0, 89), max_size=20, unique=True),
    st.sampled_from(NAMES),
    st.randoms(use_true_random=False),
)
def test_the_mean_of_every_instance_agrees_with_a_plain_loop(identities, places, but, random):
    rows = []
    for place in places:
        image, part = random.choice(NAMES), random.choice(PRN.names)
        if part != "light" and (image, part) in [row[:2] for row in rows]:
            continue  # labels all score 1: between two neither is the better
        rows.append((image, part, place / 100, place / 200, place / 100 + 0.1, 0.9))
    found = usual_boxes(Boxes(label_rows(rows)), _images(identities), PRN, "a", but)
    assert list(found.columns) == COLUMNS

    means: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for image, part, *corners in rows:
        if dict(zip(NAMES, identities, strict=True))[image] != "a" or image == but:
            continue
        all_x = [row[2] for row in rows if row[:2] == (image, part)]
        side = _instance(part, corners[0], all_x)
        if side is not None:
            means.setdefault((part, side), []).append(tuple(corners))
    order = sorted(means, key=lambda key: (PRN.names.index(key[0]), key[1]))
    assert list(zip(found["part"], found["side"], strict=True)) == order
    assert list(found["images"]) == [len(means[key]) for key in order]
    if order:
        expected = [np.mean(means[key], axis=0) for key in order]
        np.testing.assert_allclose(found[CORNERS].to_numpy(), expected)


@pytest.mark.parametrize("identity", ["a", "nobody"])
def test_a_vehicle_with_no_other_labelled_image_has_no_usual_box(identity):
    labels = Boxes(label_rows([("0.jpg", "light", 0.1, 0.1, 0.2, 0.2)]))
    found = usual_boxes(labels, _images(["a", "a", "b", "b", None, None]), PRN, identity, "0.jpg")
    assert found.empty
    assert list(found.columns) == COLUMNS

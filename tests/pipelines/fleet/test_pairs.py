import itertools

import numpy as np
import pandas as pd
import pytest

from pipelines.fleet.pairs import DIFFICULTIES, LEVELS, make_pairs


@pytest.fixture(scope="module")
def frame():
    """A market of 2 kinds, 3 makes, 2 models each and 2 years, two images of each vehicle."""
    rows = []
    for kind, make, model, year in itertools.product(("suv", "van"), "ABC", (1, 2), (2010, 2012)):
        for colour, number in itertools.product(("red", "white"), range(3)):
            identity = f"{kind}{make}{model}{year}{colour}{number}"
            rows += [
                {"image": f"{identity}-{view}.jpg", "identity": identity, "kind": kind,
                 "make": make, "model": f"{kind} {make} {model}", "year": year,
                 "colour": colour, "viewpoint": view}
                for view in ("front", "rear")
            ]  # fmt: skip
    return pd.DataFrame(rows)


def test_each_level_and_difficulty_is_what_it_says(frame):
    pairs = make_pairs(frame, 100, 3)
    assert set(pairs) == {f"{level}-{hard}" for level in LEVELS for hard in DIFFICULTIES}
    images = frame.set_index("image")
    for name, table in pairs.items():
        level, difficulty = name.split("-")
        assert table["same"].sum() * 2 == len(table) == 100
        assert not table.duplicated(["first", "second"]).any()
        for row in table.itertuples():
            a, b = images.loc[row.first], images.loc[row.second]
            matches = a["model"] == b["model"] and (level == "model" or a["year"] == b["year"])
            assert row.same == int(matches)
            assert a["identity"] != b["identity"]
            if row.same:
                if difficulty != "medium":
                    assert (a["viewpoint"] == b["viewpoint"]) == (difficulty == "easy")
            elif name == "model-easy":
                assert a["kind"] != b["kind"]
            elif name == "model-medium":
                assert a["kind"] == b["kind"]
            elif name == "model-hard":
                assert (a["kind"], a["colour"]) == (b["kind"], b["colour"])
            elif name == "year-easy":
                assert a["make"] != b["make"]
            elif name == "year-medium":
                assert a["make"] == b["make"]
                assert a["model"] != b["model"]
            else:
                assert a["model"] == b["model"]
                assert a["year"] != b["year"]


def test_the_same_seed_draws_the_same_pairs(frame):
    first, again, other = (make_pairs(frame, 60, seed) for seed in (1, 1, 2))
    for name in first:
        pd.testing.assert_frame_equal(first[name], again[name])
    assert not np.array_equal(first["year-hard"]["first"], other["year-hard"]["first"])


def test_a_fleet_of_one_year_has_no_hard_years(frame):
    pairs = make_pairs(frame[frame["year"] == 2010], 40, 0)
    assert "year-hard" not in pairs
    assert "model-hard" in pairs

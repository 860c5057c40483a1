import numpy as np
import pytest

from annotations.vocabulary import load_vocabulary
from pipelines.fleet.camera.views import SAMPLES
from pipelines.fleet.truth import LEAST, eia_table, mask_of, measure, prn_table
from pipelines.fleet.vehicle.things import NUMBER, THINGS, VIEWS, eia_boxes, tight_boxes


@pytest.fixture
def picture():
    """Some things in rectangles on samples: outer, inner, and how much of each faces the camera."""
    outer, inner = np.zeros((2, 40, 60), np.uint8)
    places = {
        "windscreen": (4, 16, 10, 50), "inspection 0": (6, 9, 12, 18),
        "left headlight": (22, 26, 40, 52),
        "right headlight": (22, 27, 8, 18), "front": (20, 36, 6, 54), "left side": (4, 36, 54, 58),
    }  # fmt: skip
    for name in (
        "front",
        "windscreen",
        "inspection 0",
        "left headlight",
        "right headlight",
        "left side",
    ):
        top, bottom, left, right = places[name]
        outer[top:bottom, left:right] = NUMBER[name]
    inner[10:14, 20:30] = NUMBER["paper box"]
    whole = np.bincount(outer.ravel(), minlength=len(THINGS))
    whole += np.bincount(inner.ravel(), minlength=len(THINGS))
    whole[NUMBER["paper box"]] *= 2
    return outer, inner, whole


def slow_box(outer, inner, whole, members):
    """Return a box and its share, found sample by sample."""
    height, width = outer.shape
    inside = [
        (x, y) for y in range(height) for x in range(width)
        if outer[y, x] in members or inner[y, x] in members
    ]  # fmt: skip
    core = [m for m in members if not THINGS[m].flank]
    if sum(outer[y, x] in core or inner[y, x] in core for x, y in inside) < LEAST:
        return None
    x, y = zip(*inside, strict=True)
    share = len(inside) / sum(int(whole[thing]) for thing in members)
    return (min(x) / width, min(y) / height, (max(x) + 1) / width, (max(y) + 1) / height, share)


def test_boxes_are_those_that_a_plain_loop_finds(picture):
    truth = measure(*picture)
    expected = [
        (part, *found) for part, members in eia_boxes() if (found := slow_box(*picture, members))
    ]
    assert [row[0] for row in truth.eia] == [row[0] for row in expected]
    assert np.allclose([row[1:] for row in truth.eia], [row[1:] for row in expected], atol=1e-4)
    shares = {row[0]: row[-1] for row in truth.eia}
    assert shares["paper box"] == 0.5
    assert shares["anu sign"] == 1.0
    # A sticker does not take its place away from the glass that it is on.
    glass = next(row for row in truth.eia if row[0] == "wind glass")
    assert glass[1:5] == (10 / 60, 4 / 40, 50 / 60, 16 / 40)
    assert truth.bottom == 36 / 40


def test_prn_boxes_follow_its_definitions(picture):
    table = prn_table([("a.jpg", measure(*picture))])
    lights = table[table["part"] == "light"]
    assert (lights["y2"] == 36 / 40).all()
    brand = table[table["part"] == "brand"].iloc[0]
    assert (brand["x1"], brand["x2"], brand["y1"]) == (18 / 60, 40 / 60, 22 / 40)
    assert table["visible"].between(0, 1).all()
    assert set(table["part"]) == {"window", "light", "brand"}


def test_a_mask_names_the_view_of_a_pixel(picture):
    outer = picture[0]
    mask = mask_of(outer)
    assert mask.shape == (20, 30)
    for row in range(20):
        for column in range(30):
            cell = outer[
                SAMPLES * row : SAMPLES * (row + 1), SAMPLES * column : SAMPLES * (column + 1)
            ]
            views = [VIEWS.index(THINGS[thing].view) + 1 for thing in cell.ravel() if thing]
            assert mask[row, column] == (min(views) if len(views) >= 2 else 0)


def test_every_part_of_both_vocabularies_is_made_of_things():
    assert {part for part, _ in eia_boxes()} == set(load_vocabulary("eia").names)
    assert {part for part, _, _ in tight_boxes()} | {"brand"} == set(load_vocabulary("prn").names)
    parts = [part for part, _ in eia_boxes()]
    times = {"back mirror": 2, "car light": 4, "wheel": 6, "anu sign": 4, "plate": 2, "frontal": 1}
    assert {part: parts.count(part) for part in times} == times


def test_nothing_visible_is_no_box():
    empty = np.zeros((8, 8), np.uint8)
    truth = measure(empty, empty, np.zeros(len(THINGS), np.int64))
    assert truth.eia == []
    assert truth.tight == []
    assert eia_table([("a.jpg", truth)]).empty
    assert prn_table([("a.jpg", truth)]).empty

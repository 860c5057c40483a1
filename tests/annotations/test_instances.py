from __future__ import annotations

from annotations.instances import LEFT, RIGHT, WHOLE, instances, two_sided
from annotations.labels import label_rows
from annotations.vocabulary import Part, Vocabulary, load_vocabulary

EIA = load_vocabulary("eia")


def told(rows: list[tuple[str, str, float, float]]) -> set[tuple[str, str, str, float]]:
    """Return (image, part, side, x1) of instances of (image, part, x1, score)."""
    frame = label_rows((image, part, x, 0.1, x + 0.1, 0.2) for image, part, x, _ in rows)
    found = instances(frame.assign(score=[score for *_, score in rows]), EIA)
    return set(found[["image", "part", "side", "x1"]].itertuples(index=False, name=None))


def test_the_outermost_of_several_are_left_and_right():
    rows = [("a", "wheel", x, 1.0) for x in (0.4, 0.1, 0.3)]
    assert told(rows) == {("a", "wheel", LEFT, 0.1), ("a", "wheel", RIGHT, 0.4)}


def test_one_alone_is_told_by_its_half_of_the_image():
    rows = [("a", "wheel", 0.44, 1.0), ("b", "wheel", 0.45, 1.0), ("b", "car light", 0.9, 0.1)]
    assert told(rows) == {
        ("a", "wheel", LEFT, 0.44),
        ("b", "wheel", RIGHT, 0.45),
        ("b", "car light", RIGHT, 0.9),
    }


def test_of_a_part_in_the_middle_the_best_scoring_stands():
    rows = [("a", "plate", 0.1, 0.3), ("a", "plate", 0.8, 0.9)]
    assert told(rows) == {("a", "plate", WHOLE, 0.8)}


def test_no_box_no_instance():
    empty = instances(label_rows([]), EIA)
    assert empty.empty
    assert "side" in empty


def test_sides_named_apart_are_no_two_sides():
    apart = Vocabulary(
        "own",
        (
            Part(name="left door", colour="#000000", partner="right door"),
            Part(name="right door", colour="#000000", partner="left door"),
            Part(name="wheel", colour="#000000", partner="wheel"),
        ),
    )
    assert two_sided(apart) == ["wheel"]
    found = instances(label_rows([("a", "right door", 0.1, 0.1, 0.2, 0.2)]), apart)
    assert list(found["side"]) == [WHOLE]

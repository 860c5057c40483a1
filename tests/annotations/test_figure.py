from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from annotations.errors import InputError
from annotations.figure import Figure, figure_of
from annotations.geometry import prn_parts
from annotations.vocabulary import Vocabulary, load_vocabulary, vocabulary_file

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = ("prn", "eia")


def _figure(vocabulary: Vocabulary) -> Figure:
    figure = figure_of(vocabulary)
    assert figure is not None
    return figure


def _boxes(
    element: ElementTree.Element, shift: tuple[float, float] = (0, 0), scale: complex = 1 + 1j
) -> list[tuple[str, float, float, float, float]]:
    """List a group's boxes on the whole drawing: class, and corners; scale is of x and y."""
    dx, dy = shift
    sx, sy = scale.real, scale.imag
    for kind, numbers in re.findall(r"(\w+)\(([^)]*)\)", element.get("transform", "")):
        one, *other = map(float, numbers.split())
        second = other[0] if other else one
        if kind == "translate":
            dx, dy = dx + sx * one, dy + sy * second
        else:
            assert kind == "scale"
            sx, sy = sx * one, sy * second
    found = []
    if element.tag == SVG + "rect" and "part-box" in element.get("class", "").split():
        x, y, width, height = (float(element.attrib[k]) for k in ("x", "y", "width", "height"))
        left, right = sorted((dx + sx * x, dx + sx * (x + width)))
        found = [(element.attrib["class"], left, dy + sy * y, right, dy + sy * (y + height))]
    return found + [box for child in element for box in _boxes(child, (dx, dy), complex(sx, sy))]


@pytest.mark.parametrize("name", DRAWN)
def test_every_part_is_drawn_and_explained(name: str) -> None:
    vocabulary = load_vocabulary(name)
    figure = _figure(vocabulary)
    root = ElementTree.fromstring(figure.svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert tuple(figure.meanings) == vocabulary.names
    groups = {group.get("data-part"): group for group in root.iter(SVG + "g")}
    for part in vocabulary.parts:
        group = groups[part.name]
        assert figure.meanings[part.name] == group.findtext(SVG + "title")
        assert figure.meanings[part.name].endswith(".")
        assert re.search(r"\b([Nn]o box|there is none)\b", figure.meanings[part.name])
        boxes = _boxes(group)
        assert boxes
        for _, x1, y1, x2, y2 in boxes:
            assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height


@pytest.mark.parametrize("name", DRAWN)
def test_colours_are_the_vocabularys(name: str) -> None:
    vocabulary = load_vocabulary(name)
    root = ElementTree.fromstring(_figure(vocabulary).svg)
    for group in root.iterfind(f".//{SVG}g[@data-part]"):
        colour = vocabulary[group.attrib["data-part"]].colour
        assert group.attrib["style"].startswith(f"--part-colour:{colour};")


@pytest.mark.parametrize("name", DRAWN)
def test_figure_is_small_and_in_nobodys_way(name: str) -> None:
    path = vocabulary_file(name).with_suffix(".svg")
    assert path.stat().st_size < 25_000
    root = ElementTree.parse(path).getroot()
    # Several figures may be on one page: names would clash, and rules would leave the figure.
    assert not root.findall(".//*[@id]")
    rules = (root.findtext(SVG + "style") or "").strip().splitlines()
    assert rules and all(
        selector.startswith(".part-figure ")
        for rule in rules
        for selector in rule.partition("{")[0].split(",")
    )


def test_prn_boxes_are_those_of_its_geometry() -> None:
    root = ElementTree.fromstring(_figure(load_vocabulary("prn")).svg)
    groups = {group.get("data-part"): group for group in root.iter(SVG + "g")}
    light, brand = _boxes(groups["light"]), sorted(box[1:] for box in _boxes(groups["brand"]))
    tight = sorted((y1, x1, x2, y2) for kind, x1, y1, x2, y2 in light if kind == "part-box")
    extended = sorted(box[1:] for box in light if "derived" in box[0])
    rows = [
        {"image": end, "part": "light", "end": end, "x1": x1, "y1": y1, "x2": x2, "y2": y2}
        for end, (y1, x1, x2, y2) in zip(["front", "front", "back", "back"], tight, strict=True)
    ]
    bottom = pd.Series({"front": 6 + 0.79 * 258, "back": 228 + 0.84 * 217})  # of the tyres
    made = prn_parts(pd.DataFrame(rows), bottom)
    for part, drawn in (("light", extended), ("brand", brand)):
        boxes = made.loc[made["part"] == part, ["x1", "y1", "x2", "y2"]]
        for one, other in zip(sorted(boxes.itertuples(index=False)), drawn, strict=True):
            assert tuple(one) == pytest.approx(other)


def test_views_have_no_figure() -> None:
    assert figure_of(load_vocabulary("views")) is None


def test_some_parts_of_a_vocabulary_have_some_meanings() -> None:
    whole = load_vocabulary("eia")
    some = _figure(whole.only(["wheel", "logo"])).meanings
    assert some == {name: _figure(whole).meanings[name] for name in ("wheel", "logo")}
    assert list(some) == ["wheel", "logo"]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(
        "parts: [{name: door & hinge, colour: '#010203'}, {name: b, colour: '#000000'}]"
    )
    return path


def test_own_vocabulary_brings_its_figure(own: Path) -> None:
    assert figure_of(load_vocabulary(str(own))) is None
    own.with_suffix(".svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><g data-part="b"><rect/></g>'
        '<g data-part="unknown"><title>Not ours.</title></g>'
        '<g><g data-part="door &amp; hinge" style="opacity:.5">'
        "<title>\n  The door &lt; its\n  hinge.\n</title></g></g>"
        '<g data-part="door &amp; hinge"><title>Another.</title></g></svg>'
    )
    figure = _figure(load_vocabulary(str(own)))
    assert figure.meanings == {"door & hinge": "The door < its hinge."}
    styles = {
        group.get("data-part"): group.get("style")
        for group in reversed(list(ElementTree.fromstring(figure.svg).iter(SVG + "g")))
    }
    assert styles["door & hinge"] == "--part-colour:#010203;opacity:.5"
    assert styles["b"] == "--part-colour:#000000;"
    assert styles["unknown"] is None


def test_hostile_figure_is_refused_by_name(own: Path) -> None:
    own.with_suffix(".svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    )
    with pytest.raises(InputError, match=r"my\.svg: <script>"):
        figure_of(load_vocabulary(str(own)))

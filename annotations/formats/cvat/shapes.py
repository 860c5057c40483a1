"""One shape of CVAT's XML: the box around it, and who drew it."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from annotations.boxes import DETECTOR, LABEL, SOURCES
from annotations.errors import InputError
from annotations.formats.foreign import Corners, number, share
from annotations.formats.shapes import Point, around, around_turned

SHAPES = ("box", "polygon", "mask")
CARRIED = ("score", "source")
"""Attributes by which a box's own score and source pass through CVAT."""

Group = tuple[str, str, str]
"""What shapes share that are one annotation."""

_BY_A_PERSON = ("manual", "semi-auto")


def group_of(shape: Element, place: int) -> Group:
    """Return what the shape's annotation is known by; ``place`` is its own in the image."""
    group = shape.get("group_id", "0")
    if shape.tag != "polygon" or group == "0":
        return ("alone", "", str(place))
    return ("polygons", shape.get("label", ""), group)


def corners_of(shape: Element, place: str) -> Corners:
    """Return the box around a shape, in pixels; ``place`` names it in errors.

    Raises:
        InputError: an edge or point is missing or not a number.
    """
    if shape.tag == "polygon":
        return around(_points(shape.get("points", ""), place))
    if shape.tag == "mask":
        left, top, width, height = _edges(shape, ("left", "top", "width", "height"), place)
        return left, top, left + width, top + height
    x1, y1, x2, y2 = _edges(shape, ("xtl", "ytl", "xbr", "ybr"), place)
    degrees = number(shape.get("rotation", "0"), f"{place}: rotation")
    return around_turned((x1, y1, x2, y2), degrees, ((x1 + x2) / 2, (y1 + y2) / 2))


def _edges(shape: Element, names: tuple[str, str, str, str], place: str) -> Corners:
    one, two, three, four = (number(shape.get(name), f"{place}: {name}") for name in names)
    return one, two, three, four


def _points(text: str, place: str) -> list[Point]:
    points = []
    for pair in text.split(";"):
        x, comma, y = pair.partition(",")
        if not comma:
            raise InputError(f"{place}: points must be 'x,y;x,y', not '{text[:40]}'")
        points.append((number(x, f"{place}: points"), number(y, f"{place}: points")))
    return points


def drawn_by(shape: Element, place: str) -> tuple[float, str]:
    """Return a shape's score and source; ``place`` names it in errors.

    A shape that a detector drew and a person then changed is the person's: the score was of
    what the detector drew.
    """
    given = {each.get("name"): (each.text or "").strip() for each in shape.findall("attribute")}
    score = share(given.get("score") or None, f"{place}: attribute score")
    said, marked = given.get("source"), shape.get("source", "manual").lower()
    if said in SOURCES and said != LABEL:
        return (1.0, LABEL) if marked in _BY_A_PERSON else (score, said)
    if said == LABEL:
        return score, LABEL
    return score, DETECTOR if marked == "auto" else LABEL

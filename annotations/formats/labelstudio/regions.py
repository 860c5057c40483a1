"""A region of Label Studio: percents of an image, and the box that they mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from annotations.errors import InputError, explain
from annotations.formats.foreign import Corners
from annotations.formats.shapes import around, around_turned

RECTANGLE, _POLYGON = "rectanglelabels", "polygonlabels"
_NO_SHAPE = frozenset(
    {"choices", "textarea", "number", "rating", "taxonomy", "datetime", "pairwise", "relation"}
)
"""Results that say something of the image or of another region, and are not asked."""

SLACK = 1.0
"""By how many percent a value may leave 0 to 100: importing clips a box that leaves its image by
as much, and what is further out was not meant as percent."""

Size = tuple[int | None, int | None]
"""An image's width and height in pixels, empty where the file cannot be read."""


class Region(BaseModel):
    """One entry of ``result``."""

    type: str = ""
    value: dict[str, Any] = {}
    original_width: int | None = None
    original_height: int | None = None
    image_rotation: float = 0
    score: float | None = None


class _Rectangle(BaseModel):
    x: float
    y: float
    width: float
    height: float
    rotation: float = 0
    rectanglelabels: list[str]


class _Polygon(BaseModel):
    points: list[tuple[float, float]]
    polygonlabels: list[str]


def refuse_unknown(regions: Iterable[Region], path: Path) -> None:
    """Demand that every region is a rectangle or polygon, or no shape at all.

    Raises:
        InputError: others are there; lists their types.
    """
    known = {RECTANGLE, _POLYGON, *_NO_SHAPE}
    others = Counter(region.type or "no type" for region in regions if region.type not in known)
    if others:
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(others.items()))
        raise InputError(
            f"{path}: regions that are not {RECTANGLE} or {_POLYGON}: {listed}; draw "
            f"rectangles with a label instead, or delete them in Label Studio"
        )


def size_of(region: Region) -> Size | None:
    """Return the width and height of the image that a region gives, in pixels, if it does."""
    if not region.original_width or not region.original_height:
        return None
    return region.original_width, region.original_height


def boxes_of(region: Region, size: Size, place: str) -> list[tuple[str, Corners]]:
    """Return a region's labels, each with the box in pixels; none for what is no shape.

    Args:
        region: the region.
        size: the image's width and height; where they are empty the corners are NaN.
        place: the region, for errors.

    Raises:
        InputError: a value is missing or not percent, there is no label, or the image was
            turned.
    """
    if region.type in _NO_SHAPE:
        return []
    if region.image_rotation % 360:
        raise InputError(
            f"{place}: the image was turned by {region.image_rotation:g} degrees in Label Studio; "
            f"turn it back there"
        )
    wide, high = (side or float("nan") for side in size)
    try:
        if region.type == _POLYGON:
            polygon = _Polygon.model_validate(region.value)
            labels, corners = polygon.polygonlabels, _around_polygon(polygon, place)
            corners = _scaled(corners, wide, high)
        else:
            rectangle = _Rectangle.model_validate(region.value)
            labels, corners = rectangle.rectanglelabels, _around(rectangle, wide, high, place)
    except ValidationError as error:
        raise InputError(f"{place}: {explain(error)}") from None
    if not labels:
        raise InputError(f"{place}: no label")
    return [(label, corners) for label in labels]


def _scaled(percents: Corners, wide: float, high: float) -> Corners:
    x1, y1, x2, y2 = percents
    return x1 * wide / 100, y1 * high / 100, x2 * wide / 100, y2 * high / 100


def _require_percent(values: dict[str, float], place: str) -> None:
    for name, value in values.items():
        if not -SLACK <= value <= 100 + SLACK:
            raise InputError(
                f"{place}: {name} is {value:g}, not 0 to 100: Label Studio counts in percent of "
                f"the image, not in pixels"
            )


def _around(box: _Rectangle, wide: float, high: float, place: str) -> Corners:
    x1, y1, x2, y2 = box.x, box.y, box.x + box.width, box.y + box.height
    if not box.rotation % 360:
        sides = {"x": x1, "y": y1, "width": box.width, "height": box.height}
        _require_percent({**sides, "x + width": x2, "y + height": y2}, place)
    corners = _scaled((x1, y1, x2, y2), wide, high)
    # The sides of a turned box may be longer than 100 percent; where it ends up is checked with
    # all other boxes.
    return around_turned(corners, box.rotation, corners[:2])


def _around_polygon(polygon: _Polygon, place: str) -> Corners:
    if not polygon.points:
        raise InputError(f"{place}: no points")
    corners = around(polygon.points)
    _require_percent(dict(zip(("left", "top", "right", "bottom"), corners, strict=True)), place)
    return corners

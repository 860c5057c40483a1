"""PRN's part definitions as geometry (He et al., CVPR 2019, section 3.2 and Figure 3)."""

from __future__ import annotations

import pandas as pd

from annotations.boxes import CORNERS, LABEL

LIGHT, BRAND = "light", "brand"

MIN_STRIP = 0.1
"""Narrowest brand kept, as a share of the distance between the lights' outer edges: seen from
the side, the lights of one end nearly touch and the strip between them shows no brand."""


def _made_by(sources: pd.Series[str]) -> str:
    """Return the source of what was derived from several boxes."""
    return next((source for source in sources if source != LABEL), LABEL)


_OF_BOTH = {"score": ("score", "min"), "source": ("source", _made_by)}


def vehicle_bottom(boxes: pd.DataFrame, vehicle: str | None = None) -> pd.Series[float]:
    """Find the lowest edge of the vehicle in each image, one vehicle being taken per image.

    Args:
        boxes: columns ``image``, ``name`` (class) and ``y2``.
        vehicle: the class whose box is the whole vehicle; None to take the lowest of all
            boxes. An image without a box of that class takes the lowest of all, too.

    Returns:
        ``y2`` of the bottom, indexed by image.
    """
    lowest = boxes.groupby("image")["y2"].max()
    whole = boxes[boxes["name"] == vehicle].groupby("image")["y2"].max()
    return whole.reindex(lowest.index).fillna(lowest)


def prn_parts(boxes: pd.DataFrame, bottom: pd.Series[float]) -> pd.DataFrame:
    """Extend the lights and add the brand, as PRN defines them.

    A light's box is tight around the light and reaches down to the vehicle's bottom. Brand
    is the head or rear area between the two lights of one end: from the inner edge of the
    left one to the inner edge of the right one, from the higher of their tops to the
    vehicle's bottom. There is none where an end shows another number of lights than two, or
    where the strip is narrower than `MIN_STRIP`. An image that shows both ends may have two.

    Args:
        boxes: columns ``image``, ``part``, ``end`` (front, back or empty: unknown) and
            ``x1 y1 x2 y2``, in pixels or fractions; where known ``score`` and ``source``.
        bottom: the vehicle's lowest edge in the same unit, indexed by image.

    Returns:
        Columns ``image``, ``part``, ``x1 y1 x2 y2``, and score and source where given: the
        boxes as given, lights extended, then the brands, each with the lower score of its
        two lights and hand-drawn only if both of them are.
    """
    down = bottom.reindex(boxes["image"]).set_axis(boxes.index).clip(lower=boxes["y2"])
    extended = boxes.assign(y2=boxes["y2"].where(boxes["part"] != LIGHT, down))
    lights = extended[extended["part"] == LIGHT].fillna({"end": ""}).sort_values(["x1", "x2"])
    ends = lights.groupby(["image", "end"])
    known = {name: how for name, how in _OF_BOTH.items() if name in boxes}
    brand = ends.agg(
        lights=("part", "size"),
        left=("x1", "min"),
        x1=("x2", "first"),
        x2=("x1", "last"),
        right=("x2", "max"),
        y1=("y1", "min"),
        y2=("y2", "max"),
        **known,
    ).reset_index()
    wide = brand["x2"] - brand["x1"] >= MIN_STRIP * (brand["right"] - brand["left"])
    kept = brand[(brand["lights"] == 2) & wide].assign(part=BRAND)
    columns = ["image", "part", *CORNERS, *known]
    return pd.concat([extended[columns], kept[columns]], ignore_index=True)

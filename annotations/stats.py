"""What is in a labelled set: how often its parts are shown, how large, and with which others.

Only parts that the set looked for are counted: of the others nothing is known on its images.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from annotations.labels import LabelledSet

PERCENTILES = {"p10": 0.1, "median": 0.5, "p90": 0.9}


def labelled_parts(labels: LabelledSet) -> list[str]:
    """Return the parts that the set looked for, in the vocabulary's order."""
    return [name for name in labels.vocabulary.names if name in labels.labelled]


def shown_parts(labels: LabelledSet) -> pd.DataFrame:
    """Say which image shows which part.

    Returns:
        bool, a row per image in the set's order (index ``image``), a column per labelled part.
    """
    parts, frame = labelled_parts(labels), labels.boxes.frame
    shown = pd.DataFrame(False, index=pd.Index(labels.images.frame["image"]), columns=parts)
    for part in parts:
        shown[part] = shown.index.isin(frame.loc[frame["part"] == part, "image"])
    return shown


def count_parts(labels: LabelledSet) -> pd.DataFrame:
    """Count each labelled part.

    Returns:
        Columns ``part``, ``boxes``, ``images`` (that show it) and ``share`` (of all images).
    """
    shown, parts = shown_parts(labels), labelled_parts(labels)
    boxes = labels.boxes.frame["part"].value_counts().reindex(parts, fill_value=0)
    images = shown.sum()
    return pd.DataFrame(
        {
            "part": parts,
            "boxes": boxes.to_numpy(int),
            "images": images.to_numpy(int),
            "share": images.to_numpy(float) / len(labels),
        }
    )


def box_sizes(labels: LabelledSet, pixels: pd.DataFrame) -> pd.DataFrame:
    """Measure the boxes of each labelled part.

    Args:
        labels: the labelled set.
        pixels: columns ``image``, ``width`` and ``height`` in pixels, of the images whose size
            is known; others are left out of what is told in pixels.

    Returns:
        Columns ``part``, ``measure`` (width, height, area), ``unit`` (share of the image's
        width, height or area; or pixels, square ones for an area), ``boxes`` (measured), and
        ``p10``, ``median``, ``p90`` (float64; NaN without a box): percentiles, between two
        boxes on the straight line between them.
    """
    frame = labels.boxes.frame
    side = pixels.set_index("image")[["width", "height"]].astype("float64").reindex(frame["image"])
    width, height = frame["x2"] - frame["x1"], frame["y2"] - frame["y1"]
    wide, high = (side[name].to_numpy() for name in ("width", "height"))
    measured = {
        ("width", "share"): width,
        ("height", "share"): height,
        ("area", "share"): width * height,
        ("width", "pixels"): width * wide,
        ("height", "pixels"): height * high,
        ("area", "pixels"): width * wide * height * high,
    }
    rows = []
    for part in labelled_parts(labels):
        for (measure, unit), values in measured.items():
            known = values[frame["part"] == part].dropna().to_numpy(float)
            cuts = [float(np.quantile(known, q)) if len(known) else np.nan
                    for q in PERCENTILES.values()]  # fmt: skip
            rows.append((part, measure, unit, len(known), *cuts))
    return pd.DataFrame(rows, columns=["part", "measure", "unit", "boxes", *PERCENTILES])


def together(labels: LabelledSet) -> pd.DataFrame:
    """Say how often parts are seen together.

    Returns:
        float64, a row and a column per labelled part: the share of the images with the row's
        part that also show the column's; NaN where no image shows the row's.
    """
    shown = shown_parts(labels)
    seen = shown.to_numpy(float)
    alone = seen.sum(axis=0)
    share = seen.T @ seen / np.where(alone, alone, np.nan)[:, None]
    return pd.DataFrame(share, index=shown.columns, columns=shown.columns).rename_axis("part")


def by_viewpoint(labels: LabelledSet, viewpoints: pd.Series[str]) -> pd.DataFrame:
    """Say how often each viewpoint shows each part.

    Args:
        labels: the labelled set.
        viewpoints: of each image in the set's order; NA where unknown, and left out.

    Returns:
        Columns ``viewpoint``, ``part``, ``images`` (labelled, of that viewpoint), ``showing``
        (the part, of these) and ``share`` (showing of images); viewpoints in alphabetical order.
    """
    shown = shown_parts(labels)
    words = pd.Series(viewpoints.to_numpy(), index=shown.index, dtype="string")
    rows = []
    for word in sorted(words.dropna().unique()):
        mine = shown[(words == word).to_numpy(bool, na_value=False)]
        for part in shown.columns:
            showing = int(mine[part].sum())
            rows.append((word, part, len(mine), showing, showing / len(mine)))
    return pd.DataFrame(rows, columns=["viewpoint", "part", "images", "showing", "share"])

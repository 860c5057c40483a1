"""PRN's parts from tight boxes, as they are drawn (He et al., CVPR 2019, section 3.2)."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from annotations.boxes import CORNERS
from annotations.geometry import BRAND, LIGHT, prn_parts
from annotations.labelling.record import DrawnBox, ImageLabels

DERIVED: Literal["derived"] = "derived"


def bottom_of(labels: ImageLabels) -> float:
    """Return the vehicle's lowest edge, as a fraction of the image's height.

    It is where a person set it, else the lowest edge of all boxes.
    """
    if labels.bottom is not None:
        return labels.bottom
    return max((box.y2 for box in labels.boxes), default=1.0)


def derive_prn(labels: ImageLabels) -> ImageLabels:
    """Let lights end at the vehicle's bottom, and place the brand between two of them.

    Only lights that a person drew are changed: a detector's reach down already. A brand is
    added where there is none but a derived one, which is replaced. See
    `annotations.geometry.prn_parts`.
    """
    kept = [box for box in labels.boxes if box.source != DERIVED]
    bottom = bottom_of(labels)
    kept = [
        box.model_copy(update={"y2": bottom})
        if box.part == LIGHT and box.source == "drawn" and bottom > (box.y1 + box.y2) / 2
        else box
        for box in kept
    ]
    lights = [box for box in kept if box.part == LIGHT]
    if lights and BRAND not in labels.hidden and not any(box.part == BRAND for box in kept):
        frame = pd.DataFrame(
            [(labels.image, box.part, None, *box.corners) for box in lights],
            columns=["image", "part", "end", *CORNERS],
        ).astype({"end": "object"})
        lowest = pd.Series({labels.image: max(box.y2 for box in lights)})
        made = prn_parts(frame, lowest)
        for row in made[made["part"] == BRAND][CORNERS].itertuples(index=False):
            x1, y1, x2, y2 = map(float, row)
            kept.append(DrawnBox(part=BRAND, x1=x1, y1=y1, x2=x2, y2=y2, source=DERIVED))
    return labels.model_copy(update={"boxes": tuple(kept)})

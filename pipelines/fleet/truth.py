"""What is true of a photograph: the boxes of its parts, their visible shares, and its masks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.boxes import CORNERS, LABEL
from annotations.geometry import prn_parts
from pipelines.fleet.camera.views import SAMPLES
from pipelines.fleet.vehicle.things import NUMBER, THINGS, VIEWS, eia_boxes, tight_boxes

Bytes = npt.NDArray[np.uint8]

LEAST = 8
"""Samples that a part must show to have a box: two pixels."""
_VIEW = np.array([0] + [VIEWS.index(thing.view) + 1 for thing in THINGS[1:]], np.uint8)
_EIA, _TIGHT = eia_boxes(), tight_boxes()
_FACES = {
    "front": tuple(NUMBER[name] for name in ("front", "front logo", "front plate")),
    "back": tuple(NUMBER[name] for name in ("rear", "rear logo", "rear plate", "boot")),
}


@dataclass(frozen=True)
class Truth:
    """What is true of one photograph; boxes are fractions of the image.

    Attributes:
        eia: rows (part, x1, y1, x2, y2, visible share).
        tight: rows (part, end, x1, y1, x2, y2, visible share): windows and lights.
        faces: the visible share of the front and of the back, between the lights.
        bottom: the vehicle's lowest edge; 1 where nothing of it is visible.
        mask: (height, width) uint8: 0 background, 1 front, 2 rear, 3 side, 4 top.
    """

    eia: list[tuple[str, float, float, float, float, float]]
    tight: list[tuple[str, str, float, float, float, float, float]]
    faces: dict[str, float]
    bottom: float
    mask: Bytes

    def without_mask(self) -> Truth:
        """Return the numbers alone."""
        return replace(self, mask=np.zeros((0, 0), np.uint8))


def measure(outer: Bytes, inner: Bytes, whole: npt.NDArray[np.int64]) -> Truth:
    """Measure a photograph.

    Args:
        outer: (H, W), the thing on each sample that is visible in the end, 0 for none.
        inner: (H, W), likewise behind the windscreen.
        whole: (things,), the samples of each thing that face the camera, hidden or not.
    """
    height, width = outer.shape
    counts = np.bincount(outer.ravel(), minlength=len(THINGS))
    counts = counts + np.bincount(inner.ravel(), minlength=len(THINGS))
    rows = np.zeros((len(THINGS), height), bool)
    columns = np.zeros((len(THINGS), width), bool)
    for plane in (outer, inner):
        at = np.flatnonzero(plane)
        thing = plane.ravel()[at]
        row = at // width
        rows[thing, row] = True
        columns[thing, at - row * width] = True

    left, top = columns.argmax(1).tolist(), rows.argmax(1).tolist()
    right = (width - columns[:, ::-1].argmax(1)).tolist()
    bottom = (height - rows[:, ::-1].argmax(1)).tolist()
    seen, facing = counts.tolist(), whole.tolist()

    def box(members: tuple[int, ...]) -> tuple[float, float, float, float, float] | None:
        there = [thing for thing in members if seen[thing]]
        total = sum(seen[thing] for thing in there)
        if sum(seen[thing] for thing in there if not THINGS[thing].flank) < LEAST:
            return None
        share = total / max(sum(facing[thing] for thing in members), total)
        return (
            min(left[thing] for thing in there) / width,
            min(top[thing] for thing in there) / height,
            max(right[thing] for thing in there) / width,
            max(bottom[thing] for thing in there) / height,
            round(share, 4),
        )

    eia = [(part, *found) for part, members in _EIA if (found := box(members))]
    tight = [(part, end, *found) for part, end, members in _TIGHT if (found := box(members))]
    faces = {
        end: sum(seen[thing] for thing in members) / max(sum(facing[thing] for thing in members), 1)
        for end, members in _FACES.items()
    }
    visible = [bottom[thing] for thing in range(1, len(THINGS)) if seen[thing]]
    lowest = max(visible) / height if visible else 1.0
    return Truth(eia, tight, faces, lowest, mask_of(outer))


def mask_of(outer: Bytes) -> Bytes:
    """Return the mask in pixels: a pixel is of the vehicle where half of its samples are."""
    views = _VIEW[outer]
    height, width = views.shape
    cells = views.reshape(height // SAMPLES, SAMPLES, width // SAMPLES, SAMPLES)
    corners = [cells[:, i, :, j] for i in range(SAMPLES) for j in range(SAMPLES)]
    covered = sum((corner > 0).astype(np.uint8) for corner in corners)
    # Where views meet, the one nearest to the front in their order wins: 1, 2, 3, 4.
    first = np.full(corners[0].shape, 255, np.uint8)
    for corner in corners:
        first = np.minimum(first, np.where(corner > 0, corner, np.uint8(255)))
    mask: Bytes = np.where(covered >= SAMPLES, first, 0).astype(np.uint8)
    return mask


def prn_table(truths: list[tuple[str, Truth]]) -> pd.DataFrame:
    """Return PRN's boxes of images: columns of the boxes table and ``visible``.

    A light's visible share is that of the light itself, the brand's that of the front or back of
    the vehicle apart from its lights.
    """
    tight = pd.DataFrame(
        [(name, *row) for name, truth in truths for row in truth.tight],
        columns=["image", "part", "end", *CORNERS, "visible"],
    )
    bottom = pd.Series({name: truth.bottom for name, truth in truths}, dtype=float)
    derived = prn_parts(tight, bottom)
    lit = tight[tight["part"] == "light"].groupby("image")["end"].first()
    faces = {name: truth.faces[lit[name]] for name, truth in truths if name in lit}
    brand = derived["image"].iloc[len(tight) :].map(faces)
    derived["visible"] = pd.concat([tight["visible"], brand]).to_numpy(float).round(4)
    return _finish(derived)


def eia_table(truths: list[tuple[str, Truth]]) -> pd.DataFrame:
    """Return EIA-Net's boxes of images: columns of the boxes table and ``visible``."""
    return _finish(
        pd.DataFrame(
            [(name, *row) for name, truth in truths for row in truth.eia],
            columns=["image", "part", *CORNERS, "visible"],
        )
    )


def _finish(boxes: pd.DataFrame) -> pd.DataFrame:
    made = boxes.assign(score=1.0, source=LABEL)
    order = ["image", "part", *CORNERS, "score", "source", "visible"]
    return made[order].sort_values(["image", "part", "x1", "y1"], ignore_index=True)

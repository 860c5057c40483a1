"""Where things may stand without being, in the picture, before a vehicle."""

from __future__ import annotations

import cv2
import numpy as np

from pipelines.fleet.camera.cameras import Camera, Floats
from pipelines.fleet.street.roads import Road

_CELL = 4
"""Frame pixels a cell."""
_BODY = np.array([[s, t, z] for s in (-2.5, 2.5) for t in (-1.3, 1.3) for z in (0.0, 2.4)])


class Clearance:
    """The places, in the picture, where a camera's vehicles pass.

    A vehicle is pasted over the whole plate. What is nearer to the camera than a vehicle must
    therefore not overlap it.

    Attributes:
        deepest: (rows, columns) int32, centimetres from the camera to the farthest vehicle that
            a cell of 4 x 4 pixels may show; 0 where none passes.
    """

    def __init__(self, camera: Camera, roads: list[Road]) -> None:
        self.camera = camera
        width, height = camera.size
        self.deepest = np.zeros((height // _CELL + 1, width // _CELL + 1), np.int32)
        reach = max(lane.reach for lane in camera.lanes)
        count = int(reach) + 1
        along = np.arange(-count, count + 1) * (reach / count)
        for road in roads:
            for t, _ in road.lanes:
                body = road.place(along[:, None] + _BODY[:, 0], t + _BODY[:, 1], _BODY[:, 2])
                self._take(*camera.project(body))

    def _take(self, pixels: Floats, depth: Floats) -> None:
        for corners, far in zip(pixels, depth, strict=True):
            if (far > 1).all():
                low, high = corners.min(0) / _CELL, corners.max(0) / _CELL
                x1, y1, x2, y2 = (max(0, int(value)) for value in (*low, *high))
                cells = self.deepest[y1 : y2 + 1, x1 : x2 + 1]
                np.maximum(cells, int(far.max() * 100), out=cells)

    def nearest(self, points: Floats) -> float | None:
        """Return how near something with these outermost points (n, 3), metres, comes.

        Returns:
            metres along the view, or None if it may not be painted: it would hide a place where
            vehicles pass, is out of the frame, or is too near for a lens.
        """
        pixels, depth = self.camera.project(points)
        near = float(depth.min())
        low, high = pixels.min(0), pixels.max(0)
        if near < 1 or (high < 0).any() or (low > self.camera.size).any():
            return None
        x1, y1 = (max(0, int(value / _CELL)) for value in low)
        x2, y2 = (
            int(min(value, size) / _CELL) + 1
            for value, size in zip(high, self.camera.size, strict=True)
        )
        deeper = self.deepest[y1:y2, x1:x2] > int(near * 100)
        if not deeper.any():
            return near
        hull = cv2.convexHull(np.clip(pixels / _CELL - [x1, y1], -4096, 4096).astype(np.int32))
        mask = np.zeros(deeper.shape, np.uint8)
        cv2.fillConvexPoly(mask, hull, 1)
        return None if (mask.astype(bool) & deeper).any() else near

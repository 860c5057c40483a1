"""Ranking by looks and by travel time together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from annotations.errors import InputError
from annotations.images import Images
from reid.reranking.measured import Measured
from reid.reranking.travel_times import TravelTimes, require

_ROUNDING = 2.0**-20
"""What float32 may add to a value of at most 1 by a few steps and an exponential."""


class WithTravelTimes(Measured):
    """Compares by looks and by how usual the time between two sightings is.

    The joint similarity of Wang et al. (AAAI 2019) is f(s; l0, g0) f(p; l1, g1) with the logistic
    f(x; l, g) = 1 / (1 + l exp(-g x)). s is a cosine in the paper, here one minus the distance
    that was compared by; p is the learned share of the time's bin. A value is one minus the joint
    similarity. Where a camera or a time is unknown, or no vehicle in training was seen by one
    camera and later by the other, p is the mean over all bins. So it is within one camera.

    Args:
        looks: such as `reid.reranking.measured.Cosines`, or re-ranked distances.
        times: learned travel times.
        query_images: Q images, with ``camera`` and ``time`` in the unit learned from.
        gallery_images: G images.
        logistic: l0, g0, l1, g1; those of the authors' program by default.

    Raises:
        InputError: a column is missing or empty, images that do not fit ``looks``, or a
            number in ``logistic`` below 0.
    """

    def __init__(
        self,
        looks: Measured,
        times: TravelTimes,
        query_images: Images,
        gallery_images: Images,
        logistic: tuple[float, float, float, float] = (1.0, 5.0, 2.0, 5.0),
    ) -> None:
        if min(logistic) < 0:
            raise InputError(f"logistic: {min(logistic)} is below 0")
        self.shape, self.device = looks.shape, looks.device
        sides = (query_images, gallery_images)
        for images, count in zip(sides, looks.shape, strict=True):
            if len(images) != count:
                raise InputError(f"{images.source}: {len(images)} images, {count} embeddings")
        self._query, self._items = (_sightings(images, times, self.device) for images in sides)
        self._looks, self._width, self._of_looks = looks, times.width, logistic[:2]
        self._pair = torch.from_numpy(times.pair).to(self.device)
        share = torch.from_numpy(times.shares).to(self.device)
        self._usual = _logistic(share, *logistic[2:])

    def values(self, query: Tensor) -> Tensor:
        """See `Comparison.values`."""
        usual = self._usual_between(query[:, None], torch.arange(self.shape[1], device=self.device))
        alike = _logistic(1 - self._looks.values(query), *self._of_looks)
        return 1 - alike.mul_(usual.float())

    def bound(self, query: Tensor) -> Tensor:
        """See `Measured.bound`; a logistic is nowhere steeper than a quarter of g."""
        return self._of_looks[1] / 4 * self._looks.bound(query) + _ROUNDING

    def exact(self, query: Tensor, item: Tensor) -> Tensor:
        """See `Comparison.exact`."""
        alike = _logistic(1 - self._looks.exact(query, item), *self._of_looks)
        return 1 - alike * self._usual_between(query, item)

    def _usual_between(self, query: Tensor, item: Tensor) -> Tensor:
        camera, time = (side[query] for side in self._query)
        other, before = (side[item] for side in self._items)
        took = time - before
        row = self._pair[camera, other].where(took >= 0, self._pair[other, camera])
        last = self._usual.shape[1] - 1
        return self._usual[row, (took.abs_() / self._width).clamp_(max=last).long()]


def _logistic(x: Tensor, scale: float, steep: float) -> Tensor:
    return 1 / (1 + scale * torch.exp(-steep * x))


def _sightings(images: Images, times: TravelTimes, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return numbers of cameras, int64, and times, float64; unknown ones as camera C at 0."""
    frame = require(images, "camera", "time")
    camera = pd.Index(times.cameras).get_indexer(pd.Index(frame["camera"], dtype=object))
    time = frame["time"].to_numpy(np.float64)
    known = (camera >= 0) & np.isfinite(time)
    camera = np.where(known, camera, len(times.cameras)).astype(np.int64)
    time = np.where(known, time, 0)
    return torch.from_numpy(camera).to(device), torch.from_numpy(time).to(device)

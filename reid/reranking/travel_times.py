"""How long vehicles take from camera to camera, learned from a training split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.errors import InputError
from annotations.images import Images


@dataclass(frozen=True)
class TravelTimes:
    """Smoothed histograms of travel times: Wang et al. (AAAI 2019), "histogram-Parzen".

    Of the n vehicles that were seen by camera a and later by camera b, n_k took a time within
    bin k. Each bin gets the share p_k = sum_l n_l K(l - k) / sum_k' sum_l n_l K(l - k') with
    the Gaussian K(x) = exp(-x^2 / (2 smooth^2)).

    Attributes:
        cameras: C names.
        pair: int64 (C + 1, C + 1), the row of ``shares`` for the later camera, then the earlier;
            the last camera is an unknown one.
        shares: float64 (P + 1, bins), each row adding up to 1. The last row, 1 / bins
            everywhere, is for pairs of which nothing is known: the mean of any other row.
        width: of a bin, in the unit of ``time``; the last bin is open.
    """

    cameras: tuple[str, ...]
    pair: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]
    width: float

    @classmethod
    def fit(
        cls, images: Images, *, width: float, bins: int = 1000, smooth: float = 50.0
    ) -> TravelTimes:
        """Learn from images whose identities are known.

        As in the authors' program, an identity counts once for two cameras, with its mean time
        at each. The paper has bins of 100 frames; ``bins`` and ``smooth`` are the program's,
        but for the number of bins.

        Args:
            images: such as a training split, with ``identity``, ``camera`` and ``time``; images
                that lack one of them are passed over.
            width: of a bin, in the unit of ``time``.
            bins: how many.
            smooth: standard deviation of the Gaussian, in bins.

        Raises:
            InputError: a column is missing or empty, no identity was seen by two cameras, or a
                number is out of range.
        """
        for name, number in (("width", width), ("bins", bins), ("smooth", smooth)):
            if not 0 < number < np.inf:
                raise InputError(f"{name} must be above 0, not {number}")
        frame = require(images, "identity", "camera", "time")[["identity", "camera", "time"]]
        seen = frame.dropna().groupby(["identity", "camera"], as_index=False)["time"].mean()
        trips = seen.merge(seen, on="identity", suffixes=("_later", "_earlier"))
        trips = trips[trips["camera_later"] != trips["camera_earlier"]]
        trips = trips[trips["time_later"] >= trips["time_earlier"]]
        if trips.empty:
            raise InputError(f"{images.source}: no identity was seen by two cameras at known times")
        cameras = pd.Index(sorted(seen["camera"].unique()))
        later, earlier = (
            cameras.get_indexer(trips[f"camera_{when}"]) for when in ("later", "earlier")
        )
        took = (trips["time_later"] - trips["time_earlier"]).to_numpy() / width
        codes, row = np.unique(later * len(cameras) + earlier, return_inverse=True)
        counts = np.zeros((len(codes), bins))
        np.add.at(counts, (row, np.minimum(took, bins - 1).astype(np.int64)), 1)
        pair = np.full((len(cameras) + 1,) * 2, len(codes))
        pair[codes // len(cameras), codes % len(cameras)] = np.arange(len(codes))
        apart = np.subtract.outer(np.arange(bins), np.arange(bins)) / smooth
        shares = counts @ np.exp(-np.square(apart) / 2)
        shares /= shares.sum(1, keepdims=True)
        neutral = np.full((1, bins), 1 / bins)
        return cls(tuple(cameras), pair, np.concatenate([shares, neutral]), width)


def require(images: Images, *columns: str) -> pd.DataFrame:
    """Return the table of images.

    Raises:
        InputError: no image has a value in one of ``columns``.
    """
    for column in columns:
        if column not in images.frame or images.frame[column].isna().all():
            raise InputError(f"{images.source}: no image has a '{column}', which travel times need")
    return images.frame

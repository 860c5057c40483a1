"""From a distance to the probability that two images show the same (Platt 1999)."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from annotations.errors import InputError
from reid.verification.features import Floats

LEAST = 10
"""Pairs that are the same, and pairs that are different, without which nothing is learned."""
Count = Annotated[int, Field(ge=0)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class Curve(BaseModel):
    """A logistic curve: the log-odds of "the same" are ``slope`` * distance + ``offset``.

    Attributes:
        slope: below 0, so that nearer is likelier; 0 for a distance that tells nothing.
        offset: the log-odds at distance 0.
        same: pairs that it was learned from and that are the same.
        different: those that are not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slope: Annotated[float, Field(le=0, allow_inf_nan=False)]
    offset: _Finite
    same: Count
    different: Count

    @classmethod
    def silent(cls, same: int, different: int) -> Curve:
        """Return the curve of a distance that tells nothing: flat, its `say` always 0."""
        return cls(slope=0.0, offset=_prior(same, different), same=same, different=different)

    def log_odds(self, distances: npt.ArrayLike) -> Floats:
        """Return the log-odds that pairs are the same: float64, of the distances' shape."""
        found: Floats = self.slope * np.asarray(distances, np.float64) + self.offset
        return found

    def probability(self, distances: npt.ArrayLike) -> Floats:
        """Return the probability that pairs are the same, among pairs like those learned from."""
        found: Floats = expit(self.log_odds(distances))
        return found

    def say(self, distances: npt.ArrayLike) -> Floats:
        """Return the log-odds if beforehand both were as likely: what a distance says by itself.

        Above 0 it speaks for the same. It is `log_odds` less those of the pairs learned from: where
        most pairs in which both images show a part are the same, seeing the part says so much
        already, and its distance has not spoken yet.
        """
        return self.log_odds(distances) - _prior(self.same, self.different)


def fit_curve(distances: npt.ArrayLike, same: npt.ArrayLike) -> Curve:
    """Learn a curve by maximum likelihood, on the smoothed targets of Platt 1999, equation (6).

    With n the same and m different pairs the targets are (n + 1) / (n + 2) and 1 / (m + 2) rather
    than 1 and 0, so that pairs which a distance separates without error give no infinite slope.
    There is no other regularisation, hence the unit of the distance does not matter.

    Args:
        distances: (P,), finite.
        same: bool (P,).

    Raises:
        InputError: lengths that differ, a distance that is not finite, fewer than `LEAST` pairs of
            a kind, or same pairs that are not nearer than different ones.
    """
    values, truth = checked(distances, same)
    require_both(truth, "pairs")
    n, m = int(truth.sum()), int((~truth).sum())
    slope, offset = likeliest(values, truth)
    if slope >= 0:
        raise InputError(
            f"pairs: the {n} that are the same are not nearer than the {m} different ones: the "
            "network does not tell them apart"
        )
    return Curve(slope=slope, offset=offset, same=n, different=m)


def require_both(same: npt.NDArray[np.bool_], source: str) -> None:
    """Demand `LEAST` pairs of each kind.

    Raises:
        InputError: there are fewer; ``source`` is named.
    """
    n, m = int(same.sum()), int((~same).sum())
    if min(n, m) < LEAST:
        raise InputError(
            f"{source}: {n} are the same and {m} different; a probability needs {LEAST} of each"
        )


def likeliest(values: Floats, same: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and offset of `fit_curve`'s curve, of either sign and without its checks.

    Args:
        values: (P,), finite.
        same: (P,), both true and false.
    """
    n, m = int(same.sum()), int((~same).sum())
    mean, scale = float(values.mean()), float(values.std())
    if scale == 0:
        return 0.0, _prior(n, m)
    target = np.where(same, (n + 1) / (n + 2), 1 / (m + 2))
    # A pair of target t is t of a pair that is the same and 1 - t of one that is not.
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=200)
    model.fit(
        np.tile((values - mean) / scale, 2)[:, None],
        np.repeat([True, False], len(values)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope = float(model.coef_[0, 0]) / scale
    return slope, float(model.intercept_[0]) - slope * mean


def checked(distances: npt.ArrayLike, same: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return distances as float64 and what is the same as bool, both (P,).

    Raises:
        InputError: lengths that differ, or a distance that is not finite.
    """
    values: npt.NDArray[Any] = np.asarray(distances, np.float64)
    truth = np.asarray(same, bool)
    if values.ndim != 1 or values.shape != truth.shape:
        raise InputError(f"same: shape {truth.shape} for distances of shape {values.shape}")
    if not np.isfinite(values).all():
        raise InputError(f"distances: row {int(np.isfinite(values).argmin())} is not finite")
    return values, truth


def _prior(same: int, different: int) -> float:
    # The mean of Platt's targets, as log-odds: finite without a pair, too.
    return math.log((same + 1) / (different + 1))

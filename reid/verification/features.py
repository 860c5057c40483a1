"""What a verifier is given, checked: features of images, and of the two sides of pairs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from annotations.errors import InputError

Floats = npt.NDArray[np.float64]


def checked_features(values: npt.ArrayLike, name: str, dimensions: int | None = None) -> Floats:
    """Return features as float64, shape (N, D).

    Args:
        values: shape (N, D), floating or whole numbers.
        name: of the argument, for the message.
        dimensions: D where it is known, from what the verifier was fitted on.

    Raises:
        InputError: another shape, or a value that is not finite.
    """
    found = np.asarray(values, np.float64)
    if found.ndim != 2 or 0 in found.shape:
        raise InputError(f"{name}: shape {found.shape}; give one row of features per image")
    if dimensions is not None and found.shape[1] != dimensions:
        raise InputError(
            f"{name}: {found.shape[1]} dimensions, but fitted on {dimensions}; give features of "
            "the same network"
        )
    finite = np.isfinite(found).all(1)
    if not finite.all():
        raise InputError(f"{name}: row {int(finite.argmin())} is not finite")
    return found


def checked_pairs(
    a: npt.ArrayLike, b: npt.ArrayLike, dimensions: int | None = None
) -> tuple[Floats, Floats]:
    """Return both sides of pairs as float64, each of shape (P, D).

    Arguments and errors as `checked_features`, and:

    Raises:
        InputError: sides that differ in length or dimensions.
    """
    first = checked_features(a, "a", dimensions)
    second = checked_features(b, "b", dimensions)
    if first.shape != second.shape:
        raise InputError(
            f"pairs: shapes {first.shape} and {second.shape}; give one row of each side per pair"
        )
    return first, second

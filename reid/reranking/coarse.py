"""Bounds of squared distances by bf16 products."""

from __future__ import annotations

import torch
from torch import Tensor

from reid.device import full_precision, has_fast_bf16
from reid.distances.alike import UNIT
from reid.reranking.squares import Squares

_BLUR = 2.0**-9 + 2.0**-16
"""More than what rounding to bf16 changes, as a share of what is rounded to."""
_NOTHING = 2.0**-100
"""More than the numbers that bf16 products take for zero add up to."""
_NARROW = 128
"""Dimensions below which products are little beside what comes after them."""
_ROWS = 512
"""Rows rounded at once."""


def coarse_is_quick(squares: Squares) -> bool:
    """Whether bf16 products save time. Elsewhere than on a CPU that was not measured."""
    return (
        squares.device.type == "cpu"
        and squares.centred.shape[1] >= _NARROW
        and bool(torch.backends.mkldnn.enabled)
        and has_fast_bf16(squares.device)
    )


class CoarseSquares:
    """Bounds of the squared distances among rows.

    With x' = x - dx the rounded row x, xy - x'y' = dx y + x dy - dx dy, of which each product is
    at most that of the lengths (Cauchy and Schwarz). The longest dx is a share of x that is
    measured. Rounding sums adds shares of |x||y| as well. All together are at most c |x||y|, thus
    at most c (|x|^2 + |y|^2) / 2. Rounding products to bf16 changes a share of each.

    Args:
        squares: the rows, N of them; half their memory is taken in addition.
    """

    def __init__(self, squares: Squares) -> None:
        self._device = squares.device
        self._rows = squares.centred.bfloat16()
        norm, dimensions = squares.norms.sqrt(), squares.centred.shape[1]
        pieces = zip(
            torch.split(squares.centred, _ROWS), torch.split(self._rows, _ROWS), strict=True
        )
        # A number less its rounding is a float32 without rounding.
        change = torch.cat([torch.linalg.vector_norm(one - near, dim=1) for one, near in pieces])
        share = float(((change - _NOTHING).clamp_(min=0) / norm.clamp(min=_NOTHING)).max())
        rounded = 2 * share + share**2 + dimensions * UNIT * (1 + share) ** 2
        # What is left out here is less than a 64th. The last is `Squares.error` for two rows, and
        # as much again for the sums below.
        bound = 2 * (1 + 2.0**-6) * rounded + 2 * UNIT * (32 + dimensions**0.5)
        self._width = bound * squares.norms + _NOTHING
        self._norms = squares.norms - self._width / 2

    def bounds(self, rows: slice, columns: slice) -> tuple[Tensor, Tensor]:
        """Return lower and upper bounds of all pairs of some rows and columns: float32 (A, B)."""
        with full_precision(self._device):
            products = (self._rows[rows] * -2) @ self._rows[columns].T
        lower = products.float()
        blur = lower.abs().mul_(_BLUR)
        lower.sub_(blur).add_(self._norms[columns]).add_(self._norms[rows, None])
        upper = blur.mul_(2).add_(self._width[columns]).add_(self._width[rows, None])
        return lower, upper.add_(lower)

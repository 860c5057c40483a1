"""Lower bounds of CPDM in bf16, which rule out most pairs of a search."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reid.distances.viewed import View

_TILE = 2**18
"""Bounds worked on at once: what stays in cache."""
_MANY = 16
"""Where more than one pair in so many is left, a bound is of no use."""
_UNIT = 2.0**-8
"""Half the distance from 1 to the next number in bf16."""
_TINY, _SLACK = 1e-36, 1e-15
"""What squares are raised to, as the root of 0 is slow, and more than the roots of it add up to."""


class Screen:
    """Tells which pairs may be within a distance, from products in bf16.

    A processor that multiplies bf16 does so several times as fast as single precision. Each number
    is rounded to it by 2^-8 at most, and by Cauchy and Schwarz a product of rows is off by
    (2 * 2^-8 + 2^-16) times their lengths. A column of the product takes that off, so that it is
    a lower bound of the weighted squared distance (AR_a AR_b)^2 |f_a - f_b|^2. Sums are in single
    precision, as oneDNN has them on a CPU. Features are taken from a centre, since what all have
    in common would be rounded, too.

    Args:
        query: the views of Q queries.
        items: those of G items, on the same device.
    """

    def __init__(self, query: Sequence[View], items: Sequence[View]) -> None:
        self._query = query
        self._centres = [_centre(view) for view in query]
        self._items = [_right(*pair) for pair in zip(items, self._centres, strict=True)]
        self._ratios = _ratios(items)

    def within(self, query: Tensor, most: Tensor) -> tuple[Tensor, Tensor] | None:
        """Find the pairs that may be within a distance.

        Args:
            query: int64 (B,).
            most: float32 (B, 1), a distance for each of them.

        Returns:
            Rows of ``query`` and items, int64 (P,) both, ascending; all other pairs are farther
            apart. None where too many are left.
        """
        views = [View(*(part[query] for part in view)) for view in self._query]
        sides = [_left(*pair) for pair in zip(views, self._centres, strict=True)]
        # Products and roots were rounded to bf16; all else was rounded less than the half unit.
        reach = _ratios(views) * (most * (1 + 2 * _UNIT))
        found, count = [], 0
        step = max(1, _TILE // max(1, len(query)))
        for start in range(0, len(self._ratios), step):
            tile = slice(start, start + step)
            above = torch.addmm(reach.new_tensor(-_SLACK), reach, self._ratios[tile].T, alpha=-1)
            for mine, theirs in zip(sides, self._items, strict=True):
                above += (mine @ theirs[tile].T).clamp_(min=_TINY).sqrt_()
            # Not a number is no bound.
            rows = (~(above.amin(1) > 0)).nonzero()[:, 0]
            row, column = (~(above[rows] > 0)).nonzero(as_tuple=True)
            found.append(rows[row] * len(self._ratios) + column + start)
            count += len(row)
            if count * _MANY > len(query) * len(self._ratios):
                return None
        places = torch.cat(found).sort().values
        row = places // len(self._ratios)
        return row, places - row * len(self._ratios)


def _centre(view: View) -> Tensor:
    """Return the mean of what is to be seen of a view, (D,), at least in single precision."""
    features = view.features.to(torch.promote_types(view.features.dtype, torch.float32))
    shown = (view.ratios > 0).to(features.dtype)
    return shown @ features / shown.sum().clamp(min=1)


def _ratios(views: Sequence[View]) -> Tensor:
    """Return the area ratios of all views, float32 (N, V)."""
    return torch.stack([view.ratios.float() for view in views], 1)


def _left(view: View, centre: Tensor) -> Tensor:
    """Return rows whose products with `_right` are not above weighted squared distances."""
    rows, square, weight, length = _parts(view, centre)
    columns = [square[0], square[0], square[1], weight[0], weight[0], weight[1]]
    off = length * (-4.2 * _UNIT)  # more than -2 * (2 units + 1 square), for -2 f_a f_b
    return _beside(rows.mul_(-2), [*columns, off])


def _right(view: View, centre: Tensor) -> Tensor:
    rows, square, weight, length = _parts(view, centre)
    columns = [weight[0], weight[1], weight[0], square[0], square[1], square[0]]
    return _beside(rows, [*columns, length])


def _parts(view: View, centre: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what weighted squared distances are made of, in single precision.

    Returns:
        Features from the centre times the square of the ratio, (N, D); in two halves, (2, N),
        a little less than their squared lengths times the square of the ratio; so the square of
        the ratio; their lengths times the square of the ratio, (N,).
    """
    rows = (view.features.to(centre.dtype) - centre).float()
    weight = view.ratios.float().square()
    length = torch.linalg.vector_norm(rows, dim=1)
    # By so little as a sum of so many products may be off, and the halves.
    less = 1 - 2.0**-12 - (rows.shape[1] + 8) * 2.0**-22
    square = _halves(length.square() * weight * less)
    return rows.mul_(weight[:, None]), square, _halves(weight), length * weight


def _halves(numbers: Tensor) -> Tensor:
    """Write numbers (N,) as sums of two, (2, N), the greater of which fits into bf16."""
    most = numbers.bfloat16().float()
    return torch.stack([most, numbers - most])


def _beside(rows: Tensor, columns: list[Tensor]) -> Tensor:
    """Put columns beside rows (N, D), in bf16."""
    made = rows.new_empty((len(rows), rows.shape[1] + len(columns)), dtype=torch.bfloat16)
    made[:, : rows.shape[1]] = rows
    made[:, rows.shape[1] :] = torch.stack(columns, 1)
    return made

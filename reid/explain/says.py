"""How what a part says is shown: its colour, its number, and why it says nothing."""

from __future__ import annotations

import numpy as np

FULL = 2.0
"""Log-odds, about 7 to 1, from which on a part has its full colour."""
_AGAINST, _NEUTRAL, _FOR = (214, 88, 24), (190, 195, 203), (30, 110, 222)
_NEAR, _APART = (15, 118, 128), (222, 178, 84)


def colour_of(say: float) -> str:
    """Return ``#rrggbb`` for log-odds: from orange, against, over grey to blue, for."""
    share = float(np.clip(abs(say) / FULL, 0, 1))
    return _mixed(_NEUTRAL, _FOR if say > 0 else _AGAINST, share)


def colour_apart(share: float) -> str:
    """Return ``#rrggbb`` for how far apart a part is where that is not known to be for or against.

    Args:
        share: of the farthest that is shown: from 0, teal, to 1, sand.
    """
    return _mixed(_NEAR, _APART, float(np.clip(share, 0, 1)))


def _mixed(one: tuple[int, int, int], other: tuple[int, int, int], share: float) -> str:
    mixed = [round(near + share * (far - near)) for near, far in zip(one, other, strict=True)]
    return f"#{bytes(mixed).hex()}"


def signed(say: float) -> str:
    """Return log-odds as ``+1.2``, with a minus sign as wide as the plus."""
    text = f"{say:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def absence(first: bool, second: bool) -> str:
    """Say in which image a part is not seen; nothing where both show it."""
    if first and second:
        return ""
    return "not seen" if not first and not second else f"not seen in {'A' if second else 'B'}"

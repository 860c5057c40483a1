"""What every method's network knows of an image."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Vectors(NamedTuple):
    """Vectors of B images.

    Attributes:
        embedding: (B, D), what is compared.
        parts: (B, P, C), zero for a part that is not visible.
        visible: (B, P) bool.
    """

    embedding: Tensor
    parts: Tensor
    visible: Tensor

"""The viewpoint-aware loss (Chen et al., Partition and Reunion, VAL, equations 3 to 7)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotations.errors import InputError
from reid.device import full_precision

_SMALL = 1e-12
"""A shorter vector counts as zero and has no direction."""


def require_divided(shown: Tensor) -> None:
    """Demand that viewpoints divide identities.

    Args:
        shown: (C, V) bool, the identity-viewpoint classes that have training images.

    Raises:
        InputError: there are fewer than two viewpoint classes, or no identity is shown from two.
    """
    identities, viewpoints = shown.shape
    if viewpoints < 2:
        raise InputError(
            f"the viewpoint-aware loss needs at least 2 viewpoint classes, here is {viewpoints}; "
            "give more, or train with softmax, which asks for none"
        )
    if not (shown.sum(1) > 1).any():
        raise InputError(
            f"no identity of {identities} has training images of two viewpoint classes, so the "
            "viewpoint-aware loss has nothing to reunite; label more viewpoints, give fewer "
            "classes, or train with softmax"
        )


def unit(vectors: Tensor) -> Tensor:
    """Return vectors (..., D) scaled to length one; zero stays zero, with a small gradient."""
    return vectors / _lengths(vectors)[..., None]


def _lengths(vectors: Tensor) -> Tensor:
    """Return what vectors (..., D) are divided by to get directions, (...)."""
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=-1)
    return lengths.masked_fill(lengths < _SMALL, 1)


class ViewpointAwareLoss(nn.Module):
    """Each identity is as many classes as it has viewpoints, whose centres are drawn together.

    VAL, equation (6), the sum of two losses over the centres M of the identity-viewpoint classes:

    - (3), the partition loss: softmax cross-entropy over all C x V classes of gamma times phi,
      which is the cosine of an embedding and a centre, (4), or, with the multi-decision boundary,
      (7) with O = 1 + m and Delta = 1 - m for the embedding's own identity, and O = -m and
      Delta = m for others. As in Circle loss, which (7) follows, the factors [.]_+ weigh the
      gradient of the cosine and are not differentiated themselves.
    - (5), the reunion loss times lambda: -2 / (V (V - 1)) times the sum, over identities and
      ordered pairs k, l of viewpoints, of the cosine of their centres. It is a sum over identities
      as printed, not a mean. So are the pairs k = l, each a constant 1: they lower the value and
      have no gradient. (The paper sums over i what it indexes by j.)

    A class without a training image has no part in any sum, as if it were not there: nothing but
    repulsion would move its centre, which (5) would pass on to its identity's other centres. What
    is left of (5) for an identity of one class is the constant of its pair k = l. The
    factor stays 2 / (V (V - 1)), so that all pairs weigh the same; where every class is shown, both
    losses are the paper's.

    The paper does not say how the centres start; here in random directions, at a length of
    about 1.

    Args:
        dimension: D.
        shown: (C, V) bool, the identity-viewpoint classes that have training images.
        scale: gamma.
        margin: m.
        reunion: lambda; 0 leaves the partition loss alone ("L_P" of Table 3).
        boundary: False for equation (4) ("w/o MB").

    Raises:
        InputError: see `require_divided`.
    """

    shown: Tensor

    def __init__(
        self,
        dimension: int,
        shown: Tensor,
        *,
        scale: float = 48.0,
        margin: float = 0.5,
        reunion: float = 1.0,
        boundary: bool = True,
    ) -> None:
        super().__init__()
        require_divided(shown)
        self.register_buffer("shown", shown)
        self.centres = nn.Parameter(torch.randn(*shown.shape, dimension) / dimension**0.5)
        self.scale = scale
        self.margin = margin
        self.reunion = reunion
        self.boundary = boundary

    def forward(
        self, embeddings: Tensor, identities: Tensor, viewpoints: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the partition loss and lambda times the reunion loss, each a scalar.

        Args:
            embeddings: (B, D) floating.
            identities: (B,) int64, below C.
            viewpoints: (B,) int64, below V; each image's class has to be one that is shown.
        """
        with full_precision(embeddings.device):
            centres = self.centres.float()
            lengths = _lengths(centres)
            # Dividing the products, not the centres, spares several passes over C x V x D numbers.
            products = unit(embeddings.float()) @ centres.flatten(0, 1).T
            cosines = products.view(-1, *self.shown.shape) / lengths
            reunion = self._reunion(centres, lengths)
            return self._partition(cosines, identities, viewpoints), reunion

    def _partition(self, cosines: Tensor, identities: Tensor, viewpoints: Tensor) -> Tensor:
        phi = self._stricter(cosines, identities) if self.boundary else cosines
        scores = (self.scale * phi).masked_fill(~self.shown, -torch.inf)
        classes = identities * self.shown.shape[1] + viewpoints
        return F.cross_entropy(scores.flatten(1), classes)

    def _stricter(self, cosines: Tensor, identities: Tensor) -> Tensor:
        """Return phi of equation (7), (B, C, V)."""
        everyone = torch.arange(cosines.shape[1], device=identities.device)
        own = (identities[:, None] == everyone)[:, :, None]
        fixed, m = cosines.detach(), self.margin
        factor = torch.where(own, 1 + m - fixed, fixed + m).clamp(min=0)
        return factor * torch.where(own, cosines - (1 - m), cosines - m)

    def _reunion(self, centres: Tensor, lengths: Tensor) -> Tensor:
        """Sum the cosines of all pairs as the squared length of the sum of unit vectors."""
        if not self.reunion:
            return centres.new_zeros(())
        count = self.shown.shape[1]
        together = torch.bmm((self.shown / lengths)[:, None], centres)
        return -2 * self.reunion / (count * (count - 1)) * together.square().sum()

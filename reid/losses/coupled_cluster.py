"""The coupled cluster loss (EIA-Net, equation 4; Liu et al., CVPR 2016)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from reid.device import full_precision

_SMALL = 1e-24
"""What keeps a square from 0, so that its root has a gradient."""


class Clusters(NamedTuple):
    """The positive sets of a batch: its S labels with at least two images, and P images of them.

    Attributes:
        positive: (P,) int64, rows of the batch.
        spread: (P,), the squared distance of a positive to its set's centre.
        which: (P,) int64, its set, below S.
        nearest: (S,), the squared distance of a centre to the nearest negative; infinite where
            none has anything that can be compared.
        negative: (S,) int64, the row of that negative; an image of any other label is one.
    """

    positive: Tensor
    spread: Tensor
    which: Tensor
    nearest: Tensor
    negative: Tensor


def clusters(embeddings: Tensor, labels: Tensor, seen: Tensor | None = None) -> Clusters:
    """Measure how near a batch's positives and negatives are to the centres of its positive sets.

    Every label with at least two images is a positive set in turn, and all images of other
    labels are its negative set; the paper has one positive set in a batch. Without another
    label in the batch there is no set.

    As section 3.2 demands of losses, only parts that were found on both sides are compared: a
    number of the centre is the mean over the positives that have it, and an image and a centre
    are compared over the numbers that both have, each scaled to the length that it has as a whole.
    Unscaled, whatever shows little would be near to everything.

    Args:
        embeddings: (B, D) floating.
        labels: (B,) int64.
        seen: (B, D) bool, the numbers that an image has, as those of a part that was not found
            are filled with zeros; None where all images have all.
    """
    known, code, count = torch.unique(labels, return_inverse=True, return_counts=True)
    sets = (count > 1).nonzero()[:, 0] if len(known) > 1 else count[:0]
    place = code.new_full((len(known),), -1)
    place[sets] = torch.arange(len(sets), device=code.device)
    positive = (place[code] >= 0).nonzero()[:, 0]
    which, rows = place[code[positive]], embeddings.float()
    has = torch.ones_like(rows) if seen is None else seen.float()
    rows = rows * has
    sums, members = (
        rows.new_zeros(len(sets), rows.shape[1]).index_add(0, which, each[positive])
        for each in (rows, has)
    )
    centre, held = sums / members.clamp(min=1), (members > 0).float()
    spread = _apart(rows[positive], centre[which], has[positive], held[which])
    with torch.no_grad(), full_precision(rows.device):
        # `_apart` of all pairs, multiplied out; c and x are zero where they have nothing.
        whole = centre.square().sum(1, keepdim=True) * rows.square().sum(1)
        shared = (centre.square() @ has.T) * (held @ rows.square().T)
        scale = (whole / shared.clamp(min=_SMALL)).sqrt()
        far = rows.square().sum(1) - 2 * (centre @ rows.T) * scale
        unlike = (code != sets[:, None]) & (held @ has.T > 0)
        far = far.masked_fill(~unlike, torch.inf)
        negative = far.argmin(1)
        some = far.amin(1) < torch.inf
    nearest = _apart(rows[negative], centre, has[negative], held)
    nearest = nearest.masked_fill(~some, torch.inf)
    return Clusters(positive, spread, which, nearest, negative)


def _apart(rows: Tensor, centres: Tensor, has: Tensor, held: Tensor) -> Tensor:
    """Return squared distances over shared numbers, (N,); 0 where there are none.

    Args:
        rows: (N, D) float32.
        centres: (N, D) float32.
        has: (N, D) float32, 1 for a number that the row has.
        held: the same of the centre.
    """
    sides = []
    for side, other in ((rows, held), (centres, has)):
        shared = side * other
        lengths = [each.square().sum(1).clamp(min=_SMALL).sqrt() for each in (side, shared)]
        sides.append(shared * (lengths[0] / lengths[1])[:, None])
    apart: Tensor = (sides[0] - sides[1]).square().sum(1)
    return apart


class CoupledClusterLoss(nn.Module):
    """Positives gather around their centre, nearer by a margin than the nearest negative.

    EIA-Net, equation (4): the sum over the positives x_i of
    max(0, |x_i - c|^2 + alpha - |x_n - c|^2) / 2, where c is the mean of the positives and x_n
    the negative nearest to it; here the mean over the positive sets of a batch, see `clusters`.
    Gradients flow through the centre, too.

    Args:
        margin: alpha, a squared distance.
    """

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, embeddings: Tensor, labels: Tensor, seen: Tensor | None = None) -> Tensor:
        """Return the loss, a scalar; 0 for a batch without a positive pair or a negative.

        Args:
            embeddings: (B, D) floating.
            labels: (B,) int64.
            seen: (B, D) bool, see `clusters`.
        """
        found = clusters(embeddings, labels, seen)
        return hinge(found, found.nearest - self.margin)


def hinge(found: Clusters, reach: Tensor) -> Tensor:
    """Return the mean over sets of half the sum by which positives are beyond ``reach``, (S,)."""
    over = (found.spread - reach[found.which]).clamp(min=0)
    return over.sum() / (2 * max(1, len(reach)))

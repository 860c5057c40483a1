"""What EIA-Net's alignment loss costs as pairs become many.

    python -m benchmarks.alignment_loss [--parts 17] [--channels 256] [--device cpu]

Images of one label make n (n - 1) / 2 positive pairs. Forward and backward, against a bare pass
over the same tensor, the sum of its squares, forward and backward too, in turn in one process:

- all pairs (`pairs: null`): by way of the mean, at a cost of n, far below linear in pairs;
- the first P pairs of 512 images (`pairs: P`): at a cost of P at most.
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

from benchmarks.reid_speed import Timed, in_turn
from reid.losses.intra_class_alignment import IntraClassAlignmentLoss

_LABELS = 8


def both_ways(loss: Timed, *leaves: Tensor) -> Timed:
    """Return an operation that computes a loss and the gradients of ``leaves``."""

    def run() -> None:
        for leaf in leaves:
            leaf.grad = None
        value = loss()
        assert isinstance(value, Tensor)
        value.backward()  # type: ignore[no-untyped-call]

    return run


def main() -> None:
    """Print a line per number of pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=17)
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    for images in (64, 128, 256, 512):
        pairs = _LABELS * (images // _LABELS) * (images // _LABELS - 1) // 2
        line(images, None, pairs, given)
    for pairs in (1, 100, 1_000, 10_000):
        line(512, pairs, pairs, given)


def line(images: int, asked: int | None, pairs: int, given: argparse.Namespace) -> None:
    """Time one setting."""
    vectors = torch.randn(images, given.parts, given.channels, device=given.device)
    vectors.requires_grad_()
    visible = torch.rand(images, given.parts, device=given.device) < 0.7
    labels = torch.arange(images, device=given.device) % _LABELS
    loss = IntraClassAlignmentLoss(asked)
    own = both_ways(lambda: loss(vectors, visible, labels), vectors)
    bare = both_ways(lambda: vectors.square().sum(), vectors)
    ours, theirs = in_turn(own, bare, 15, given.device)
    which = "all" if asked is None else "first"
    print(
        f"{images} images, {which} {pairs:,} pairs: {ours * 1e3:.2f} ms, bare pass "
        f"{theirs * 1e3:.2f} ms: {ours / theirs:.1f} times; {ours / pairs * 1e6:.2f} us a pair"
    )


if __name__ == "__main__":
    main()

"""What each loss costs at 10,000 identities, against a training step of a ResNet-50.

    python -m benchmarks.losses [--identities 10000] [--batch 128] [--device cpu]

Forward and backward, with gradients of embeddings or scores and of what the loss itself learns.
The bare operation, softmax, is a linear layer of 2,048 x 10,000 and cross-entropy. It is timed in
turn with a ResNet-50's training step at 256 x 256 (576 identities, as in `benchmarks.reid_speed`),
and each loss in turn with it, so that a share of the step is the product of two ratios. On a CPU
the step is of 16 images, and its time is scaled to the batch.

- viewpoint-aware (VAL) with two viewpoints, in turn with softmax of as many classes, too.
- part-regularised: the scores of the whole and of 3 parts are there; layers are the network's.
- batch-hard triplet, circle, coupled cluster: embeddings of 2,048 numbers, 4 images an identity.
- alignment: all pairs of 17 parts of 256 numbers.
"""

from __future__ import annotations

import argparse

import torch
from pytorch_metric_learning.losses import CircleLoss, TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from torch import Tensor
from torch.nn import functional as F

from benchmarks.alignment_loss import both_ways
from benchmarks.reid_speed import Timed, in_turn, training_step
from reid.device import keep_freed_memory
from reid.losses.coupled_cluster import CoupledClusterLoss
from reid.losses.intra_class_alignment import IntraClassAlignmentLoss
from reid.losses.part_regularised import PartRegularisedLoss
from reid.losses.viewpoint_aware import ViewpointAwareLoss

_VIEWPOINTS = 2
_CPU_STEP = 16


def softmax(labels: Tensor, dimension: int, classes: int) -> Timed:
    """Return a linear layer and cross-entropy."""
    embeddings, weight = leaf(len(labels), dimension), leaf(classes, dimension)
    return both_ways(lambda: F.cross_entropy(embeddings @ weight.T, labels), embeddings, weight)


def viewpoint_aware(labels: Tensor, dimension: int, identities: int) -> Timed:
    """Return VAL with two viewpoints."""
    loss = ViewpointAwareLoss(dimension, torch.ones(identities, _VIEWPOINTS, dtype=torch.bool))
    loss, embeddings = loss.to(labels.device), leaf(len(labels), dimension)
    viewpoints = torch.arange(len(labels), device=labels.device) % _VIEWPOINTS
    return both_ways(lambda: sum(loss(embeddings, labels, viewpoints)), embeddings, loss.centres)


def part_regularised(labels: Tensor, identities: int) -> Timed:
    """Return PRN's loss of a whole and 3 parts."""
    loss = PartRegularisedLoss([1.0] * 3).to(labels.device)
    whole, parts = leaf(len(labels), identities), leaf(len(labels), 3, identities)
    visible = torch.rand(len(labels), 3, device=labels.device) < 0.8
    return both_ways(lambda: sum(loss(whole, parts, visible, labels)), whole, parts)


def of_pairs(labels: Tensor) -> dict[str, Timed]:
    """Return the losses that compare the images of a batch, by name."""
    embeddings, parts = leaf(len(labels), 2048), leaf(len(labels), 17, 256)
    miner, triplet, circle = BatchHardMiner(), TripletMarginLoss(), CircleLoss()
    cluster, alignment = CoupledClusterLoss(1.0), IntraClassAlignmentLoss(None)
    seen = torch.rand(len(labels), 17, device=labels.device) < 0.7
    return {
        "batch-hard triplet": both_ways(
            lambda: triplet(embeddings, labels, miner(embeddings, labels)), embeddings
        ),
        "circle": both_ways(lambda: circle(embeddings, labels), embeddings),
        "coupled cluster": both_ways(lambda: cluster(embeddings, labels), embeddings),
        "alignment": both_ways(lambda: alignment(parts, seen, labels), parts),
    }


def leaf(*shape: int) -> Tensor:
    """Return random numbers that take a gradient."""
    return torch.randn(*shape, requires_grad=True)


def main() -> None:
    """Print a line for each loss."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.manual_seed(0)
    torch.set_default_device(given.device)
    keep_freed_memory(torch.device(given.device))
    size = _CPU_STEP if given.device == "cpu" else given.batch
    labels, identities = torch.arange(given.batch) // 4, given.identities
    bare = softmax(labels, 2048, identities)
    step = training_step(False, "resnet50", 256, 32, size, given.device)
    some, whole = in_turn(bare, step, 3 if given.device == "cpu" else 30, given.device)
    share = some / (whole * given.batch / size)
    print(f"softmax {1e3 * some:.1f} ms, step of {size} images {1e3 * whole:.0f} ms: {share:.2%}")

    def line(name: str, loss: Timed) -> None:
        ours, theirs = in_turn(loss, bare, 15, given.device)
        ratio = ours / theirs
        print(f"{name}: {1e3 * ours:.1f} ms, {ratio:.2f} of softmax, {ratio * share:.2%} of a step")

    for name, loss in of_pairs(labels).items():
        line(name, loss)
    line("part-regularised", part_regularised(labels, identities))
    for dimension in (256, 2048):
        loss = viewpoint_aware(labels, dimension, identities)
        line(f"VAL, D = {dimension}", loss)
        alike = softmax(labels, dimension, identities * _VIEWPOINTS)
        ours, theirs = in_turn(loss, alike, 15, given.device)
        print(f"VAL, D = {dimension}: {ours / theirs:.2f} of softmax of as many classes")


if __name__ == "__main__":
    main()

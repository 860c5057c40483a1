"""What each loss costs at 10,000 identities, against a training step of a ResNet-50.

    python -m benchmarks.losses [--identities 10000] [--batch 128] [--rounds 15] [--device cpu]

Forward and backward, with gradients of embeddings or scores and of what the loss itself learns.
The bare operation, softmax, is a linear layer of 2,048 x 10,000 and cross-entropy. It is timed in
turn with a ResNet-50's training step at 256 x 256 (576 identities, as in `benchmarks.reid_speed`),
and each loss in turn with it, so that a share of the step is the product of two ratios. On a CPU
the step is of 16 images, its time is scaled to the batch, and all times are the processor's, as
other programs may be running.

- viewpoint-aware (VAL) with 2, 4 and 8 viewpoints, in turn with softmax of as many classes, too.
- part-regularised: the scores of the whole and of 3 parts are there; then with PRN's classifiers,
  which make them from 256 and 3 x 2,048 numbers.
- batch-hard triplet, circle, coupled cluster: embeddings of 2,048 numbers, 4 images an identity.
- batch-hard triplet by CPDM: a whole of 1,024 and 3 views of 512 numbers, as SPAN compares.
- SPAN's equations (1) to (3): 3 masks of 64 x 64 cells, and 32 images whatever the batch, as SPAN
  learns masks; beside a step of as many.
- alignment: all pairs of 17 parts of 256 numbers.
"""

from __future__ import annotations

import argparse
import time

import torch
from pytorch_metric_learning.losses import CircleLoss, TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from torch import Tensor
from torch.nn import functional as F

from benchmarks.alignment_loss import both_ways
from benchmarks.reid_speed import Timed, in_turn, training_step
from reid.attention.learning import Batch
from reid.attention.settings import SpanSettings
from reid.attention.span import MaskCriterion
from reid.device import keep_freed_memory
from reid.distances import CoOccurrence
from reid.losses.batch_hard import BatchHardTripletLoss
from reid.losses.coupled_cluster import CoupledClusterLoss
from reid.losses.intra_class_alignment import IntraClassAlignmentLoss
from reid.losses.measured import Measured
from reid.losses.part_regularised import PartRegularisedLoss
from reid.losses.viewpoint_aware import ViewpointAwareLoss

_CPU_STEP = 16
_VIEWS = ("front", "rear", "side")
_MASKED = 32
"""Images that SPAN learns masks from at once."""


def softmax(labels: Tensor, dimension: int, classes: int) -> Timed:
    """Return a linear layer and cross-entropy."""
    embeddings, weight = leaf(len(labels), dimension), leaf(classes, dimension)
    return both_ways(lambda: F.cross_entropy(embeddings @ weight.T, labels), embeddings, weight)


def viewpoint_aware(labels: Tensor, dimension: int, identities: int, count: int) -> Timed:
    """Return VAL with some viewpoints."""
    loss = ViewpointAwareLoss(dimension, torch.ones(identities, count, dtype=torch.bool))
    loss, embeddings = loss.to(labels.device), leaf(len(labels), dimension)
    viewpoints = torch.arange(len(labels), device=labels.device) % count
    return both_ways(lambda: sum(loss(embeddings, labels, viewpoints)), embeddings, loss.centres)


def part_regularised(labels: Tensor, identities: int) -> Timed:
    """Return PRN's loss of a whole and 3 parts."""
    loss = PartRegularisedLoss([1.0] * 3).to(labels.device)
    whole, parts = leaf(len(labels), identities), leaf(len(labels), 3, identities)
    visible = torch.rand(len(labels), 3, device=labels.device) < 0.8
    return both_ways(lambda: sum(loss(whole, parts, visible, labels)), whole, parts)


def classified_parts(labels: Tensor, identities: int) -> Timed:
    """Return the same with the products that make the scores, see `reid.models.prn.PRN`."""
    loss = PartRegularisedLoss([1.0] * 3).to(labels.device)
    embedding, vectors = leaf(len(labels), 256), leaf(3, len(labels), 2048)
    layer, layers = leaf(identities, 256), leaf(3, 2048, identities)
    visible = torch.rand(len(labels), 3, device=labels.device) < 0.8

    def value() -> Tensor:
        parts = torch.bmm(vectors, layers).transpose(0, 1)
        return torch.stack(loss(embedding @ layer.T, parts, visible, labels)).sum()

    return both_ways(value, embedding, vectors, layer, layers)


def masks(device: torch.device) -> Timed:
    """Return SPAN's losses on masks, all of whose images show two views."""
    settings = SpanSettings()
    criterion = MaskCriterion(_VIEWS, (("front", "rear"),), settings).to(device)
    cells = settings.size // settings.cell
    odds = leaf(_MASKED, len(_VIEWS), cells, cells)
    foreground = torch.randint(0, 256, (_MASKED, cells, cells), dtype=torch.uint8)
    shown = torch.tensor([True, False, True]).expand(_MASKED, 3)
    # The losses look at no pixels.
    batch = Batch(torch.empty(0), foreground, shown)
    return both_ways(lambda: torch.stack(list(criterion(odds, batch).values())).sum(), odds)


def of_pairs(labels: Tensor) -> dict[str, Timed]:
    """Return the losses that compare the images of a batch, by name."""
    embeddings, parts = leaf(len(labels), 2048), leaf(len(labels), 17, 256)
    miner, triplet, circle = BatchHardMiner(), TripletMarginLoss(), CircleLoss()
    cluster, alignment = CoupledClusterLoss(1.0), IntraClassAlignmentLoss(None)
    features, ratios = leaf(len(labels), 1024 + 3 * 512), torch.rand(len(labels), 4)
    by_views = BatchHardTripletLoss(Measured(CoOccurrence([1024, 512, 512, 512])), 0.3)
    seen = torch.rand(len(labels), 17, device=labels.device) < 0.7
    return {
        "batch-hard triplet": both_ways(
            lambda: triplet(embeddings, labels, miner(embeddings, labels)), embeddings
        ),
        "batch-hard triplet by CPDM": both_ways(
            lambda: by_views(torch.cat([features, ratios], 1), labels), features
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
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.manual_seed(0)
    torch.set_default_device(given.device)
    keep_freed_memory(torch.device(given.device))
    size = _CPU_STEP if given.device == "cpu" else given.batch
    labels, identities = torch.arange(given.batch) // 4, given.identities
    bare = softmax(labels, 2048, identities)
    step = training_step(False, "resnet50", 256, 32, size, given.device)
    clock = time.process_time if given.device == "cpu" else time.perf_counter
    steps = 3 if given.device == "cpu" else 30
    some, whole = in_turn(bare, step, steps, given.device, clock)
    share = some / (whole * given.batch / size)
    print(f"softmax {1e3 * some:.1f} ms, step of {size} images {1e3 * whole:.0f} ms: {share:.2%}")

    def line(name: str, loss: Timed, images: int = given.batch) -> None:
        ours, theirs = in_turn(loss, bare, given.rounds, given.device, clock)
        ratio = ours / theirs
        part = ratio * share * given.batch / images
        print(f"{name}: {1e3 * ours:.1f} ms, {ratio:.2f} of softmax, {part:.2%} of a step")

    for name, loss in of_pairs(labels).items():
        line(name, loss)
    line("SPAN's masks", masks(labels.device), _MASKED)
    line("part-regularised", part_regularised(labels, identities))
    line("part-regularised with its classifiers", classified_parts(labels, identities))
    for dimension, count in ((256, 2), (2048, 2), (2048, 4), (2048, 8)):
        name = f"VAL, D = {dimension}, V = {count}"
        loss = viewpoint_aware(labels, dimension, identities, count)
        line(name, loss)
        alike = softmax(labels, dimension, identities * count)
        ours, theirs = in_turn(loss, alike, given.rounds, given.device, clock)
        print(f"{name}: {ours / theirs:.2f} of softmax of as many classes")


if __name__ == "__main__":
    main()

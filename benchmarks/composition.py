"""What it costs that a network is put together from a recipe.

    python -m benchmarks.composition [--device cpu]

A training step of the method ``composed``, against the same work written down by hand:

- bare: no branch, a mean, a linear layer, a classifier and cross-entropy, against just these.
- parts: part branches that are averaged over cells, against PRN, which has them built in, its
  branches' vectors as long as the map is deep.

Every ratio is of medians taken in turn in one process.
"""

from __future__ import annotations

import argparse

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.reid_speed import Timed, in_turn, random_boxes
from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.device import autocast
from reid.methods import build_criterion, build_model
from reid.parts.located import Located
from reid.recipe import parse_recipe

CASES = (("tf_efficientnet_lite0", 128, 16, 64), ("resnet50", 256, 32, 16))
PARTS = ["window", "light", "brand"]


def stepping(network: nn.Module, loss: Timed, device: str) -> Timed:
    """Return one whole step by a function that gives the loss."""
    optimiser = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)

    def step() -> None:
        with autocast("auto", torch.device(device)):
            found = loss()
        optimiser.zero_grad()
        found.backward()
        optimiser.step()

    return step


def from_recipe(method: str, batch: Batch, case: tuple[str, int, int, int], device: str) -> Timed:
    """Return a step of a recipe, with parts where the batch has boxes."""
    name, side, stride, _ = case
    parts = PARTS if batch.where.parts.shape[1] else []
    content = {
        "method": method,
        "backbone": {"name": name, "weights": None, "output_stride": stride},
        "image": {"height": side, "width": side},
        "parts": {"use": parts},
    }
    if method == "composed":
        content |= {"join": "global", "view_dimension": 2048 if name == "resnet50" else 1280}
    chosen = parse_recipe(content, method)
    model = build_model(chosen, 576, start=False).to(device).train()
    model = model.to(memory_format=torch.channels_last)
    criterion = build_criterion(chosen).to(device)

    def loss() -> torch.Tensor:
        terms = criterion(model(batch.images, batch.where), batch)
        return torch.stack(list(terms.values())).sum()

    return stepping(model, loss, device)


def by_hand(batch: Batch, case: tuple[str, int, int, int], device: str) -> Timed:
    """Return a step of the plainest network."""
    backbone = Backbone(case[0], None, case[2]).to(device).to(memory_format=torch.channels_last)
    reduce = nn.Linear(backbone.channels, 256).to(device)
    classifier = nn.Linear(256, 576, bias=False).to(device)

    def loss() -> torch.Tensor:
        scores = classifier(reduce(backbone(batch.images).mean((2, 3))))
        return F.cross_entropy(scores.float(), batch.labels)

    return stepping(nn.ModuleList([backbone, reduce, classifier]), loss, device)


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    device = parser.parse_args().device
    for case in CASES:
        name, side, _, size = case
        images = torch.randint(0, 255, (size, 3, side, side), dtype=torch.uint8, device=device)
        labels = torch.arange(size, device=device) // 2
        numbers = torch.tensor([0, 1, 1, 2], device=device).expand(size, 4)
        boxes = Located.by_boxes(random_boxes(size, 4, device), numbers)
        bare = Batch(images, Located.nowhere(size).to(device), labels, labels)
        parts = bare._replace(where=boxes)
        pairs = {
            "bare": (from_recipe("composed", bare, case, device), by_hand(bare, case, device)),
            "parts": (
                from_recipe("composed", parts, case, device),
                from_recipe("prn", parts, case, device),
            ),
        }
        for what, steps in pairs.items():
            ours, hand = in_turn(*steps, 5 if device == "cpu" else 30, device)
            print(f"{name} at {side}, batch {size}, {what}: composed {1e3 * ours:.0f} ms, "
                  f"by hand {1e3 * hand:.0f} ms: {ours / hand:.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

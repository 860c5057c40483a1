"""The layers of a timm network one after the other, and where its last stage begins."""

from __future__ import annotations

from typing import Any

from torch import nn

_BEHIND = ("global_pool", "pre_logits", "head", "head_drop", "fc", "classifier")


def steps_of(network: Any) -> list[tuple[str, nn.Module]]:
    """Return a network's layers up to its feature map, in order, each with its name in it."""
    steps: list[tuple[str, nn.Module]] = []
    for child, module in network.named_children():
        if child in _BEHIND:
            break
        if type(module) is nn.Sequential:
            steps += [(f"{child}.{inner}", layer) for inner, layer in module.named_children()]
        else:
            steps.append((child, module))
    return steps


def last_stage(network: Any, steps: list[tuple[str, nn.Module]]) -> int:
    """Return how many of the layers stand before the last stage; 0 where there is no such place."""
    stages = getattr(network, "feature_info", [])
    if len(stages) < 2:
        return 0
    last = stages[-2]["module"]
    return max(
        (n for n, (step, _) in enumerate(steps, 1) if f"{step}.".startswith(f"{last}.")), default=0
    )

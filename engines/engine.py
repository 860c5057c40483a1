"""What every engine does: take a network that maps one tensor to one tensor, and run it faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from annotations.errors import InputError

Computed = Callable[[Tensor], Tensor]
"""From (B, ...) on the device to (B, ...) on the device, floating; B is what it was made for."""


class Engine(Protocol):
    """A way to compute a network.

    Attributes:
        name: for people and for the command line.
    """

    name: str

    def lacks(self, device: torch.device) -> str | None:
        """Return why it cannot compute on ``device`` here, or None where it can."""
        ...

    def make(self, network: nn.Module, example: Tensor, half: bool) -> Computed:
        """Return what computes ``network`` on inputs of ``example``'s shape, type and device.

        Args:
            network: in evaluation mode, on the device of ``example``.
            example: (B, ...).
            half: whether it may compute in a 16-bit format.
        """
        ...


def made_by(engine: Engine, network: nn.Module, example: Tensor, half: bool) -> Computed:
    """Return what computes a network; see `Engine.make`.

    Raises:
        InputError: the engine cannot compute it.
    """
    try:
        return engine.make(network, example, half)
    except Exception as error:  # exporters and compilers raise what they like
        said = str(error).strip().partition("\n")[0]
        raise InputError(
            f"engine '{engine.name}' cannot compute this network ({type(error).__name__}: {said}); "
            "take --engine torch"
        ) from error


class Whole(nn.Module):
    """Computes a network by an engine, for any number of inputs.

    Engines are made for one shape, which is faster than for any; fewer inputs than that are
    filled up, more are divided.

    Args:
        computed: what an engine made.
        size: B, that it was made for.
    """

    def __init__(self, computed: Computed, size: int) -> None:
        super().__init__()
        self._computed, self._size = computed, size

    def forward(self, inputs: Tensor) -> Tensor:
        """Return what the network makes of (N, ...): (N, ...)."""
        if len(inputs) == self._size:
            return self._computed(inputs)
        made = []
        for start in range(0, len(inputs), self._size):
            some = inputs[start : start + self._size]
            lacking = self._size - len(some)
            full = torch.cat([some, some[-1:].expand(lacking, *some.shape[1:])])
            made.append(self._computed(full)[: len(some)].clone())
        return torch.cat(made)

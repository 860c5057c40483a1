"""PyTorch's own compiler."""

from __future__ import annotations

import shutil

import torch
from torch import Tensor, nn

from engines.engine import Computed


class Compiled:
    """``torch.compile``: fused kernels, on a GPU replayed as a graph, which small networks need."""

    name = "compile"

    def lacks(self, device: torch.device) -> str | None:
        """Return why it cannot compute here, or None."""
        if device.type == "cpu" and not any(map(shutil.which, ("g++", "clang++", "c++"))):
            return "torch.compile needs a C++ compiler (g++ or clang++)"
        return None

    def make(self, network: nn.Module, example: Tensor, half: bool) -> Computed:
        """Return the compiled network; see `engines.engine.Engine`."""
        kind = example.device.type
        mode = "reduce-overhead" if kind == "cuda" else "default"
        compiled = torch.compile(network, mode=mode, dynamic=False)

        def computed(inputs: Tensor) -> Tensor:
            with torch.autocast(kind, torch.bfloat16, enabled=half):
                if kind == "cuda":
                    torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
                made: Tensor = compiled(inputs)
            # A graph writes its next result into the same memory.
            return made.clone() if kind == "cuda" else made

        computed(example)
        return computed
